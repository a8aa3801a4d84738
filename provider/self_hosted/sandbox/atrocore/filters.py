"""The filters of lists. AtroCore ignores unknown conditions and fails on unknown fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container
from typing import Any

from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.state import Record

Predicate = Callable[[Record], bool]

CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda stored, value: to_text(stored) == to_text(value),
    "notEquals": lambda stored, value: to_text(stored) != to_text(value),
    "in": lambda stored, value: to_text(stored) in value,
    "notIn": lambda stored, value: to_text(stored) not in value,
    "isNull": lambda stored, _: stored is None,
    "isNotNull": lambda stored, _: stored is not None,
    "isTrue": lambda stored, _: bool(stored),
    "isFalse": lambda stored, _: not stored,
    "greaterThan": lambda stored, value: stored is not None and _sort_key(stored) > _sort_key(value),
    "lessThan": lambda stored, value: stored is not None and _sort_key(stored) < _sort_key(value),
    "like": lambda stored, value: _is_like(to_text(stored), value),
}


def parse_conditions(query: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the conditions of a query string, in brackets or as JSON in ``where``."""
    conditions: dict[str, Any] = {}
    for name, value in query:
        if name == "where":
            return json.loads(value)  # type: ignore[no-any-return]
        if name.startswith("where["):
            _set_nested(conditions, re.findall(r"\[([^\]]*)\]", name), value)
    return list(conditions.values())


def build_matcher(conditions: list[dict[str, Any]], fields: Container[str]) -> Predicate:
    """Return a predicate for records that meet all conditions.

    :param fields: names of the entity's fields
    :raises ApiError: if a condition names another field
    """
    predicates = _build_predicates(conditions, fields)
    return lambda record: all(predicate(record) for predicate in predicates)


def find_key_condition(conditions: list[dict[str, Any]]) -> tuple[str, list[Any]] | None:
    """Return field and values of the first condition that an index can look up, or None.

    :param conditions: see `build_matcher`
    """
    for condition in conditions:
        if condition.get("type") == "equals":
            return condition["attribute"], [condition.get("value")]
        if condition.get("type") == "in":
            return condition["attribute"], _to_list(condition.get("value"))
    return None


def _build_predicates(conditions: list[dict[str, Any]], fields: Container[str]) -> list[Predicate]:
    return [predicate for condition in conditions if (predicate := _build_predicate(condition, fields))]


def _build_predicate(condition: dict[str, Any], fields: Container[str]) -> Predicate | None:
    kind, attribute, value = condition.get("type"), condition.get("attribute", ""), condition.get("value")
    if kind in {"and", "or", "not"}:
        return _build_group(str(kind), value, fields)
    if kind not in CONDITIONS:
        return None
    if attribute not in fields:
        raise ApiError(500, f"SQLSTATE[42703]: Undefined column: 7 ERROR: column t1.{attribute} does not exist; SELECT")
    check, expected = CONDITIONS[kind], value
    if kind in {"in", "notIn"}:
        expected = frozenset(map(to_text, _to_list(value)))
    return lambda record: check(record.get(attribute), expected)


def _build_group(kind: str, value: Any, fields: Container[str]) -> Predicate:
    predicates = _build_predicates(_to_list(value), fields)
    if kind == "or":
        return lambda record: any(predicate(record) for predicate in predicates)
    if kind == "not":
        return lambda record: not any(predicate(record) for predicate in predicates)
    return lambda record: all(predicate(record) for predicate in predicates)


def _set_nested(target: dict[str, Any], path: list[str], value: str) -> None:
    name = path[0] or str(len(target))
    if len(path) == 1:
        target[name] = value
    else:
        _set_nested(target.setdefault(name, {}), path[1:], value)


def _to_list(value: Any) -> list[Any]:
    if isinstance(value, dict):  # from brackets: PHP arrays have keys
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _is_like(text: str, pattern: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace("%", ".*"), text, re.IGNORECASE | re.DOTALL))


def _sort_key(value: Any) -> tuple[int, Any]:
    """Return a key that sorts numbers before text."""
    try:
        return (0, float(value))
    except ValueError:
        return (1, str(value))
