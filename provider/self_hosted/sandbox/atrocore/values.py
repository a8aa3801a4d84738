"""Values on their way into the database: what PHP makes of a JSON value, and what the database stores.

Cores before 2.3 cast values without checking them: "4,5" becomes 4, "" becomes 0, "yes" becomes false.
"""

from __future__ import annotations

import re
from typing import Any

from self_hosted.sandbox.atrocore.errors import ApiError, DatabaseError
from self_hosted.sandbox.atrocore.fields import LIST_TYPES, TEXT_TYPES, Attribute
from self_hosted.sandbox.atrocore.versions import V2, V2_3, Version

MAX_INT = 2**31 - 1
DEFAULT_MAX_LENGTH = 255
UNCHANGED_TYPES = frozenset({*LIST_TYPES, "jsonObject", "bool"})
UNLIMITED_TYPES = frozenset({"text", "wysiwyg"})
TRUE_VALUES = (True, "true", "1")
NUMBER_PREFIX = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
NEW_FORMATS = {"datetime": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "date": r"\d{4}-\d\d-\d\d"}
OLD_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?.*", re.DOTALL)
US_DATE = re.compile(r"(0[1-9]|1[0-2])[./](0[1-9]|[12]\d|3[01])[./](\d{4})")
NOT_A_LIST = (
    "Espo\\Services\\Record::modifyMultiEnumValue(): Argument #1 ($values) must be of type ?array, {} given,"
    " called in ... on line 1129"
)


_EMPTY = (None, "")


def is_empty(value: Any) -> bool:
    """Return whether a value is null or an empty text."""
    return value in _EMPTY


def get_max_id_length(core: Version) -> int:
    """Return how many characters the id of a record may have."""
    return 36 if core >= V2 else 24


def cast(core: Version, attribute: Attribute, value: Any) -> Any:
    """Return a value as PHP holds it before it is saved.

    :raises ApiError: if the core version rejects the value
    """
    kind = attribute.type
    if kind in LIST_TYPES:
        return _cast_list(core, attribute, value)
    if kind == "bool":
        return _cast_bool(core, value)
    if kind == "jsonObject":
        return value if isinstance(value, dict | list) else None
    if value is None:
        return None
    if kind in {"float", "int"}:
        return _cast_number(attribute, value) if core >= V2_3 else _cast_number_like_php(kind, value)
    if core >= V2_3 and kind in NEW_FORMATS and not re.fullmatch(NEW_FORMATS[kind], str(value)):
        raise ApiError(400, f"{kind}IsInvalid")
    return value


def to_stored(core: Version, attribute: Attribute, value: Any) -> Any:
    """Return a cast value as the database stores it.

    :raises DatabaseError: if the database rejects it
    """
    kind, has_status = attribute.type, core >= V2_3
    if value is None or kind in UNCHANGED_TYPES:
        return value
    if kind == "int" and abs(value) > MAX_INT:
        raise DatabaseError(
            "[22003]: Numeric value out of range: 7 ERROR:  integer out of range", has_status=has_status
        )
    if kind in {"int", "float"}:
        return _shorten(value)
    text = to_php_text(value).partition("\0")[0]
    if kind in {"date", "datetime"}:
        return _to_stored_date(kind, text, has_status=has_status)
    limit = get_max_id_length(core) if kind == "id" else attribute.params.get("maxLength", DEFAULT_MAX_LENGTH)
    if kind not in UNLIMITED_TYPES and len(text) > limit:
        raise build_length_error(limit, has_status=has_status)
    return text


def build_length_error(limit: int, *, has_status: bool) -> DatabaseError:
    """Return the error of a text that is too long."""
    reason = f"[22001]: String data, right truncated: 7 ERROR:  value too long for type character varying({limit})"
    return DatabaseError(reason, has_status=has_status)


def to_php_text(value: Any) -> str:
    """Return a value as PHP writes it."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def is_same(attribute: Attribute, stored: Any, given: Any) -> bool:
    """Return whether saving a value counts as no change. The types must be the same, also those of numbers.

    An integer differs from the stored float that is equal to it; null differs from the stored false.
    """
    if attribute.type == "float" and given is not None:
        return isinstance(given, float) and stored is not None and bool(stored == given)
    if attribute.type == "ids":
        return isinstance(given, list) and sorted(map(str, stored or ())) == sorted(map(str, given))
    return type(stored) is type(given) and bool(stored == given)


def check_options(core: Version, attribute: Attribute, value: Any) -> None:
    """Check the options and the pattern of a field.

    :raises ApiError: if the value is none of the options, or does not match the pattern
    """
    values = value if isinstance(value, list) else [value]
    for one in values if attribute.options and attribute.type in {"enum", "multiEnum"} else ():
        if one not in attribute.options and not is_empty(one):
            old = f"Value '{to_php_text(one)}' for the field '{attribute.label}' is not valid."
            raise ApiError(400, "noSuchOptions" if core >= V2_3 else old)
    pattern = str(attribute.params.get("pattern", "")) if attribute.type in TEXT_TYPES else ""
    if pattern and not is_empty(value) and not re.search(pattern.strip("/"), to_php_text(value)):
        old = f'The value of the field "{attribute.name}" does not correspond to the pattern "{pattern}".'
        raise ApiError(400, "dontMatchToPattern" if core >= V2_3 else old)


def _cast_list(core: Version, attribute: Attribute, value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        if core >= V2_3:
            raise ApiError(400, f"{attribute.name}: valueIsNotArray")
        kind = {str: "string", bool: "bool", int: "int", float: "float"}.get(type(value), "stdClass")
        raise ApiError(500, NOT_A_LIST.format(kind), item_code=0, hidden=True)
    return list({repr(item): item for item in value}.values())


def _cast_bool(core: Version, value: Any) -> bool:
    is_integer_one = isinstance(value, int) and value == 1
    if core >= V2_3 and isinstance(value, float):
        return value != 0
    return is_integer_one or (isinstance(value, str) and value in TRUE_VALUES)


def _cast_number(attribute: Attribute, value: Any) -> int | float:
    try:
        number: float = value if isinstance(value, int | float) and not isinstance(value, bool) else float(str(value))
    except ValueError:
        raise ApiError(400, f"{attribute.name}: valueIsNotNumber") from None
    return int(number) if attribute.type == "int" else number


def _cast_number_like_php(kind: str, value: Any) -> int | float:
    number: int | float
    if isinstance(value, str):
        match = NUMBER_PREFIX.match(value)
        number = float(match[0]) if match else 0.0
    elif isinstance(value, list | dict):
        number = float(bool(value))
    else:
        number = float(value) if isinstance(value, bool) else value
    return int(number) if kind == "int" else number


def _shorten(number: float) -> int | float:
    """Return a number as JSON shows it: PHP writes 13.0 as 13."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 1e15 else number


def _to_stored_date(kind: str, text: str, *, has_status: bool) -> str:
    american, iso = US_DATE.fullmatch(text), OLD_DATE.fullmatch(text)
    if american:
        day, time = f"{american[3]}-{american[1]}-{american[2]}", None
    elif iso:
        day, time = iso[1], iso[2]
    else:
        names = {"datetime": "timestamp", "date": "date"}
        reason = f'[22007]: Invalid datetime format: 7 ERROR:  invalid input syntax for type {names[kind]}: "{text}"'
        raise DatabaseError(reason, has_status=has_status)
    if kind == "date":
        return day
    return f"{day} {time or '00:00:00'}{':00' if time and len(time) == len('00:00') else ''}"
