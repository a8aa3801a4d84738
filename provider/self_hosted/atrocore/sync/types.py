"""AtroCore's types of fields, and their limits, in the engine's terms."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from self_hosted.atrocore.api.metadata import Definition
from self_hosted.core.sync.target import FieldType

TYPES: Mapping[str, FieldType] = {
    **dict.fromkeys(
        ["varchar", "text", "wysiwyg", "markdown", "url", "email", "language", "color", "colorpicker"], "text"
    ),
    **dict.fromkeys(["int", "duration", "enumInt", "autoincrement"], "integer"),
    **dict.fromkeys(["float", "enumFloat"], "number"),
    "bool": "boolean",
    "date": "date",
    **dict.fromkeys(["datetime", "datetimeOptional"], "moment"),
    "enum": "option",
    **dict.fromkeys(["multiEnum", "multiLanguage"], "options"),
    **dict.fromkeys(["array", "arrayInt", "jsonArray"], "list"),
    **dict.fromkeys(["jsonObject", "map"], "object"),
    **dict.fromkeys(["link", "file", "extensibleEnum", "measure"], "reference"),
    **dict.fromkeys(["linkMultiple", "extensibleMultiEnum"], "references"),
}
"""Types by AtroCore's name; others cannot be written."""
ENTITIES: Mapping[str, str] = {
    "file": "File",
    "extensibleEnum": "ExtensibleEnumOption",
    "extensibleMultiEnum": "ExtensibleEnumOption",
    "measure": "Unit",
}
"""The entity that a type refers to, where the field does not name it."""
DEFAULT_LENGTHS: Mapping[str, int] = {"varchar": 255, "url": 255, "email": 255, "color": 255}
MAX_INTEGER = 2**31 - 1
FLAGS = re.compile(r"/(.*)/([a-zA-Z]*)", re.DOTALL)
"""A regular expression of PHP between its delimiters, as metadata before 2.3 has it."""


def list_options(definition: Definition) -> dict[str, str]:
    """Return the spellings of a field's options and the option that each stands for; empty if any value is valid.

    :param definition: the parameters of the field
    """
    options = [str(option) for option in _list(definition.get("options"))]
    ids = [str(option) for option in _list(definition.get("optionsIds"))]
    by_id = dict(zip(ids, options, strict=False))  # servers accept the id, and return the option
    return {**by_id, **{option: option for option in options}}


def limits(definition: Definition) -> dict[str, Any]:
    """Return the limits of a field's values, as parameters of `core.sync.target.Field`.

    :param definition: the parameters of the field
    """
    kind = str(definition.get("type"))
    minimum, maximum = _number(definition.get("min")), _number(definition.get("max"))
    if TYPES.get(kind) == "integer":  # a 32-bit column
        minimum = max(-MAX_INTEGER - 1, minimum if minimum is not None else -MAX_INTEGER - 1)
        maximum = min(MAX_INTEGER, maximum if maximum is not None else MAX_INTEGER)
    length = _number(definition.get("maxLength")) or _number(definition.get("len")) or DEFAULT_LENGTHS.get(kind)
    return {
        "minimum": minimum,
        "maximum": maximum,
        "max_length": int(length) if length and TYPES.get(kind) == "text" else None,
        "pattern": to_pattern(definition.get("pattern")),
    }


def to_pattern(pattern: Any) -> str | None:
    """Return a pattern that must match as a whole; None if there is none, or Python cannot read it.

    :param pattern: of the metadata, which is searched for, with or without PHP's delimiters
    """
    if not pattern or not isinstance(pattern, str):
        return None
    delimited = FLAGS.fullmatch(pattern)
    expression, flags = delimited.groups() if delimited else (pattern, "")
    whole = f"{'(?i)' if 'i' in flags else ''}[\\s\\S]*?(?:{expression})[\\s\\S]*"
    try:
        re.compile(whole)
    except re.error:
        return None
    return whole


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < math.inf else None  # JSON such as 1e400 is infinite
