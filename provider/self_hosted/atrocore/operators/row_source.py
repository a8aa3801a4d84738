"""The rows of a sync: from a list, a generator or a file, streamed and read twice.

The first pass finds all errors of the source before anything is sent: malformed lines, rows without a key, repeated
keys. Only the keys are kept in memory.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import IO, Any, Self

from self_hosted.atrocore.api import identifiers, timestamps
from self_hosted.atrocore.operators.row_files import Row, read_csv, read_json_lines
from self_hosted.core.arguments import MISSING_RESULT

FieldMapping = Mapping[str, str | None]


class RowSource:
    """Validated rows, with AtroCore's field names. Use it in a ``with`` statement, which reads them once.

    :param rows: dictionaries, or the path or URI of a .csv or .jsonl file
    :param key_field: the field in which every row must have a value
    :param field_mapping: columns and their fields; None = column left out; other columns are field names already
    :raises ValueError: for a malformed source
    """

    def __init__(self, rows: str | Iterable[Mapping[str, Any]], key_field: str, field_mapping: FieldMapping) -> None:
        self.given, self.key_field, self.mapping = rows, key_field, field_mapping
        self.key_counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        with ExitStack() as files:
            self.read = self._reader(files)
            for _, row in self._rows():
                self.key_counts[row[self.key_field]] += 1
            self.files = files.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.files.close()

    @property
    def total(self) -> int:
        """The number of rows."""
        return self.key_counts.total()

    def repeated_keys(self) -> dict[str, int]:
        """Return the keys of more than one row, with the number of their rows."""
        return {key: count for key, count in self.key_counts.items() if count > 1}

    def batches(self, size: int) -> Iterator[dict[str, Row]]:
        """Yield the rows by key, without those of repeated keys.

        :param size: the largest number of rows in a batch
        """
        rows = ((row[self.key_field], row) for _, row in self._rows() if self.key_counts[row[self.key_field]] == 1)
        while batch := dict(islice(rows, size)):
            yield batch

    def _rows(self) -> Iterator[tuple[str, Row]]:
        """Yield rows with AtroCore's field names and their key as text, each with its position."""
        for position, row in self.read():
            renamed = _rename_columns(position, _to_json_row(position, row), self.mapping)
            yield position, {**renamed, self.key_field: self._check_key(position, renamed.get(self.key_field))}

    def _check_key(self, position: str, key: Any) -> str:
        text = "" if key is None else str(key)
        if text.strip() in {"", MISSING_RESULT}:
            raise ValueError(f"rows: {position} has no {self.key_field}")
        check = identifiers.check_record_id if self.key_field == "id" else identifiers.check_key
        return check(f"rows: {position}: {self.key_field}", text)

    def _reader(self, files: ExitStack) -> Callable[[], Iterator[tuple[str, Any]]]:
        rows = self.given
        if not isinstance(rows, str):
            is_iterator = iter(rows) is rows
            repeatable = _store(rows, files) if is_iterator else rows
            return lambda: _with_positions(repeatable)
        if rows.lower().endswith(".csv"):
            columns = {self.key_field, *(name for name, field in self.mapping.items() if field == self.key_field)}
            return lambda: read_csv(rows, columns)
        return lambda: read_json_lines(rows)


class _StoredRows:
    """Rows in a temporary file of JSON Lines."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file

    def __iter__(self) -> Iterator[Row]:
        self.file.seek(0)
        return map(json.loads, self.file)


def _store(rows: Iterable[Mapping[str, Any]], files: ExitStack) -> _StoredRows:
    """Return rows that can be read twice."""
    file = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))  # noqa: SIM115 it is one
    for position, row in _with_positions(rows):
        file.write(json.dumps(_to_json_row(position, row)) + "\n")
    return _StoredRows(file)


def _with_positions(rows: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"row {number}", row) for number, row in enumerate(rows, 1))


def _rename_columns(position: str, row: Row, mapping: FieldMapping) -> Row:
    renamed: Row = {}
    for column, value in row.items():
        field = mapping.get(column, column)
        if field in renamed:
            raise ValueError(f"rows: {position} has two values for {field}")
        if field is not None:
            renamed[field] = value
    return renamed


def _to_json_row(position: str, row: Any) -> Row:
    if not isinstance(row, Mapping):
        raise ValueError(f"rows: {position} must be a dictionary, not {type(row).__name__}")
    return {str(name): _to_json_value(position, name, value) for name, value in row.items()}


def _to_json_value(position: str, name: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamps.to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"rows: {position} has the {name} {value}, which is not a value; leave it out, or use None")
    return sorted(value) if isinstance(value, set) else value
