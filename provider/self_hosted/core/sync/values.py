"""Canonical values: of cells, and of what a server returns, by the type of the field; see `target` for their form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from self_hosted.core.sync import moments
from self_hosted.core.sync.comparison import is_empty
from self_hosted.core.sync.conversions import CONVERSIONS, to_boolean, to_number
from self_hosted.core.sync.json_cells import parse_json, to_object, to_plain
from self_hosted.core.sync.numbers import POINT, parse_number
from self_hosted.core.sync.target import Field, FieldType
from self_hosted.core.sync.texts import show, to_text


class InvalidCellError(ValueError):
    """A cell does not fit its field.

    :param field: name of the field
    :param value: the cell
    :param message: what is wrong; after a semicolon, what would be right
    """

    def __init__(self, field: str, value: Any, message: str) -> None:
        super().__init__(f"{field}: {show(value)} {message}")
        self.field, self.value, self.message = field, value, message


def convert(field: Field, cell: Any) -> Any:
    """Return the canonical value of a cell; None if it is empty. References are texts, not yet ids.

    :param field: the field
    :param cell: JSON, or a Decimal
    :raises InvalidCellError: if it does not fit the field
    """
    if is_empty(cell) or (isinstance(cell, str) and field.type != "text" and not cell.strip()):
        return None
    try:
        value = CONVERSIONS[field.type](field, cell)
    except ValueError as error:
        raise InvalidCellError(field.name, cell, str(error)) from None
    return None if is_empty(value) else value


def canonical(field: Field, stored: Any) -> Any:
    """Return the canonical form of a value that a server returned; one that does not fit the field as it is.

    :param field: the field
    :param stored: JSON; numbers, booleans and lists may be texts, moments without an offset are in UTC
    """
    if is_empty(stored):
        return None
    try:
        value = _READERS[field.type](stored)
    except (ValueError, OverflowError, RecursionError):
        return stored
    return None if is_empty(value) else value


def _read_number(stored: Any) -> int | float:
    return parse_number(stored, POINT) if isinstance(stored, str) else to_number(stored)


def _read_set(stored: Any) -> list[str]:
    values = parse_json(stored, list)
    return sorted({to_text(each) for each in (values if isinstance(values, list) else [values])})


def _read_list(stored: Any) -> Any:
    return to_plain(parse_json(stored, list))


_READERS: Mapping[FieldType, Callable[[Any], Any]] = {
    "text": to_text,
    "number": _read_number,
    "integer": _read_number,
    "boolean": to_boolean,
    "date": lambda stored: moments.read_date(to_text(stored)),
    "moment": lambda stored: moments.read_moment(to_text(stored)),
    "option": to_text,
    "options": _read_set,
    "reference": to_text,
    "references": _read_set,
    "list": _read_list,
    "object": to_object,
    "file": to_text,
}
