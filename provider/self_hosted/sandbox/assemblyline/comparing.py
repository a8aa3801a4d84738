"""How the value of a field is compared with a part of a query, by the kind of both."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from self_hosted.sandbox.assemblyline.dates import timestamp
from self_hosted.sandbox.assemblyline.fields import NUMBERS

WILD = re.compile(r"(?<!\\)[*?]")
RANGE = re.compile(r'([\[{])\s*("[^"]*"|\S+)\s+TO\s+("[^"]*"|[^\s\]}]+)\s*([\]}])')


class Unparsable(Exception):
    """This is no query."""


def _like_term(text: str, kind: str) -> Callable[[Any], bool]:
    if text == "*":
        return lambda value: True
    if WILD.search(text):
        pattern = re.compile(_pattern(text), re.DOTALL)
        return lambda value: any(pattern.fullmatch(one) for one in _words_of(value, kind))
    return _equal(unescaped(text), kind)


def _like_phrase(text: str, kind: str) -> Callable[[Any], bool]:
    return _equal(unescaped(text[1:-1]), kind)


def _like_regex(text: str, kind: str) -> Callable[[Any], bool]:
    try:
        pattern = re.compile(text[1:-1])
    except re.error:
        raise Unparsable from None
    return lambda value: any(pattern.fullmatch(one) for one in _words_of(value, kind))


def _within(text: str, kind: str) -> Callable[[Any], bool]:
    found = RANGE.fullmatch(text)
    if not found:
        raise Unparsable
    opens, least, most, closes = found.groups()
    fits = [_above(least, kind, equal=opens == "["), _below(most, kind, equal=closes == "]")]
    return lambda value: all(fit(value) for fit in fits)


def _beyond(text: str, kind: str) -> Callable[[Any], bool]:
    sign, limit = (text[:2], text[2:]) if text[1:2] == "=" else (text[:1], text[1:])
    compare = _above if sign[0] == ">" else _below
    return compare(unescaped(limit), kind, equal="=" in sign)


def _above(limit: str, kind: str, *, equal: bool) -> Callable[[Any], bool]:
    if limit == "*":
        return lambda value: True
    least = comparable(limit.strip('"'), kind)
    return lambda value: comparable(value, kind) > least or (equal and comparable(value, kind) == least)


def _below(limit: str, kind: str, *, equal: bool) -> Callable[[Any], bool]:
    if limit == "*":
        return lambda value: True
    most = comparable(limit.strip('"'), kind)
    return lambda value: comparable(value, kind) < most or (equal and comparable(value, kind) == most)


TESTS: dict[str, Callable[[str, str], Callable[[Any], bool]]] = {
    "term": _like_term,
    "phrase": _like_phrase,
    "regex": _like_regex,
    "range": _within,
    "limit": _beyond,
}


def _equal(text: str, kind: str) -> Callable[[Any], bool]:
    if kind == "text":
        wanted = _words(text)
        return lambda value: any(_words(value)[at:][: len(wanted)] == wanted for at in range(len(_words(value))))
    wanted_value = comparable(text, kind)
    return lambda value: comparable(value, kind) == wanted_value


def comparable(value: Any, kind: str) -> Any:
    """A value of a document or of a query, so that the two compare as Elasticsearch has it.

    :param value: the value
    :param kind: the kind of its field
    :raises Unparsable: when the query has what is none of that kind
    """
    try:
        if kind in NUMBERS:
            return float(value)
        if kind == "date":
            return timestamp(str(value))
    except ValueError:
        raise Unparsable from None
    return str(value).lower() if kind == "boolean" else str(value)


def _words_of(value: Any, kind: str) -> list[str]:
    return [str(value), *_words(value)] if kind == "text" else [str(value)]


def _words(value: Any) -> list[str]:
    return re.findall(r"\w+", str(value).lower())


def _pattern(text: str) -> str:
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    return "".join({"*": ".*", "?": "."}.get(part, re.escape(part[-1])) for part in parts)


def unescaped(text: str) -> str:
    """A part of a query without the backslashes."""
    return re.sub(r"\\(.)", r"\1", text)
