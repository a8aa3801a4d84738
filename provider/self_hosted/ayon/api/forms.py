"""The forms of AYON's names and ids, and of keys made of them. AYON answers what has another form with HTTP 500."""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9_]{1,55}")  # longer ones are cut in the database, where they meet others
ID = re.compile(r"[0-9a-f]{32}")
STATUS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ \-]*[A-Za-z0-9_]")
RIGHT_NAME = "1 to 55 letters, digits and underscores"
RIGHT_ID = "32 hexadecimal digits in small letters, without dashes"


def check_form(argument: str, given: object, form: re.Pattern[str], right: str) -> None:
    """Refuse what has not the form it needs.

    :param argument: what is checked, for the error
    :param given: its value
    :param form: what it must match
    :param right: the same in words
    :raises ValueError: naming the argument and what would be right
    """
    if not isinstance(given, str) or not form.fullmatch(given):
        raise ValueError(f"{argument} must be {right}, not {given!r}")


def check_project(given: object) -> None:
    """Refuse what is no name of a project, with `ValueError`."""
    check_form("project", given, NAME, RIGHT_NAME)


def check_id(argument: str, given: object) -> None:
    """Refuse what is no id.

    :param argument: what is checked, for the error
    :param given: its value
    :raises ValueError: naming the argument and what would be right
    """
    check_form(argument, given, ID, RIGHT_ID)


def key_of(*parts: str) -> str:
    """Several parts as one key, such as "film/task/<id>"; neither names nor ids nor statuses hold a slash."""
    return "/".join(parts)


def parts_of(key: str) -> list[str]:
    """What `key_of` made the key of."""
    return key.split("/")
