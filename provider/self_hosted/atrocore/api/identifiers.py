"""Names and ids of AtroCore, checked before anything is sent."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from self_hosted.core.arguments import CONTROL_CHARACTER, MAX_ID_CHARACTERS, MISSING_RESULT, check_id
from self_hosted.core.http.flow import INVALID_IN_SEGMENT

ENTITY = re.compile(r"[A-Z][A-Za-z0-9]{0,99}")  # routes that are no entities begin with a lower-case letter
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
INVALID_IN_FIELD = re.compile(r"[,\[\]]")  # separators of a query


def check_entity(entity: Any) -> str:
    """Return the name of an entity.

    :param entity: such as "Product"
    :raises ValueError: for anything else, such as the name of a route
    """
    if not isinstance(entity, str) or entity == MISSING_RESULT or not ENTITY.fullmatch(entity):
        shown = entity if not isinstance(entity, str) else entity[:MAX_ID_CHARACTERS]
        raise ValueError(f"entity must be the name of an entity, such as Product, not {shown!r}")
    return entity


def check_record_id(argument: str, value: Any) -> str:
    """Return the id of a record.

    :param argument: name of the argument
    :param value: text, or a whole number
    :raises ValueError: for a value that is no id, or that a server would take for another route
    """
    text = check_id(argument, value)
    if not _is_segment(text):
        raise ValueError(f"{argument} must be an id without / \\ ? #, not {value!r}")
    return text


def check_field(argument: str, value: Any) -> str:
    """Return the name of a field.

    :param argument: name of the argument
    :param value: the name
    :raises ValueError: for anything else
    """
    with contextlib.suppress(ValueError):
        if isinstance(value, str) and not INVALID_IN_FIELD.search(check_id(argument, value)):
            return value
    shown = value[:MAX_ID_CHARACTERS] if isinstance(value, str) else value
    raise ValueError(f"{argument} must be the name of a field, such as number, not {shown!r}")


def check_key(argument: str, value: Any) -> str:
    """Return the value of a field by which records are found. Blanks around it count: they make another record.

    :param argument: name of the argument
    :param value: text, or a whole number
    :raises ValueError: for an empty text, a missing result ("None"), control characters, and anything else
    """
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    is_invalid = text.strip() in {"", MISSING_RESULT} or len(text) > MAX_ID_CHARACTERS
    if is_invalid or CONTROL_CHARACTER.search(text):
        raise ValueError(f"{argument} must be the value of a field, not {text[:MAX_ID_CHARACTERS]!r}")
    return text


def check_timestamp(argument: str, value: Any) -> str:
    """Return a timestamp as AtroCore writes it. It is compared as text, so that no other form would work.

    :param argument: name of the argument
    :param value: in UTC, such as "2026-06-01 12:30:00"
    :raises ValueError: for anything else
    """
    if not is_timestamp(value):
        raise ValueError(f"{argument} must be a timestamp such as '2026-06-01 12:30:00', not {value!r}")
    return str(value)


def is_timestamp(value: Any) -> bool:
    """Return whether a value is a timestamp as AtroCore writes it.

    :param value: of an argument or of a response
    """
    return isinstance(value, str) and bool(TIMESTAMP.fullmatch(value))


def is_record_id(value: Any) -> bool:
    """Return whether an id of a response can be used in a path.

    :param value: of a response
    """
    try:
        return _is_segment(check_id("id", value))
    except ValueError:
        return False


def _is_segment(text: str) -> bool:
    return text not in {".", ".."} and not INVALID_IN_SEGMENT.search(text)
