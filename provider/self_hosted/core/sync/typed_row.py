"""One row of the source as values of the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from self_hosted.core.sync.comparison import is_empty
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.field_specs import is_key
from self_hosted.core.sync.preflight import Finding, Findings
from self_hosted.core.sync.snapshot import RawRow
from self_hosted.core.sync.target import Field, Schema
from self_hosted.core.sync.texts import check_key, check_text
from self_hosted.core.sync.values import InvalidCellError, convert

MAX_REMEMBERED = 1_000  # of each column
MAX_REMEMBERED_CHARACTERS = 64

KEEP = object()
"""The result for a cell whose field keeps its value."""


class TypedRow(NamedTuple):
    """A row of the source, as values of the target.

    :param key: its key; "" if it has none that can be used
    :param values: by the name of their field; fields that keep their value are left out
    :param errors: why it fails
    """

    key: str
    values: Mapping[str, Any]
    errors: Sequence[InvalidCellError]


class RowTyper:
    """Converts rows.

    :param schema: the fields, with decided decimal marks
    :param key: the declaration of the key field
    :param findings: receives what is wrong
    :raises InvalidCellError: if the value of a declaration does not fit its field
    """

    def __init__(self, schema: Schema, key: FieldSpec, findings: Findings) -> None:
        fields = [field for field in schema.fields.values() if not is_key(field.spec, key)]
        self.key, self.findings = key, findings
        self.key_field = next((field for field in schema.fields.values() if is_key(field.spec, key)), None)
        self.cells = [(field.spec.column, CellReader(field)) for field in fields if field.spec.column is not None]
        self.numbers_of_units = dict(_list_units(fields))
        self.constants = {
            field.name: convert(field, field.spec.value) for field in fields if not is_empty(field.spec.value)
        }

    def convert(self, raw: RawRow) -> TypedRow:
        """Return a row as values of the target, and report what is wrong with it.

        :param raw: the row
        """
        errors = list[InvalidCellError]()
        key = self._read_key(raw, errors)
        values = self._read_values(raw, errors)
        for error in errors:
            self.findings.add(Finding(raw.number, key, error.field, error.value, error.message))
        return TypedRow(key, values, errors)

    def _read_key(self, raw: RawRow, errors: list[InvalidCellError]) -> str:
        column = self.key.column or ""
        cell, problem = raw.cells.get(column), raw.problems.get(column)
        if problem:  # the text that shows the cell is no key
            errors.append(_reject(self.key.field, cell, problem))
            return ""
        try:
            key = check_key(cell)
            return key if self.key_field is None else check_text(self.key_field, key)
        except ValueError as error:
            errors.append(InvalidCellError(self.key.field, cell, str(error)))
            return ""

    def _read_values(self, raw: RawRow, errors: list[InvalidCellError]) -> dict[str, Any]:
        values = dict(self.constants)
        for column, reader in self.cells:
            value = reader.read(raw.cells[column]) if column in raw.cells else KEEP
            if column in raw.problems and not isinstance(value, InvalidCellError):
                value = _reject(reader.field.name, raw.cells[column], raw.problems[column])
            if isinstance(value, InvalidCellError):
                errors.append(value)
            elif value is not KEEP:
                values[reader.field.name] = value
        # the unit of a number that keeps its value stays, or another amount would be stored
        kept = (unit for unit, number in self.numbers_of_units.items() if values.get(number) is None)
        for unit in kept:
            values.pop(unit, None)
        return values


def _list_units(fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """Yield the name of each unit and that of its number, which is declared right before it."""
    for number, unit in pairwise(fields):
        if unit.spec.kind == "unit":
            yield unit.name, number.name


class CellReader:
    """Converts the cells of one field. It remembers recent results: values repeat, and so do errors.

    :param field: the field
    """

    def __init__(self, field: Field) -> None:
        self.field = field
        self._results = dict[str, Any]()

    def read(self, cell: Any) -> Any:
        """Return the canonical value, `KEEP`, or an `InvalidCellError`.

        :param cell: of the source
        """
        if not isinstance(cell, str) or len(cell) > MAX_REMEMBERED_CHARACTERS:
            return self._convert(cell)
        if cell not in self._results:
            if len(self._results) >= MAX_REMEMBERED:
                self._results.clear()
            self._results[cell] = self._convert(cell)
        return self._results[cell]

    def _convert(self, cell: Any) -> Any:
        try:
            value = convert(self.field, cell)
        except InvalidCellError as error:
            return error.with_traceback(None)
        if value is not None:
            return value
        if self.field.spec.empty == "keep":
            return KEEP
        if self.field.is_required:
            return InvalidCellError(self.field.name, cell, "is empty; the field needs a value")
        return None


def _reject(field: str, cell: Any, problem: str) -> InvalidCellError:
    return InvalidCellError(field, cell, f"cannot be used: {problem}")
