"""Arguments of operators, sensors, triggers and connections, as DAG authors write them and as templates render them.

A template renders every value as text, and a missing result as "None". Each function takes the argument's name and its
value, and returns the value in its own type. A `ValueError` names the argument, shows the value and says what is valid.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

MISSING_RESULT = "None"  # a template renders a missing XCom as this text
MAX_ID_CHARACTERS = 512
MAX_SHOWN_CHARACTERS = 80  # of an invalid value in an error
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
TIMEDELTA = re.compile(r"(?:(-?\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)", re.ASCII)
"""The text of a timedelta, as a template renders it."""
SHARES = {"any": 0.0, "never": 1.0}
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def is_set(value: Any) -> bool:
    """Whether an optional argument has a value: None has none, and neither has the "" of an empty template.

    :param value: of the argument
    """
    return bool(value) if isinstance(value, str) else value is not None


def parse_optional(argument: str, value: Any, parse: Callable[[str, Any], T]) -> T | None:
    """Return the parsed value, or None if the argument is not set: None, "" or a missing result ("None").

    :param argument: name of the argument
    :param value: of the argument
    :param parse: parses a value that is set, such as `parse_bool`
    :raises ValueError: see the function
    """
    return None if _is_missing(value) else parse(argument, value)


def _is_missing(value: Any) -> bool:
    return value.strip() in {"", MISSING_RESULT} if isinstance(value, str) else value is None


def parse_bool(argument: str, value: Any) -> bool:
    """Return a boolean.

    :param argument: name of the argument
    :param value: a boolean, or true/false, yes/no, on/off, 1/0 as text in any case
    :raises ValueError: for anything else
    """
    text = str(value).strip().lower()
    if text not in BOOLEANS:
        raise ValueError(f"{argument} must be true or false, not {value!r}")
    return BOOLEANS[text]


def parse_int(argument: str, value: Any, minimum: int = 1, maximum: int | None = None) -> int:
    """Return a whole number.

    :param argument: name of the argument
    :param value: an integer, or its digits as text
    :param minimum: the smallest valid number
    :param maximum: the largest valid number; None = no limit
    :raises ValueError: for anything else
    """
    digits = not isinstance(value, bool) and re.fullmatch(r"-?\d+", str(value).strip(), re.ASCII)
    if not digits or int(value) < minimum or (maximum is not None and int(value) > maximum):
        valid = f"{minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
        raise ValueError(f"{argument} must be a whole number, {valid}, not {value!r}")
    return int(value)


def parse_float(argument: str, value: Any, above: float = 0, maximum: float | None = None) -> float:
    """Return a number.

    :param argument: name of the argument
    :param value: a number, or its digits as text
    :param above: the number must be greater than this
    :param maximum: the largest valid number; None = no limit
    :raises ValueError: for anything else
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > above and (maximum is None or number <= maximum)):
        limit = "" if maximum is None else f" and at most {maximum:g}"
        raise ValueError(f"{argument} must be a number above {above:g}{limit}, not {value!r}")
    return number


def parse_share(argument: str, value: Any) -> float:
    """Return the share of failed items above which a task fails.

    :param argument: name of the argument
    :param value: "any", "never", or the share itself, from 0 to 1
    :raises ValueError: for anything else
    """
    try:
        share = parse_float(argument, SHARES.get(str(value), value), above=-math.inf, maximum=1)
    except ValueError:
        share = -1
    if share < 0:
        raise ValueError(f"{argument} must be 'any', 'never' or a share from 0 to 1, not {value!r}")
    return share


def parse_seconds(argument: str, value: Any, minimum: float = 0) -> float:
    """Return a time span in seconds.

    :param argument: name of the argument
    :param value: a number of seconds, its digits as text, or a timedelta, also as the text that a template renders
    :param minimum: the shortest valid time, in seconds
    :raises ValueError: for anything else
    """
    try:
        delta = _parse_timedelta(value)
        number = parse_float(argument, value, above=-math.inf) if delta is None else delta.total_seconds()
    except (ValueError, OverflowError):
        number = math.nan
    if not number >= minimum:
        raise ValueError(f"{argument} must be a number of seconds, {minimum:g} or more, not {value!r}")
    return number


def _parse_timedelta(value: Any) -> timedelta | None:
    found = TIMEDELTA.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return value if isinstance(value, timedelta) else None
    days, hours, minutes, seconds = found.groups()
    return timedelta(days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def parse_text(argument: str, value: Any) -> str:
    """Return a text, which may be empty.

    With ``render_template_as_native_obj``, Airflow reads a rendered text as Python source: ``12345`` becomes a number.
    Whole numbers and booleans become the text again. Other numbers are invalid, because 1.10 would become 1.1.

    :param argument: name of the argument
    :param value: a text, a whole number or a boolean
    :raises ValueError: for anything else
    """
    if isinstance(value, str | int):
        return str(value)
    hint = "; if a template renders it, add quotes around it" if isinstance(value, float | list | dict) else ""
    raise ValueError(f"{argument} must be a text, not {_shorten(value)}{hint}")


def parse_optional_text(argument: str, value: Any) -> str | None:
    """Return a text, or None if the argument is not set: None, "" or a missing result ("None").

    :param argument: name of the argument
    :param value: see `parse_text`
    :raises ValueError: see `parse_text`
    """
    return parse_optional(argument, value, parse_text)


def parse_choice(argument: str, value: Any, options: Collection[str]) -> str:
    """Return one of several words.

    :param argument: name of the argument
    :param value: the word
    :param options: the valid words
    :raises ValueError: for anything else
    """
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{argument} must be one of {', '.join(options)}, not {value!r}")
    return value


def check_id(argument: str, value: Any) -> str:
    """Return an id as it is, for hooks and flows, which receive it from code.

    :param argument: name of the argument
    :param value: text without surrounding blanks, or a whole number
    :raises ValueError: for an empty text, a missing result ("None"), control characters, surrounding blanks, more than
        512 characters, and anything else
    """
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if len(text) > MAX_ID_CHARACTERS:
        raise ValueError(f"{argument} must be an id of at most {MAX_ID_CHARACTERS} characters, not of {len(text)}")
    if text in {"", MISSING_RESULT} or text != text.strip() or CONTROL_CHARACTER.search(text):
        raise ValueError(f"{argument} must be an id, not {value!r}")
    return text


def check_ids(argument: str, values: Any, check: Callable[[str, Any], str] = check_id) -> list[str]:
    """Return ids as they are, for hooks and flows; the list may be empty.

    :param argument: name of the argument
    :param values: the ids
    :param check: checks one of them
    :raises ValueError: for anything but a list of ids; a text would be read letter by letter
    """
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise ValueError(f"{argument} must be a list of ids, not {type(values).__name__}")
    return [check(argument, value) for value in values]


def parse_id(argument: str, value: Any, label: str) -> str:
    """Return an id that a DAG's author or a template gave.

    :param argument: name of the argument
    :param value: text, or a whole number; surrounding blanks are removed
    :param label: noun with its article, such as "a submission"
    :raises ValueError: see `check_id`
    """
    try:
        return check_id(argument, value.strip() if isinstance(value, str) else value)
    except ValueError:
        raise ValueError(f"{argument} must be the id of {label}, not {_shorten(value)}") from None


def parse_id_list(argument: str, value: Any, label: str) -> list[str]:
    """Return a list of ids, which may be empty. An empty element is a missing result, so it is invalid.

    :param argument: name of the argument
    :param value: see `parse_list`
    :param label: noun with its article, such as "a submission"
    :raises ValueError: see `check_id`
    """
    values = parse_list(value)
    if not isinstance(values, list):
        raise ValueError(f"{argument} must be a list of ids of {label}, not {_shorten(value)}")
    return [parse_id(argument, each, label) for each in values]


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"


def to_plain(value: Any) -> Any:
    """Return a timestamp as text, as a template renders it, too, and a set as a list; any other value unchanged.

    :param value: an argument that is stored as JSON
    """
    if isinstance(value, Set):
        return sorted(value, key=str)
    return value.isoformat() if isinstance(value, datetime) else value


def parse_list(value: Any) -> Any:
    """Return a list for one value or several; a template renders a list as JSON or as Python source.

    :param value: a text, a sequence or a set; None and "" are an empty list; anything else is returned unchanged
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        return _parse_literal(value, default=[value])
    if isinstance(value, str):
        return [value] if value else []
    # the results of mapped tasks are a sequence, but no list
    is_list = isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray)
    return [*value] if is_list else [] if value is None else value


def parse_str_list(argument: str, value: Any) -> list[str]:
    """Return a list of texts; empty ones are left out.

    :param argument: name of the argument
    :param value: see `parse_list`; whole numbers count as texts, see `parse_text`
    :raises ValueError: if an item is not a text, or is a missing result ("None")
    """
    texts = [value] if _is_text(value) and not isinstance(value, str) else parse_list(value)
    if not isinstance(texts, list) or not all(map(_is_text, texts)):
        raise ValueError(f"{argument} must be a text or a list of texts, not {value!r}")
    return [text for text in map(str, texts) if text]


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != MISSING_RESULT


def parse_object_list(argument: str, value: Any) -> list[dict[str, Any]]:
    """Return a list of objects.

    :param argument: name of the argument
    :param value: see `parse_list`; one mapping, also as text, is a list of one
    :raises ValueError: if an item is not a mapping, or cannot be sent as JSON
    """
    is_object_text = isinstance(value, str) and value.lstrip().startswith("{")
    parsed = _parse_literal(value, default=value) if is_object_text else value
    objects = [parsed] if isinstance(parsed, Mapping) else parse_list(parsed)
    if not isinstance(objects, list) or not all(isinstance(item, Mapping) for item in objects):
        raise ValueError(f"{argument} must be a list of objects, not {value!r}")
    require_json(argument, objects)
    return [dict(item) for item in objects]


def parse_object(argument: str, value: Any) -> dict[str, Any]:
    """Return an object; None, "" and a missing result ("None") are an empty one.

    No error shows its values: they may hold a password.

    :param argument: name of the argument
    :param value: a mapping, or a JSON object or Python dictionary as text
    :raises ValueError: for anything else, and for values that cannot be sent as JSON
    """
    if _is_missing(value):
        return {}
    parsed = _parse_literal(value, default=value) if isinstance(value, str) else value
    if not isinstance(parsed, Mapping):
        raise ValueError(f"{argument} must be a dictionary, not {type(value).__name__}")
    require_json(argument, parsed)
    return dict(parsed)


def parse_json(argument: str, value: Any) -> Any:
    """Return a value that can be sent as JSON, or None if it is not set: None, "" or a missing result ("None").

    :param argument: name of the argument
    :param value: any; the text of a list or an object, in JSON or in Python source, is read
    :raises ValueError: if it cannot be sent as JSON
    """
    is_source = isinstance(value, str) and value.lstrip().startswith(("{", "["))
    parsed = (
        _parse_literal(value, default=value) if is_source else parse_optional(argument, value, lambda _, any_: any_)
    )
    require_json(argument, parsed)
    return parsed


def _parse_literal(text: str, default: Any) -> Any:
    """Return the value of a text in JSON or in Python source, such as the text of a dictionary."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # all that `literal_eval` may raise
            continue
    return default


def require_json(argument: str, value: Any) -> None:
    """Check that a value can be sent as JSON. The error does not show it: it may hold a password.

    :param argument: name of the argument
    :param value: any
    :raises ValueError: if it cannot
    """
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{argument} must consist of plain JSON values: {error}") from None


def require_not_blank(argument: str, value: Any) -> None:
    """Check that a list or object is not an empty text, which a template renders for a missing value.

    For arguments that replace a whole field: the empty text would clear the field.

    :param argument: name of the argument
    :param value: any
    :raises ValueError: for an empty text
    """
    if isinstance(value, str) and not value.strip():
        raise ValueError(f"{argument} must not be an empty text; give an empty list or object to clear it")


def require_confirm(value: Any, consequence: str) -> None:
    """Check that the author of a DAG has confirmed a destructive action.

    :param value: of the argument ``confirm``
    :param consequence: what cannot be undone, as a sentence without a full stop
    :raises ValueError: unless it is true
    """
    if not parse_bool("confirm", value):
        raise ValueError(f"confirm must be true: {consequence}")


def require_one_of(arguments: Mapping[str, Any]) -> str:
    """Return the name of the only argument that is set.

    :param arguments: name and value of each; None is not set. Beside one that is set, neither is a missing result
    :raises ValueError: if none or several are set
    """
    given = [name for name, value in arguments.items() if value is not None]
    # of missing results only, the parser of the argument says which one is missing
    names = [name for name in given if not _is_missing(arguments[name])] or given
    if len(names) != 1:
        raise ValueError(f"give exactly one of {', '.join(arguments)}, not {', '.join(names) or 'none'}")
    return names[0]
