"""Rows in files, on this machine or in an object store, read one by one."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from self_hosted.core.storage import path_of

Row = dict[str, Any]


def csv_rows(path: str, key_columns: set[str]) -> Iterator[tuple[str, Row]]:
    """The rows of a CSV file, with their places; an empty cell is no value: the field is left alone.

    :param path: path or URI
    :param key_columns: columns of which the header must have one
    """
    with path_of(path).open("r", encoding="utf-8-sig", newline="") as file:
        lines = _lines(path, file)
        header = _header(path, next(lines, ("", []))[1], key_columns)
        for place, cells in lines:
            if len(cells) > len(header):
                raise ValueError(f"rows: {place} has {len(cells)} cells, and the header has {len(header)}")
            yield place, {name: cell for name, cell in zip(header, cells, strict=False) if cell}


def _lines(path: str, file: IO[str]) -> Iterator[tuple[str, list[str]]]:
    lines = csv.reader(file, strict=True)
    try:
        for cells in lines:
            if cells:
                yield f"line {lines.line_num} of {path}", cells
    except UnicodeDecodeError:
        raise ValueError(f"rows: {path} is not UTF-8") from None
    except csv.Error as problem:
        raise ValueError(f"rows: line {lines.line_num} of {path} is no CSV: {problem}") from None


def _header(path: str, header: list[str], key_columns: set[str]) -> list[str]:
    if not all(name.strip() for name in header):
        raise ValueError(f"rows: a column of {path} has no name")
    repeated = sorted(name for name, times in Counter(header).items() if times > 1)
    if repeated:
        raise ValueError(f"rows: {path} has the column {', '.join(repeated)} more than once")
    if not key_columns & set(header):
        raise ValueError(f"rows: {path} has no column {' or '.join(sorted(key_columns))}; it has {', '.join(header)}")
    return header


def jsonl_rows(path: str) -> Iterator[tuple[str, Any]]:
    """The rows of a file with a JSON object on each line; null empties the field."""
    with path_of(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                place = f"line {number} of {path}"
                yield place, _parsed(place, line)


def _parsed(place: str, line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except ValueError:
        raise ValueError(f"rows: {place} is no JSON") from None
