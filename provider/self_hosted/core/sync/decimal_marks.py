"""The decimal mark of each column, decided from all its texts: in one row alone, 1.234 may be either number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from self_hosted.core.http.logs import shorten
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.field_specs import is_key
from self_hosted.core.sync.numbers import COMMA, MARKS, POINT, read_number
from self_hosted.core.sync.snapshot import Snapshot
from self_hosted.core.sync.target import Field, Schema

NUMBERS = frozenset({"number", "integer"})


class _Sight(NamedTuple):
    line: int
    text: str


class _Evidence:
    """What the texts of a column say about its decimal mark."""

    def __init__(self) -> None:
        self.deciding: dict[str, _Sight] = {}
        self.ambiguous: _Sight | None = None

    def add(self, line: int, text: str) -> None:
        try:
            readings = read_number(text.strip())
        except ValueError:  # too large: its row fails later
            return
        if len(readings) == 1:
            self.deciding.setdefault(next(iter(readings)), _Sight(line, text))
        elif len(set(readings.values())) > 1 and self.ambiguous is None:
            self.ambiguous = _Sight(line, text)


def decide_marks(snapshot: Snapshot, schema: Schema, key: FieldSpec) -> Schema:
    """Return the schema with a decimal mark for each number that is read from a column.

    :param snapshot: the source
    :param schema: the fields
    :param key: the declaration of the key field, which stays a text
    :raises ValueError: if a column has both marks, or only texts that are numbers with either: it names row and value
    """
    fields = {name: field for name, field in schema.fields.items() if not is_key(field.spec, key)}
    numbers = {name: column for name, field in fields.items() if (column := _number_column(field))}
    given = {numbers[name]: mark for name in numbers if (mark := schema.fields[name].spec.decimal)}
    evidence = _collect(snapshot, set(numbers.values()) - set(given))
    marks = {**given, **_decide(snapshot, evidence, set(given.values()))}
    decided = {name: _with_mark(schema.fields[name], marks[column]) for name, column in numbers.items()}
    return replace(schema, fields={**schema.fields, **decided})


def _number_column(field: Field) -> str | None:
    return field.spec.column if field.type in NUMBERS else None


def _with_mark(field: Field, mark: str) -> Field:
    return replace(field, spec=replace(field.spec, decimal=mark))


def _collect(snapshot: Snapshot, columns: set[str]) -> Mapping[str, _Evidence]:
    evidence = {column: _Evidence() for column in columns}
    for row in snapshot.rows() if columns else ():
        for column, found in evidence.items():
            cell = row.cells.get(column)
            if isinstance(cell, str) and (POINT in cell or COMMA in cell):
                found.add(row.line, cell)
    return evidence


def _decide(snapshot: Snapshot, evidence: Mapping[str, _Evidence], given: set[str]) -> dict[str, str]:
    """Return the marks; a column that leaves it open follows the file's others."""
    marks = {column: _decide_alone(snapshot, column, found) for column, found in evidence.items()}
    others = given | {mark for mark in marks.values() if mark}
    for column, found in evidence.items():
        if not marks[column] and found.ambiguous and len(others) != 1:
            raise ValueError(
                f"decimal: {_show(snapshot, column, found.ambiguous)} is ambiguous; give decimal: '.' or ','"
            )
    usual = next(iter(others), POINT)
    return {column: mark or usual for column, mark in marks.items()}


def _decide_alone(snapshot: Snapshot, column: str, found: _Evidence) -> str:
    if len(found.deciding) == len(MARKS):
        both = " and ".join(_show(snapshot, column, found.deciding[mark]) for mark in MARKS)
        raise ValueError(f"decimal: {both} have different decimal marks; correct them, or give decimal: '.' or ','")
    return next(iter(found.deciding), "")


def _show(snapshot: Snapshot, column: str, sight: _Sight) -> str:
    return f"{column} {shorten(repr(sight.text))} ({snapshot.place.unit} {sight.line})"
