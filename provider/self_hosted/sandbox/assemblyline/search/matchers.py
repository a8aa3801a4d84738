"""Comparison of the values of a field with a part of a query."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from luqum.tree import From, Item, Phrase, Range, Regex, To, Word

from self_hosted.sandbox.assemblyline.search.syntax import get_limit, get_text, unescape
from self_hosted.sandbox.assemblyline.search.values import (
    QueryError,
    convert_value,
    list_searchable_texts,
    split_words,
)

WILDCARD = re.compile(r"(?<!\\)[*?]")
PATTERN_PART = re.compile(r"\\.|.", re.DOTALL)
WILDCARD_PATTERNS = {"*": ".*", "?": "."}
Matcher = Callable[[Any], bool]


def build_matcher(node: Item, field_type: str) -> Matcher:
    """Return a function that returns whether a value matches.

    :param node: term, phrase, range, limit or regular expression
    :param field_type: type of the field
    :raises QueryError: for another kind of node, such as a fuzzy term, which the fake server does not support
    """
    build = BUILDERS.get(type(node))
    if build is None:
        raise QueryError
    return build(node, field_type)


def is_exact(node: Item, field_type: str) -> bool:
    """Return whether a node matches exactly one value of a field.

    :param node: a node
    :param field_type: type of the field
    """
    return isinstance(node, Word | Phrase) and field_type != "text" and not WILDCARD.search(str(node))


def _match_word(node: Item, field_type: str) -> Matcher:
    text = get_text(node)
    if text == "*":
        return lambda value: True
    if WILDCARD.search(text):
        parts = PATTERN_PART.findall(text)
        return _match_pattern("".join(WILDCARD_PATTERNS.get(part, re.escape(part[-1])) for part in parts), field_type)
    return _match_equal(unescape(text), field_type)


def _match_phrase(node: Item, field_type: str) -> Matcher:
    return _match_equal(unescape(get_text(node)), field_type)


def _match_regex(node: Item, field_type: str) -> Matcher:
    return _match_pattern(str(node).strip()[1:-1], field_type)


def _match_pattern(pattern: str, field_type: str) -> Matcher:
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except re.error:
        raise QueryError from None
    return lambda value: any(compiled.fullmatch(text) for text in list_searchable_texts(value, field_type))


def _match_range(node: Item, field_type: str) -> Matcher:
    low = _match_limit(node.low, field_type, operator.ge if node.include_low else operator.gt)
    high = _match_limit(node.high, field_type, operator.le if node.include_high else operator.lt)
    return lambda value: low(value) and high(value)


def _match_from(node: Item, field_type: str) -> Matcher:
    get_text(node.a)
    return _match_limit(node.a, field_type, operator.ge if node.include else operator.gt)


def _match_to(node: Item, field_type: str) -> Matcher:
    get_text(node.a)
    return _match_limit(node.a, field_type, operator.le if node.include else operator.lt)


def _match_limit(node: Item, field_type: str, compare: Callable[[Any, Any], bool]) -> Matcher:
    text = get_limit(node)
    if text == "*":
        return lambda value: True
    limit = convert_value(text, field_type)
    return lambda value: compare(convert_value(value, field_type), limit)


def _match_equal(text: str, field_type: str) -> Matcher:
    if field_type == "text":
        return lambda value: _contains(split_words(value), split_words(text))
    expected = convert_value(text, field_type)
    return lambda value: convert_value(value, field_type) == expected


def _contains(words: list[str], phrase: list[str]) -> bool:
    return any(words[start : start + len(phrase)] == phrase for start in range(len(words)))


BUILDERS: dict[type[Item], Callable[[Item, str], Matcher]] = {
    Word: _match_word,
    Phrase: _match_phrase,
    Regex: _match_regex,
    Range: _match_range,
    From: _match_from,
    To: _match_to,
}
