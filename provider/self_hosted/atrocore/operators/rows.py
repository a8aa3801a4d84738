"""Where rows come from: a list, a generator, or a file; always streamed, and read twice.

The first reading finds everything that is wrong with the source before anything is sent: lines that cannot be read,
rows without their key, keys that come twice. Of all this only the keys are kept in memory.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import IO, Any, Self

from self_hosted.atrocore.operators.files import Row, csv_rows, jsonl_rows

FieldMapping = Mapping[str, str | None]
MOMENT = "%Y-%m-%d %H:%M:%S"  # AtroCore's, in UTC


class Source:
    """Rows, checked, with AtroCore's field names. Use it in a ``with``.

    :param rows: dicts, or the path or URI of a .csv or .jsonl file
    :param key_field: the field every row must have a value of
    :param field_mapping: column to field; None leaves a column out; columns it does not name are fields already
    :raises ValueError: for a source that cannot be read as a whole; nothing was sent then
    """

    def __init__(self, rows: str | Iterable[Mapping[str, Any]], key_field: str, field_mapping: FieldMapping) -> None:
        self.given, self.key_field, self.mapping = rows, key_field, field_mapping
        self.times: Counter[str] = Counter()

    def __enter__(self) -> Self:
        with ExitStack() as files:
            self.read = self._reader(files)
            for _, row in self._rows():
                self.times[row[self.key_field]] += 1
            self.files = files.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.files.close()

    @property
    def total(self) -> int:
        """How many rows there are."""
        return self.times.total()

    def repeated(self) -> dict[str, int]:
        """Keys that more than one row has, and how many."""
        return {key: times for key, times in self.times.items() if times > 1}

    def portions(self, size: int) -> Iterator[dict[str, Row]]:
        """Key to row, so many rows at a time, without those whose key is repeated."""
        rows = ((row[self.key_field], row) for _, row in self._rows() if self.times[row[self.key_field]] == 1)
        while portion := dict(islice(rows, size)):
            yield portion

    def _rows(self) -> Iterator[tuple[str, Row]]:
        """Rows with AtroCore's field names, their key as text, and the place they are at."""
        for place, row in self.read():
            renamed = _renamed(place, _plain(place, row), self.mapping)
            key = renamed.get(self.key_field)
            if key is None or not str(key).strip():
                raise ValueError(f"rows: {place} has no {self.key_field}")
            yield place, {**renamed, self.key_field: str(key)}

    def _reader(self, files: ExitStack) -> Callable[[], Iterator[tuple[str, Any]]]:
        rows = self.given
        if not isinstance(rows, str):
            kept = _kept(rows, files) if iter(rows) is rows else rows
            return lambda: _numbered(kept)
        if rows.lower().endswith(".csv"):
            columns = {self.key_field, *(name for name, field in self.mapping.items() if field == self.key_field)}
            return lambda: csv_rows(rows, columns)
        return lambda: jsonl_rows(rows)


class _Lines:
    """Rows in a file of JSON lines."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file

    def __iter__(self) -> Iterator[Row]:
        self.file.seek(0)
        return map(json.loads, self.file)


def _kept(rows: Iterable[Mapping[str, Any]], files: ExitStack) -> _Lines:
    """Rows that can be had only once, put into a file so that they can be read twice."""
    file = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 it is one
    for place, row in _numbered(rows):
        file.write(json.dumps(_plain(place, row)) + "\n")
    return _Lines(file)


def _numbered(rows: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"row {number}", row) for number, row in enumerate(rows, 1))


def _renamed(place: str, row: Row, mapping: FieldMapping) -> Row:
    renamed: Row = {}
    for column, value in row.items():
        field = mapping.get(column, column)
        if field in renamed:
            raise ValueError(f"rows: {place} has two values for {field}")
        if field is not None:
            renamed[field] = value
    return renamed


def _plain(place: str, row: Any) -> Row:
    """A row as JSON has it."""
    if not isinstance(row, Mapping):
        raise ValueError(f"rows: {place} is of type {type(row).__name__}, not an object of fields")
    return {str(name): _plain_value(place, name, value) for name, value in row.items()}


def _plain_value(place: str, name: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).strftime(MOMENT)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"rows: {place} has the {name} {value}, which is no value; leave it out, or use None")
    return sorted(value) if isinstance(value, set) else value
