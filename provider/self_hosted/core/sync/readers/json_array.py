"""Rows of JSON files: an array of objects, read one object after the other."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from self_hosted.core.sync.readers.json_text import DECODER, MAX_ROW_CHARACTERS, DuplicateNameError
from self_hosted.core.sync.readers.table import IncompleteSourceError, Place, Table
from self_hosted.core.sync.readers.text import find_encoding

CHUNK_CHARACTERS = 256 * 1024
BLANKS = "\ufeff \t\r\n"


@contextmanager
def open_json(path: Path, name: str, encoding: str | None) -> Generator[Table]:
    """Read a file that is an array of objects.

    :param path: the file
    :param name: the source, for messages
    :param encoding: if it is given
    :raises ValueError: if it is no array of objects
    """
    with path.open(encoding=find_encoding(path, name, encoding), newline="\n") as file:
        reader = _ArrayReader(Place(name, "line"), file)
        yield Table(reader.place, reader.rows())


class _ArrayReader:
    """Keeps the part of the text that is not parsed yet."""

    def __init__(self, place: Place, file: IO[str]) -> None:
        self.place, self._file = place, file
        self._text, self._position, self._line = "", 0, 1

    def rows(self) -> Iterator[tuple[int, Any]]:
        """Yield the objects, each with the number of the line in which it begins."""
        first = self._next_character()
        if not first:
            return
        if first != "[":
            hint = "; give source_format='jsonl' if it has one object per line" if first == "{" else ""
            raise self._error(f"must begin with the [ of an array of objects, not with {first!r}{hint}")
        self._position += 1
        separator = "["
        while (character := self._next_character()) != "]":
            if separator == "," and character == ",":
                self._position += 1
                character = self._next_character()
            elif separator == "," and character:
                raise self._error(f"is not valid JSON: expected , or ] before {character!r}")
            if not character:
                raise IncompleteSourceError(f"source: {self.place.name} ends before the ] of its array")
            if character != "{":
                raise self._error(f"has {character!r} where an object must begin")
            yield self._line, self._take_object()
            separator = ","
        self._position += 1
        if rest := self._next_character():
            raise self._error(f"has {rest!r} after the end of the array")

    def _next_character(self) -> str:
        """Skip blanks, and return the next character without taking it; "" at the end of the file."""
        while True:
            start = self._position
            rest = self._text[start : start + 1]
            while rest and rest in BLANKS:
                self._line += rest == "\n"
                self._position += 1
                rest = self._text[self._position : self._position + 1]
            if rest or not self._read_more():
                return rest

    def _take_object(self) -> Any:
        while True:
            try:
                found, end = DECODER.raw_decode(self._text, self._position)
            except DuplicateNameError as error:
                raise self._error(str(error)) from None
            except json.JSONDecodeError as error:
                if not self._read_more():
                    self._line += self._text.count("\n", self._position, error.pos)
                    raise self._error(f"is not valid JSON: {error.msg}") from None
            except (ValueError, RecursionError) as error:
                raise self._error(f"is not valid JSON: {error}") from None
            else:
                self._line += self._text.count("\n", self._position, end)
                self._position = end
                return found

    def _read_more(self) -> bool:
        """Read as much again as there is, and return whether there was more."""
        rest = self._text[self._position :]
        if len(rest) > MAX_ROW_CHARACTERS:
            return False
        more = self._file.read(max(CHUNK_CHARACTERS, len(rest)))
        self._text, self._position = rest + more, 0
        return bool(more)

    def _error(self, message: str) -> ValueError:
        return ValueError(f"source: {self.place.of(self._line)} {message}")
