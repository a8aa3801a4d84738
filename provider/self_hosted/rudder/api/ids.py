"""Ids in the paths of Rudder: which of them reach another endpoint or another object than the one that is meant.

A blank becomes a plus, which separates an object from its revision. An empty id is the object "index", and words such
as "tree" are endpoints of their own.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from self_hosted.core.arguments import check_id

Resource = Literal["rule", "directive", "group", "node", "change request"]

WORDS_BY_RESOURCE: dict[Resource, frozenset[str]] = {
    "rule": frozenset({"tree", "categories", "compliance", "revision"}),
    "directive": frozenset({"tree", "compliance"}),
    "group": frozenset({"tree", "categories", "compliance"}),
    "node": frozenset({"pending", "status", "compliance", "details", "applyPolicy"}),
    "change request": frozenset(),
}
"""The words below each resource that are endpoints, in any version from 21 on."""

MAX_NUMBER_DIGITS = 9  # Rudder reads the number of a change request as an integer of 32 bits
_INVALID = re.compile(r"[\s/\\?#]")


def check_object_id(argument: str, value: Any, resource: Resource = "rule") -> str:
    """Return the id of an object, if Rudder reads it as the id of that object.

    :param argument: name of the argument
    :param value: the id
    :param resource: what it is the id of
    :raises ValueError: for anything that `check_id` rejects, for blanks, slashes, "?", "#", "..", "index" and words
        that are endpoints
    """
    text = check_id(argument, value)
    if _INVALID.search(text) or text in {".", "..", "index"} or text in WORDS_BY_RESOURCE[resource]:
        raise ValueError(f"{argument} must be the id of a {resource}; Rudder reads {text!r} as something else")
    return text


def check_change_request_id(argument: str, value: Any) -> str:
    """Return the number of a change request as text.

    :param argument: name of the argument
    :param value: a whole number above 0, also as text
    :raises ValueError: for anything else
    """
    text = check_id(argument, value)
    if not (text.isascii() and text.isdecimal() and int(text[:MAX_NUMBER_DIGITS]) and len(text) <= MAX_NUMBER_DIGITS):
        raise ValueError(f"{argument} must be the number of a change request, not {value!r}")
    return text


def check_optional_text(argument: str, value: Any) -> str | None:
    """Return a text, or None if there is none.

    :param argument: name of the argument
    :param value: a text or None
    :raises ValueError: for anything else
    """
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{argument} must be a text, not {value!r}")
    return value
