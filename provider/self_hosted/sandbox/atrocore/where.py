"""A list's filter, with AtroCore's two dangerous habits: what it does not know it drops, or dies of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container
from typing import Any

from self_hosted.sandbox.atrocore.answers import Refused
from self_hosted.sandbox.atrocore.state import Record

Test = Callable[[Record], bool]

TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda stored, value: _text(stored) == _text(value),
    "notEquals": lambda stored, value: _text(stored) != _text(value),
    "in": lambda stored, value: _text(stored) in value,
    "notIn": lambda stored, value: _text(stored) not in value,
    "isNull": lambda stored, _: stored is None,
    "isNotNull": lambda stored, _: stored is not None,
    "isTrue": lambda stored, _: bool(stored),
    "isFalse": lambda stored, _: not stored,
    "greaterThan": lambda stored, value: stored is not None and _number_or_text(stored) > _number_or_text(value),
    "lessThan": lambda stored, value: stored is not None and _number_or_text(stored) < _number_or_text(value),
    "like": lambda stored, value: bool(re.fullmatch(re.escape(value).replace("%", ".*"), _text(stored), re.I | re.S)),
}


def conditions(query: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The filter of a query string, written with brackets or as one JSON text."""
    found: dict[str, Any] = {}
    for name, value in query:
        if name == "where":
            return json.loads(value)  # type: ignore[no-any-return]
        if name.startswith("where["):
            _put(found, re.findall(r"\[([^\]]*)\]", name), value)
    return list(found.values())


def matcher(given: list[dict[str, Any]], known: Container[str]) -> Test:
    """A test for records that meet all conditions.

    :param given: the conditions
    :param known: the entity's fields; another one gives 500
    """
    tests = [test for item in given if (test := _test(item, known))]
    return lambda record: all(test(record) for test in tests)


def _test(item: dict[str, Any], known: Container[str]) -> Test | None:
    kind, attribute, value = item.get("type"), item.get("attribute", ""), item.get("value")
    if kind in {"and", "or", "not"}:
        return _group(str(kind), value, known)
    if kind not in TESTS:
        return None
    if attribute not in known:
        raise Refused(500, f"SQLSTATE[42703]: Undefined column: 7 ERROR: column t1.{attribute} does not exist; SELECT")
    check, wanted = TESTS[kind], frozenset(map(_text, _listed(value))) if kind in {"in", "notIn"} else value
    return lambda record: check(record.get(attribute), wanted)


def _group(kind: str, value: Any, known: Container[str]) -> Test:
    tests = [test for item in _listed(value) if (test := _test(item, known))]
    if kind == "or":
        return lambda record: any(test(record) for test in tests)
    if kind == "not":
        return lambda record: not any(test(record) for test in tests)
    return lambda record: all(test(record) for test in tests)


def _put(place: dict[str, Any], path: list[str], value: str) -> None:
    name = path[0] or str(len(place))
    if len(path) == 1:
        place[name] = value
    else:
        _put(place.setdefault(name, {}), path[1:], value)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict):  # brackets: PHP's arrays have keys
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number_or_text(value: Any) -> Any:
    try:
        return (0, float(value))
    except ValueError:
        return (1, str(value))
