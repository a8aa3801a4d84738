"""The conditions of lists, as requests write them: in brackets, as JSON, or in the form of the query builder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

Condition = dict[str, Any]

BUILDER_OPERATORS = {
    "equal": "equals",
    "not_equal": "notEquals",
    "in": "in",
    "not_in": "notIn",
    "begins_with": "startsWith",
    "ends_with": "endsWith",
    "contains": "contains",
    "less": "lessThan",
    "less_or_equal": "lessThanOrEquals",
    "greater": "greaterThan",
    "greater_or_equal": "greaterThanOrEquals",
    "is_null": "isNull",
    "is_not_null": "isNotNull",
    "linked_with": "linkedWith",
}


def parse_conditions(query: list[tuple[str, str]]) -> list[Condition]:
    """Return the conditions of a query string, in brackets or as JSON in ``where``. Broken JSON has none."""
    conditions: dict[str, Any] = {}
    for name, value in query:
        if name == "where":
            return _parse_json(value)
        if name.startswith("where["):
            _set_nested(conditions, re.findall(r"\[([^\]]*)\]", name), value)
    return normalize(conditions)


def normalize(conditions: Any) -> list[Condition]:
    """Return conditions as a list, with those of the query builder in the usual form."""
    return [_translate(one) for one in to_list(conditions) if isinstance(one, dict)] if conditions else []


def find_keys(conditions: list[Condition]) -> list[tuple[str, list[Any]]] | None:
    """Return fields and values that an index can look up: each record that meets all conditions has one of them.

    :param conditions: see `filters.build_matcher`
    :return: None if all records may meet the conditions
    """
    for condition in conditions:
        if condition.get("type") == "equals":
            return [(condition["attribute"], [condition.get("value")])]
        if condition.get("type") == "in" and condition.get("value"):
            return [(condition["attribute"], to_list(condition.get("value")))]
        if condition.get("type") == "or" and (keys := _find_alternatives(to_list(condition.get("value")))):
            return keys
    return None


def _find_alternatives(conditions: list[Condition]) -> list[tuple[str, list[Any]]] | None:
    found = [find_keys([condition]) for condition in conditions]
    return None if None in found else [key for keys in found if keys for key in keys]


def list_attributes(conditions: Iterable[Condition]) -> set[str]:
    """Return the names of all attributes in conditions."""
    names = set()
    for condition in conditions:
        if condition.get("type") in {"and", "or", "not"}:
            names |= list_attributes(one for one in to_list(condition.get("value")) if isinstance(one, dict))
        elif "attribute" in condition:
            names.add(str(condition["attribute"]))
    return names


def _parse_json(text: str) -> list[Condition]:
    try:
        return normalize(json.loads(text))
    except ValueError:
        return []


def _translate(condition: Condition) -> Condition:
    """Return a condition of the query builder in the usual form; others are returned as they are."""
    if "condition" in condition and "rules" in condition:
        rules = [_translate(rule) for rule in to_list(condition["rules"]) if isinstance(rule, dict)]
        return {"type": str(condition["condition"]).lower(), "value": rules}
    if "id" in condition and "operator" in condition:
        kind = BUILDER_OPERATORS.get(condition["operator"], condition["operator"])
        return {"type": kind, "attribute": condition["id"], "value": condition.get("value")}
    return condition


def _set_nested(target: dict[str, Any], path: list[str], value: str) -> None:
    name = path[0] or str(len(target))
    if len(path) == 1:
        target[name] = value
    else:
        _set_nested(target.setdefault(name, {}), path[1:], value)


def to_list(value: Any) -> list[Any]:
    """Return the values of a condition."""
    if isinstance(value, dict):  # from brackets: PHP arrays have keys
        return list(value.values())
    return value if isinstance(value, list) else [value]
