"""The filter of lists, as conditions that AtroCore is sure to understand.

It drops a condition whose type it does not know and answers with *all* records, so types are checked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

Condition = dict[str, Any]

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


def where_query(conditions: Sequence[Condition]) -> dict[str, Any]:
    """Conditions as query parameters.

    :param conditions: such as ``[{"type": "in", "attribute": "number", "value": ["W-1", "W-2"]}]``, all to be met
    :raises ValueError: for a type that AtroCore does not know
    """
    for condition in conditions:
        _check(condition)
    # brackets, which servers of all ages read
    return {
        f"where{name}": value
        for index, condition in enumerate(conditions)
        for name, value in _flat(condition, f"[{index}]")
    }


def any_of(conditions: Iterable[Condition], longest: int) -> Iterator[list[Condition]]:
    """Filters that together let pass what meets any of the conditions, as few as possible.

    :param conditions: such as those of `where_query`
    :param longest: how many characters of a URL a filter may take
    """
    portion: list[Condition] = []
    for condition in conditions:
        if portion and len(urlencode(where_query(_or([*portion, condition])), doseq=True)) > longest:
            yield _or(portion)
            portion = []
        portion.append(condition)
    if portion:
        yield _or(portion)


def _or(conditions: list[Condition]) -> list[Condition]:
    return [{"type": "or", "value": conditions}]


def _check(condition: Condition) -> None:
    kind = condition.get("type")
    if kind not in TYPES:
        known = ", ".join(sorted(TYPES))
        raise ValueError(f"where: {kind!r} is no type of condition that AtroCore knows; known are {known}")
    if kind in GROUPS:
        for part in condition["value"]:
            _check(part)


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{name}[{key}]")
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for index, part in enumerate(value):
            yield from _flat(part, f"{name}[{index}]")
    elif isinstance(value, list):
        yield f"{name}[]", value
    else:
        yield name, value
