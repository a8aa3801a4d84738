"""Cells as canonical values: one function for each type of field.

Each raises a ValueError whose text follows the value: what is wrong; after a semicolon, what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from self_hosted.core.arguments import is_set
from self_hosted.core.sync import moments
from self_hosted.core.sync.json_cells import parse_json, to_object, to_plain
from self_hosted.core.sync.numbers import normalize, parse_number
from self_hosted.core.sync.texts import check_text, find_option, to_text

if TYPE_CHECKING:
    from self_hosted.core.sync.target import Field, FieldType

BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on", "ja", "wahr"), True),
    **dict.fromkeys(("false", "0", "no", "off", "nein", "falsch"), False),
}
"""The texts of booleans, in any case. An "x" is none: it leaves open what an empty cell means."""


def _convert_text(field: Field, cell: Any) -> str:
    return check_text(field, to_text(cell))


def _convert_number(field: Field, cell: Any) -> int | float:
    number = parse_number(cell, field.spec.decimal) if isinstance(cell, str) else to_number(cell)
    if field.minimum is not None and number < field.minimum:
        raise ValueError(f"is less than {field.minimum:.15g}, the minimum")
    if field.maximum is not None and number > field.maximum:
        raise ValueError(f"is more than {field.maximum:.15g}, the maximum")
    return number


def to_number(cell: Any) -> int | float:
    """Return the number that a cell holds, unless it is a text.

    :param cell: a number
    :raises ValueError: for anything else, NaN and infinity
    """
    if isinstance(cell, bool | list | dict):
        raise ValueError("is not a number; write it like 1234.5")
    return normalize(cell)


def _convert_integer(field: Field, cell: Any) -> int:
    number = _convert_number(field, cell)
    if isinstance(number, float):
        raise ValueError("is not a whole number; the field has no decimals")
    return number


def to_boolean(cell: Any) -> bool:
    """Return the boolean that a cell stands for.

    :param cell: a boolean, 1 or 0, or one of `BOOLEANS`
    :raises ValueError: for anything else
    """
    text = "" if isinstance(cell, list | dict) else to_text(cell).strip().casefold()
    if text not in BOOLEANS:
        raise ValueError(f"is not a boolean; valid: {', '.join(BOOLEANS)}")
    return BOOLEANS[text]


def _convert_boolean(_: Field, cell: Any) -> bool:
    return to_boolean(cell)


def _convert_date(field: Field, cell: Any) -> str:
    return moments.parse_date(_require_text(cell, "date"), field.spec.date_format)


def _convert_moment(field: Field, cell: Any) -> str:
    return moments.parse_moment(_require_text(cell, "moment"), field.spec.date_format, field.spec.time_zone)


def _require_text(cell: Any, noun: str) -> str:
    if not isinstance(cell, str):
        raise ValueError(f"is not a {noun}; give it as text, or format the column as date")
    return cell


def _convert_option(field: Field, cell: Any) -> str:
    return find_option(field.options, _convert_text(field, cell))


def _convert_options(field: Field, cell: Any) -> list[str]:
    return sorted({_convert_option(field, each) for each in _split(field, cell)})


def _convert_references(field: Field, cell: Any) -> list[str]:
    return sorted({_convert_text(field, each) for each in _split(field, cell)})


def _convert_list(field: Field, cell: Any) -> list[Any]:
    return [check_text(field, each) if isinstance(each, str) else to_plain(each) for each in _split(field, cell)]


def _split(field: Field, cell: Any) -> list[Any]:
    """Return the values of a cell: of a list, also as JSON, or of a text with separators."""
    values = parse_json(cell, list)
    if not isinstance(values, list):
        texts = values.split(field.spec.separator) if isinstance(values, str) else [values]
        values = [each.strip() if isinstance(each, str) else each for each in texts]
    return [each for each in values if is_set(each)]


def _convert_object(_: Field, cell: Any) -> dict[str, Any]:
    return to_object(cell)


CONVERSIONS: Mapping[FieldType, Callable[[Field, Any], Any]] = {
    "text": _convert_text,
    "number": _convert_number,
    "integer": _convert_integer,
    "boolean": _convert_boolean,
    "date": _convert_date,
    "moment": _convert_moment,
    "option": _convert_option,
    "options": _convert_options,
    "reference": _convert_text,
    "references": _convert_references,
    "list": _convert_list,
    "object": _convert_object,
    "file": _convert_text,
}
"""By the type of the field."""
