"""Cells as JSON: conversion of the values that databases, files and Python code have.

In the database, a Decimal is ``{"decimal": "12.50"}`` and an object ``{"object": {...}}``; all else is JSON itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from self_hosted.core.http.logs import shorten

JSON = Any
MAX_LEVELS = 50
MAX_NUMBER_BITS = 1_000  # a float ends at 1,024
MAX_EXPONENT = 300
NUMPY_NUMBERS = ("int", "uint", "float", "bool")


class CellError:
    """A cell without a value, such as #DIV/0! in a sheet.

    :param reason: what the cell shows
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return self.reason


class Converter:
    """Converts the cells of a source.

    :param null_values: texts that stand for no value
    :param problem_columns: the columns whose unusable cells fail their row; None = all
    """

    def __init__(self, null_values: Collection[str], problem_columns: Collection[str] | None = None) -> None:
        self.null_values, self.problem_columns = null_values, problem_columns
        self.decimal_columns: set[str] = set()

    def convert(self, column: str, cell: Any, problems: dict[str, str]) -> JSON:
        """Return a cell as it is stored; one that cannot be used becomes the text that shows it.

        :param column: the name of its column
        :param cell: any value
        :param problems: receives what is wrong with it, by column
        """
        if type(cell) is str and _is_unicode(cell):  # most cells
            return None if cell in self.null_values else cell
        try:
            value = to_json(cell)
        except ValueError as error:
            if self.problem_columns is None or column in self.problem_columns:
                problems[column] = str(error)
            return _show(cell)
        if isinstance(cell, Decimal):
            self.decimal_columns.add(column)
            return {"decimal": value}
        if isinstance(value, dict):
            return {"object": value}
        return None if isinstance(value, str) and value in self.null_values else value


def restore(stored: JSON) -> Any:
    """Return a cell: JSON, or a Decimal.

    :param stored: see `Converter.convert`
    """
    if not isinstance(stored, dict):
        return stored
    return Decimal(stored["decimal"]) if "decimal" in stored else stored["object"]


def to_json(value: Any, levels: int = MAX_LEVELS) -> JSON:
    """Return a value as JSON; a Decimal as a text with all its digits.

    :param value: any value
    :param levels: how deeply it may be nested
    :raises ValueError: what is wrong with the value, and what would be right
    """
    if value is None or isinstance(value, bool):
        return value
    if levels == 0:
        raise ValueError(f"the value is nested more than {MAX_LEVELS} levels deep")
    for kind, convert in CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    if isinstance(value, Mapping):
        return {_to_name(name): _to_element(each, levels - 1) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_to_element(each, levels - 1) for each in value]
    if isinstance(value, Set):
        return sorted((_to_element(each, levels - 1) for each in value), key=str)
    if isinstance(value, CellError):
        raise ValueError(f"the cell has no value but {value}; correct it in the file, or leave it empty")
    if type(value).__module__ == "numpy" and type(value).__name__.startswith(NUMPY_NUMBERS):
        return to_json(value.item(), levels - 1)
    raise ValueError(
        f"{_show(value)} of the type {type(value).__name__} is not supported; give a text, a number or a date"
    )


def _to_element(value: Any, levels: int) -> JSON:
    """Return a value in a list or an object, where a Decimal is a number."""
    found = to_json(value, levels)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return found


def _to_name(name: Any) -> str:
    if not isinstance(name, str):
        raise ValueError(f"the name {_show(name)} in an object must be a text")
    return _check_text(name)


def _check_text(text: str) -> str:
    if not _is_unicode(text):
        raise ValueError(f"the text {_show(text)} is not valid Unicode")
    return text


def _is_unicode(text: str) -> bool:
    """Return whether a text can be sent: halves of surrogate pairs cannot, which JSON and Python allow."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decode(value: Any) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise ValueError(f"the bytes {_show(bytes(value))} are not UTF-8; give a text") from None


def _check_integer(number: int) -> int:
    if number.bit_length() > MAX_NUMBER_BITS:
        raise ValueError(f"the number has {number.bit_length()} bits, more than {MAX_NUMBER_BITS}")
    return number


def _check_float(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} is no value; give a number, or leave the cell empty")
    return number


def _write_decimal(number: Decimal) -> str:
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"{number} is no value; give a number, or leave the cell empty")
    return format(number, "f")


def _write_moment(moment: date | time) -> str:
    if moment != moment:  # noqa: PLR0124 NaT of pandas is a datetime, and equals nothing
        raise ValueError(f"{moment} is no value; give a date, or leave the cell empty")
    return moment.isoformat()


def _show(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more than 4,300 digits
        text = f"a value of the type {type(value).__name__}"
    return shorten(text.encode("ascii", "backslashreplace").decode() if not text.isprintable() else text)


CONVERSIONS: Sequence[tuple[Any, Callable[[Any], JSON]]] = (
    (str, _check_text),
    (int, _check_integer),
    (float, _check_float),
    (Decimal, _write_decimal),
    ((datetime, date, time), _write_moment),
    (UUID, str),
    ((bytes, bytearray, memoryview), _decode),
)
