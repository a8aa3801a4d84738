"""Rows of JSON Lines files: one object per line."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from self_hosted.core.sync.readers.json_text import DECODER, MAX_ROW_CHARACTERS, DuplicateNameError
from self_hosted.core.sync.readers.table import Place, Table
from self_hosted.core.sync.readers.text import find_encoding


@contextmanager
def open_json_lines(path: Path, name: str, encoding: str | None) -> Generator[Table]:
    """Read a file with one JSON object per line; blank lines are skipped.

    :param path: the file
    :param name: the source, for messages
    :param encoding: if it is given
    :raises ValueError: if a line is no JSON
    """
    place = Place(name, "line")
    with path.open(encoding=find_encoding(path, name, encoding), newline="\n") as file:
        yield Table(place, _read_lines(place, file))


def _read_lines(place: Place, file: IO[str]) -> Iterator[tuple[int, Any]]:
    number = 0
    while line := file.readline(MAX_ROW_CHARACTERS + 1):
        number += 1
        if len(line) > MAX_ROW_CHARACTERS:
            raise ValueError(f"source: {place.of(number)} has more than {MAX_ROW_CHARACTERS} characters")
        if line := line.strip("\ufeff \t\r\n"):
            yield number, _parse(place.of(number), line)


def _parse(position: str, line: str) -> Any:
    try:
        return DECODER.decode(line)
    except DuplicateNameError as error:
        raise ValueError(f"source: {position} {error}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"source: {position} is not valid JSON: {error}") from None
