"""Rows of CSV and JSON Lines files, on this machine or in an object store, read one by one."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

from self_hosted.core.tasks.storage import resolve_path

Row = dict[str, Any]


def read_csv(path: str, key_columns: set[str]) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a CSV file, each with its position; an empty cell is left out, so that its field is unchanged.

    :param path: path or URI
    :param key_columns: the header must have one of these columns
    :raises ValueError: for a malformed file
    """
    with resolve_path(path).open("r", encoding="utf-8-sig", newline="") as file:
        lines = _read_cells(path, file)
        header = _validate_header(path, next(lines, ("", []))[1], key_columns)
        for position, cells in lines:
            if len(cells) > len(header):
                raise ValueError(f"rows: {position} has {len(cells)} cells, but the header has {len(header)}")
            yield position, {name: cell for name, cell in zip(header, cells, strict=False) if cell}


def _read_cells(path: str, file: IO[str]) -> Iterator[tuple[str, list[str]]]:
    lines = csv.reader(file, strict=True)
    try:
        for cells in lines:
            if cells:
                yield f"line {lines.line_num} of {path}", cells
    except UnicodeDecodeError:
        raise ValueError(f"rows: {path} is not UTF-8") from None
    except csv.Error as error:
        raise ValueError(f"rows: line {lines.line_num} of {path} is not valid CSV: {error}") from None


def _validate_header(path: str, header: list[str], key_columns: set[str]) -> list[str]:
    if not all(name.strip() for name in header):
        raise ValueError(f"rows: a column of {path} has no name")
    repeated = sorted(name for name, count in Counter(header).items() if count > 1)
    if repeated:
        raise ValueError(f"rows: {path} has the column {', '.join(repeated)} more than once")
    if not key_columns & set(header):
        raise ValueError(f"rows: {path} has no column {' or '.join(sorted(key_columns))}; it has {', '.join(header)}")
    return header


def read_json_lines(path: str) -> Iterator[tuple[str, Any]]:
    """Yield the rows of a file with one JSON object per line, each with its position; null empties the field.

    :param path: path or URI
    :raises ValueError: for a malformed line
    """
    with resolve_path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                position = f"line {number} of {path}"
                yield position, _parse_line(position, line)


def _parse_line(position: str, line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError(f"rows: {position} is not valid JSON") from None
