"""What operators and sensors are given, as DAG authors write it and as templates give it: checked, so that it fits."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence, Set
from typing import Any

ABSENT = "None"  # what a template makes of a result that is not there


def check_object(argument: str, value: Any) -> None:
    """Validate what is to be a dictionary, or nothing.

    :param argument: what a DAG author calls it
    :param value: its value
    :raises ValueError: naming the argument
    """
    if value is not None and not isinstance(value, dict):
        raise ValueError(f"{argument} must be a dictionary, not {type(value).__name__}")
    check_json(argument, value)


def check_json(argument: str, value: Any) -> None:
    """Validate what is to be sent as JSON. No error shows it: there may be a password in it.

    :param argument: what a DAG author calls it
    :param value: its value
    :raises ValueError: naming the argument
    """
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} must be made of plain JSON values: {error}") from None


def check_id(argument: str, value: Any, thing: str) -> None:
    """Validate what is to be an id.

    :param argument: what a DAG author calls it
    :param value: its value
    :param thing: what it is the id of, such as "a submission"
    :raises ValueError: naming the argument
    """
    if not isinstance(value, str) or value in {"", ABSENT}:
        raise ValueError(f"{argument} must be the id of {thing}, not {value!r}")


def checked_flag(argument: str, value: Any) -> bool:
    """What is to be true or false; also as a template gives it, such as "True".

    :param argument: what a DAG author calls it
    :param value: its value
    :raises ValueError: naming the argument
    """
    words = {"true": True, "false": False}
    if str(value).lower() not in words:
        raise ValueError(f"{argument} must be true or false, not {value!r}")
    return words[str(value).lower()]


def checked_number(argument: str, value: Any, least: int = 1) -> int:
    """What is to be a whole number; also as a template gives it, such as "500".

    :param argument: what a DAG author calls it
    :param value: its value
    :param least: the least that makes sense
    :raises ValueError: naming the argument
    """
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value), re.ASCII) or int(value) < least:
        raise ValueError(f"{argument} must be a whole number, {least} or more, not {value!r}")
    return int(value)


def checked_texts(argument: str, value: Any) -> list[str]:
    """What is to be one text or several, also as a template gives a list; None and "" are none.

    :param argument: what a DAG author calls it
    :param value: a text, or a list of texts
    :raises ValueError: naming the argument
    """
    texts = listed(value)
    if not isinstance(texts, list) or not all(isinstance(one, str) and one != ABSENT for one in texts):
        raise ValueError(f"{argument} must be a text or a list of texts, not {value!r}")
    return [one for one in texts if one]


def listed(value: Any) -> Any:
    """A list of what is one text or several, also as a template gives a list: as JSON, or as Python writes it.

    :param value: a text or a sequence; anything else comes back as it is
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        for read in (json.loads, ast.literal_eval):
            try:
                return read(value)
            except (ValueError, SyntaxError):
                continue
    if isinstance(value, str):
        return [value]
    # the results of mapped tasks are a sequence, but no list
    return [*value] if isinstance(value, Sequence | Set) else value or []
