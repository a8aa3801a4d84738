"""Rows of CSV and TSV files, as Excel and databases write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from self_hosted.core.sync.readers.delimiters import choose_delimiter
from self_hosted.core.sync.readers.table import Place, Table
from self_hosted.core.sync.readers.text import find_encoding
from self_hosted.core.sync.source import SourceOptions

MAX_CELL_CHARACTERS = 10_000_000
MAX_SEPARATOR_LINE = 16
SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?[\r\n]*', re.IGNORECASE)
"""The first line of files that are written for Excel."""


@contextmanager
def open_csv(path: Path, name: str, options: SourceOptions, expected: Collection[str]) -> Generator[Table]:
    """Read a CSV or TSV file.

    :param path: the file
    :param name: the source, for messages
    :param options: encoding and delimiter, if they are given
    :param expected: the columns that the delimiter must yield
    :raises ValueError: if it is malformed or ambiguous
    """
    _raise_field_limit()
    encoding, place = find_encoding(path, name, options.encoding), Place(name, "line")
    with path.open(encoding=encoding, newline="") as file:
        separator, start = _read_separator(file)
        delimiter = options.delimiter or separator or ("\t" if options.format == "tsv" else None)
        if delimiter is None:
            delimiter = choose_delimiter(place, lambda: _restart(file, start), expected)
        records = read_records(place, _restart(file, start), delimiter, start)
        _, header = next(records, (0, None))
        yield Table(place, records, header, skips_empty=True, is_text=True)


def _raise_field_limit() -> None:
    """Raise the limit of a cell, which is 131,072 characters, and the same for all of the process."""
    if csv.field_size_limit() < MAX_CELL_CHARACTERS:
        csv.field_size_limit(MAX_CELL_CHARACTERS)


def _read_separator(file: IO[str]) -> tuple[str | None, int]:
    """Return the delimiter that the first line names, and the number of such lines: 0 or 1."""
    found = SEPARATOR_LINE.fullmatch(file.readline(MAX_SEPARATOR_LINE))
    return (found[1], 1) if found else (None, 0)


def _restart(file: IO[str], skipped: int) -> IO[str]:
    file.seek(0)
    for _ in range(skipped):
        file.readline()
    return file


def read_records(
    place: Place, lines: Iterable[str], delimiter: str, skipped: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank lines, each with the number of the line in which it begins.

    :param place: for messages
    :param lines: with their line ends
    :param delimiter: between the cells
    :param skipped: the number of lines before the first one
    :raises ValueError: if a record is malformed; it names the line in which the record begins
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begin = skipped + 1
    try:
        for cells in reader:
            if cells:
                yield begin, cells
            begin = skipped + reader.line_num + 1
    except csv.Error as error:
        hint = _explain(str(error))
        raise ValueError(f"source: the record that begins in {place.of(begin)} is not valid CSV: {hint}") from None


def _explain(message: str) -> str:
    if message.startswith("field larger than field limit"):
        return f"a cell has more than {csv.field_size_limit()} characters; is a quote not closed?"
    return "a quote is not closed" if message == "unexpected end of data" else message
