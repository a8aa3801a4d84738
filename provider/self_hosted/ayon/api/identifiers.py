"""Names and ids in the form that AYON requires. AYON answers HTTP 500 to most others."""

from __future__ import annotations

import re
from typing import Any

from self_hosted.core.arguments import MAX_SHOWN_CHARACTERS, MISSING_RESULT, parse_id, parse_text

PROJECT_NAME = re.compile(r"[A-Za-z0-9_]{1,55}")  # the database truncates longer ones, so that they may collide
ENTITY_ID = re.compile(r"[0-9a-f]{32}")
USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]*[A-Za-z0-9]")
STATUS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ \-]*[A-Za-z0-9_]")
PROJECT_NAME_RULE = "1 to 55 letters, digits and underscores"
ENTITY_ID_RULE = "32 hexadecimal digits in lower case, without dashes"
STATUS_RULE = "names of letters, digits, spaces, _ and -"


def require_match(argument: str, value: Any, pattern: re.Pattern[str], rule: str) -> str:
    """Return a text that matches a pattern.

    :param argument: name of the argument
    :param value: the text
    :param pattern: must match all of it
    :param rule: the pattern in words, for the error
    :raises ValueError: for a missing result ("None"), and anything else
    """
    if isinstance(value, str) and value.strip() == MISSING_RESULT:
        raise ValueError(
            f"{argument} is 'None', which a template renders for a missing result: check the upstream task"
        )
    if not isinstance(value, str) or not pattern.fullmatch(value):
        shown = repr(value)
        shown = shown if len(shown) <= MAX_SHOWN_CHARACTERS else f"{shown[:MAX_SHOWN_CHARACTERS]}…"
        raise ValueError(f"{argument} must be {rule}, not {shown}")
    return value


def parse_project_name(argument: str, value: Any) -> str:
    """Return the name of a project.

    :param argument: name of the argument
    :param value: the name, as text or, if it consists of digits, as a number
    :raises ValueError: for anything else
    """
    return require_match(argument, parse_text(argument, value), PROJECT_NAME, PROJECT_NAME_RULE)


def parse_entity_id(argument: str, value: Any, label: str) -> str:
    """Return the id of an entity, event or activity.

    :param argument: name of the argument
    :param value: the id; surrounding spaces are removed
    :param label: noun with its article, such as "an event"
    :raises ValueError: for anything else
    """
    return require_match(argument, parse_id(argument, value, label), ENTITY_ID, ENTITY_ID_RULE)
