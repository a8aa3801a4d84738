"""Texts of cells: how other values are written as text, and what a field's text may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from self_hosted.core.arguments import MAX_ID_CHARACTERS, MISSING_RESULT
from self_hosted.core.http.logs import shorten
from self_hosted.core.sync.numbers import normalize

if TYPE_CHECKING:
    from self_hosted.core.sync.target import Field

MAX_LISTED_OPTIONS = 10
MAX_MATCHED_CHARACTERS = 300
MAX_REPETITIONS = 2
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_REPETITION = re.compile(r"[*+]|\{\d*,\d*\}", re.ASCII)
_ANYTHING = re.compile(r"\[\\s\\S\]\*\??")  # around a pattern that is searched for

# a server would cut the text at NUL; lone surrogates cannot be encoded
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FORBIDDEN_IN_KEY = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def to_text(cell: Any) -> str:
    """Return the text that stands for a cell: of whole numbers the digits without ".0", of booleans true or false.

    :param cell: a text, a number or a boolean
    :raises ValueError: for NaN, infinity, lists and objects
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int | float):
        return str(normalize(cell))
    if isinstance(cell, Decimal):
        whole = normalize(cell)
        return str(whole) if isinstance(whole, int) and whole == cell else f"{cell:f}"
    raise ValueError(f"is not a text; {'a list' if isinstance(cell, list) else 'an object'} cannot be stored there")


def show(cell: Any) -> str:
    """Return a cell as messages show it, in short; of a Decimal its digits.

    :param cell: JSON, or a Decimal
    """
    return shorten(str(cell) if isinstance(cell, Decimal) else repr(cell))


def check_text(field: Field, text: str) -> str:
    """Return a text that the field can hold.

    :param field: the field
    :param text: the text
    :raises ValueError: for control characters, a text that is too long, or one that does not match the pattern
    """
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(f"has a control character; remove U+{ord(found[0]):04X} at position {found.start() + 1}")
    if field.max_length is not None and len(text) > field.max_length:
        raise ValueError(f"has more than {field.max_length} characters; it has {len(text)}")
    if field.pattern and not _matches(field.pattern, text):
        raise ValueError(f"does not match the pattern {field.pattern}")
    return text


def check_key(cell: Any) -> str:
    """Return a key. Blanks around it are part of it, as products store them.

    :param cell: a text or a whole number
    :raises ValueError: for anything else, control characters, and more than 512 characters
    """
    if cell is None or isinstance(cell, bool | list | dict) or str(cell).strip() in {"", MISSING_RESULT}:
        raise ValueError("is not a key; give every row a text or a whole number")
    text = to_text(cell)
    found = _FORBIDDEN_IN_KEY.search(text)
    if found:
        raise ValueError(f"has a control character; remove U+{ord(found[0]):04X} at position {found.start() + 1}")
    if len(text) > MAX_ID_CHARACTERS:
        raise ValueError(f"has more than {MAX_ID_CHARACTERS} characters; it has {len(text)}")
    return text


def find_option(options: Mapping[str, str], text: str) -> str:
    """Return the value of an option, by its exact spelling, else by one that differs in case and blanks around it.

    :param options: spellings and their values; empty = any value
    :param text: the spelling
    :raises ValueError: if there is no such option, or several
    """
    if not options or text in options:
        return options.get(text, text)
    folded = text.strip().casefold()
    values = {value for spelling, value in options.items() if spelling.casefold() == folded}
    if len(values) > 1:
        raise ValueError(f"is ambiguous; write it exactly as one of {_list(sorted(values))}")
    if not values:
        raise ValueError(f"is not an option; {_suggest(options, text.strip())}")
    return values.pop()


def _suggest(options: Mapping[str, str], text: str) -> str:
    near = get_close_matches(text, options, n=3)
    if near:
        return f"similar: {_list(near)}"
    more = f" and {len(options) - MAX_LISTED_OPTIONS} more" if len(options) > MAX_LISTED_OPTIONS else ""
    return f"valid: {_list(list(options)[:MAX_LISTED_OPTIONS])}{more}"


def _list(values: list[str]) -> str:
    return ", ".join(map(repr, values))


def _matches(pattern: str, text: str) -> bool:
    if len(text) > MAX_MATCHED_CHARACTERS:
        return True  # the server checks it
    compiled = _compile(pattern)
    return compiled is None or bool(compiled.fullmatch(text))


@lru_cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern of the server; None if the server has to check it.

    It may be in another dialect of regular expressions, or take for ever: a repeated group can, and many repetitions.
    """
    if _REPEATED_GROUP.search(pattern) or len(_REPETITION.findall(_ANYTHING.sub("", pattern))) > MAX_REPETITIONS:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
