"""Filters of lists (``where``), limited to the types of conditions that AtroCore knows.

AtroCore ignores a condition of an unknown type and returns *all* records, so types are checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlencode

from self_hosted.atrocore.api.identifiers import check_field

Condition = dict[str, Any]

ALTERED_IN_JSON = re.compile(r'["\\{}]')
"""Characters that servers replace in a filter before they read it as JSON; what is no JSON then matches all records."""

GROUPS = frozenset({"and", "or", "not"})
TYPES = GROUPS.union(
    ["equals", "notEquals", "greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals", "between"],
    ["in", "notIn", "isNull", "isNotNull", "isTrue", "isFalse"],
    ["like", "notLike", "startsWith", "endsWith", "contains", "notContains", "textFilter", "similar", "wordSimilar"],
    ["linkedWith", "notLinkedWith", "isLinked", "isNotLinked"],
    ["arrayAnyOf", "arrayNoneOf", "arrayIsEmpty", "arrayIsNotEmpty"],
    ["bool", "primary", "savedSearch"],
    ["today", "past", "future", "on", "notOn", "before", "after", "ever"],
    ["lastSevenDays", "lastXDays", "nextXDays", "olderThanXDays", "afterXDays", "currentMonth", "lastMonth"],
    ["nextMonth", "currentQuarter", "lastQuarter", "currentYear", "lastYear"],
)


def check_conditions(argument: str, conditions: Any) -> None:
    """Check conditions.

    :param argument: name of the argument
    :param conditions: see `build_query`
    :raises ValueError: see `build_query`
    """
    if not isinstance(conditions, list | tuple):
        raise ValueError(f"{argument} must be a list of conditions, not one {type(conditions).__name__}")
    for condition in conditions:
        _check_condition(argument, condition)


def build_query(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Return conditions as query parameters.

    :param conditions: such as ``[{"type": "in", "attribute": "number", "value": ["W-1", "W-2"]}]``; all must be met
    :raises ValueError: for a type that AtroCore does not know, and a value of None, such as a missing result
    """
    check_conditions("where", conditions)
    # with brackets, which servers of all versions read
    return {
        f"where{name}": value
        for index, condition in enumerate(conditions)
        for name, value in _flatten(condition, f"[{index}]")
    }


def build_short_query(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Return conditions as query parameters like `build_query`, as JSON if possible, which is a third as long.

    `Dialect.translate` converts it for servers that do not read JSON.

    :param conditions: see `build_query`
    :raises ValueError: see `build_query`
    """
    in_brackets = build_query(conditions)
    if any(ALTERED_IN_JSON.search(text) for value in in_brackets.values() for text in _texts(value)):
        return in_brackets
    compact = json.dumps(list(conditions), ensure_ascii=False, separators=(",", ":"))
    return {"where": compact} if conditions else {}


def expand_query(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return query parameters with conditions in brackets instead of JSON.

    :param query: such as that of `build_short_query`, with other parameters
    """
    others = {name: value for name, value in query.items() if name != "where"}
    return {**build_query(json.loads(query["where"])), **others} if "where" in query else others


def split_any_of(conditions: Iterable[Condition], max_length: int) -> Iterator[list[Condition]]:
    """Yield as few filters as possible that together match all records that meet at least one condition.

    :param conditions: see `build_query`
    :param max_length: how many characters of a URL a filter may take
    """
    batch: list[Condition] = []
    for condition in conditions:
        if batch and len(urlencode(build_query(_join_with_or([*batch, condition])), doseq=True)) > max_length:
            yield _join_with_or(batch)
            batch = []
        batch.append(condition)
    if batch:
        yield _join_with_or(batch)


def _texts(value: Any) -> Iterator[str]:
    yield from map(str, value if isinstance(value, list) else [value])


def _join_with_or(conditions: list[Condition]) -> list[Condition]:
    return [{"type": "or", "value": conditions}]


def _check_condition(argument: str, condition: Any) -> None:
    condition_type = condition.get("type") if isinstance(condition, dict) else condition
    if not isinstance(condition_type, str) or not isinstance(condition, dict) or condition_type not in TYPES:
        similar = ", ".join(get_close_matches(str(condition_type)[:80], sorted(TYPES), cutoff=0))
        raise ValueError(f"{argument}: {condition_type!r} is not a type of condition; similar types are {similar}")
    if "attribute" in condition:
        check_field(f"the attribute in {argument}", condition["attribute"])
    value = condition.get("value", "")
    # None would be left out of the URL, and a condition without a value may match all records
    if value is None or (isinstance(value, list) and None in value):
        raise ValueError(
            f"{argument}: the value of {condition_type!r} is None; use 'isNull' to find fields without a value"
        )
    if condition_type in GROUPS:
        if not isinstance(value, list):
            raise ValueError(f"{argument}: the value of {condition_type!r} must be a list of conditions")
        for part in value:
            _check_condition(argument, part)


def _flatten(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flatten(part, f"{name}[{key}]")
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for index, part in enumerate(value):
            yield from _flatten(part, f"{name}[{index}]")
    elif isinstance(value, list):
        yield f"{name}[]", value
    else:
        yield name, value
