"""The filters of lists. AtroCore ignores unknown conditions.

Cores before 2.3 find nothing by an unknown field, and ignore ``not``. Newer ones fail on an unknown field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from self_hosted.sandbox.atrocore.conditions import Condition, normalize, to_list
from self_hosted.sandbox.atrocore.errors import DatabaseError
from self_hosted.sandbox.atrocore.fields import LIST_TYPES, TEXT_TYPES
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State

Predicate = Callable[[Record], bool]
Check = Callable[[Any, Any], bool]

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "greaterThan": lambda stored, value: stored > value,
    "greaterThanOrEquals": lambda stored, value: stored >= value,
    "lessThan": lambda stored, value: stored < value,
    "lessThanOrEquals": lambda stored, value: stored <= value,
    "after": lambda stored, value: stored > value,
    "before": lambda stored, value: stored < value,
}
TESTS: dict[str, Callable[[Any], bool]] = {
    "isNull": lambda stored: stored is None,
    "isNotNull": lambda stored: stored is not None,
    "isTrue": bool,
    "isFalse": lambda stored: not stored,
    "arrayIsEmpty": lambda stored: not stored,
    "arrayIsNotEmpty": bool,
}
PATTERNS: dict[str, Callable[[str], str]] = {
    "like": lambda value: value,
    "notLike": lambda value: value,
    "startsWith": lambda value: f"{value}%",
    "endsWith": lambda value: f"%{value}",
    "contains": lambda value: f"%{value}%",
    "notContains": lambda value: f"%{value}%",
}
LINK_TESTS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "linkedWith": lambda linked, wanted: not linked.isdisjoint(wanted),
    "notLinkedWith": lambda linked, wanted: linked.isdisjoint(wanted),
    "isLinked": lambda linked, _: bool(linked),
    "isNotLinked": lambda linked, _: not linked,
}
ARRAY_TESTS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "arrayAnyOf": LINK_TESTS["linkedWith"],
    "arrayNoneOf": LINK_TESTS["notLinkedWith"],
}


def build_matcher(state: State, entity: str, conditions: list[Condition]) -> Predicate:
    """Return a predicate for records that meet all conditions.

    :param conditions: as `parse_conditions` returns them
    :raises ApiError: if a condition names an unknown field, or compares a number with letters
    """
    builder = _Builder(state, state.schema.entity(entity))
    predicates = builder.build_all(conditions)
    return lambda record: all(predicate(record) for predicate in predicates)


class _Builder:
    """Builds the predicates for one entity."""

    def __init__(self, state: State, schema: Entity) -> None:
        self.state, self.schema = state, schema

    def build_all(self, conditions: list[Condition]) -> list[Predicate]:
        return [predicate for condition in conditions if (predicate := self._build(condition))]

    def _build(self, condition: Condition) -> Predicate | None:
        kind, value = str(condition.get("type")), condition.get("value")
        if kind in {"and", "or", "not"}:
            return self._build_group(kind, normalize(value))
        if kind in LINK_TESTS:
            return self._build_link_test(kind, str(condition.get("attribute")), value)
        build = next((build for kinds, build in _BUILDERS if kind in kinds), None)
        if build is None:
            return None
        attribute = str(condition.get("attribute", ""))
        if attribute not in self.schema.columns:
            return self._reject_unknown(attribute)
        return build(self, kind, attribute, value)

    def _reject_unknown(self, attribute: str) -> Predicate:
        if self.state.is_new:
            reason = f"[42703]: Undefined column: 7 ERROR:  column t1.{attribute} does not exist"
            raise DatabaseError(reason, has_status=True)
        return lambda _: False

    def _build_group(self, kind: str, conditions: list[Condition]) -> Predicate | None:
        predicates = self.build_all(conditions)
        if kind == "or":
            return lambda record: any(predicate(record) for predicate in predicates)
        if kind == "not":
            return (lambda _: False) if self.state.is_new else None
        return lambda record: all(predicate(record) for predicate in predicates)

    def _build_link_test(self, kind: str, link: str, value: Any) -> Predicate | None:
        test, wanted = LINK_TESTS[kind], set(map(str, to_list(value)))
        one, several = f"{link}Id", f"{link}Ids"
        if one in self.schema.attributes:
            return lambda record: test({record[one]} if record.get(one) else set(), wanted)
        if several in self.schema.attributes:
            return lambda record: test(set(record.get(several) or ()), wanted)
        return None

    def _build_equality(self, kind: str, attribute: str, value: Any) -> Predicate | None:
        if kind in {"in", "notIn"} and not value:
            return lambda record: (record.get(attribute) is None) == (kind == "in")
        to_key, is_wanted = self.state.to_key, kind in {"in", "equals"}
        wanted = frozenset(map(to_key, to_list(value) if kind in {"in", "notIn"} else [value]))
        return lambda record: (to_key(record.get(attribute)) in wanted) is is_wanted

    def _build_test(self, kind: str, attribute: str, value: Any) -> Predicate:
        test = TESTS[kind]
        return lambda record: test(record.get(attribute))

    def _build_comparison(self, kind: str, attribute: str, value: Any) -> Predicate:
        if kind == "between":
            low, high = (self._to_comparable(attribute, one) for one in to_list(value)[:2])
            return lambda record: (stored := record.get(attribute)) is not None and low <= stored <= high
        compare, bound = COMPARISONS[kind], self._to_comparable(attribute, value)
        return lambda record: (stored := record.get(attribute)) is not None and compare(stored, bound)

    def _to_comparable(self, attribute: str, value: Any) -> Any:
        kind = self.schema.attributes[attribute].type if attribute in self.schema.attributes else "id"
        if kind not in {"int", "float"}:
            return str(value)
        if not NUMBER.fullmatch(str(value)):
            names = {"float": "double precision", "int": "integer"}
            syntax = f'invalid input syntax for type {names[kind]}: "{value}"'
            reason = f"[22P02]: Invalid text representation: 7 ERROR:  {syntax}"
            raise DatabaseError(reason, has_status=self.state.is_new)
        return float(value)

    def _build_pattern(self, kind: str, attribute: str, value: Any) -> Predicate:
        pattern = re.escape(PATTERNS[kind](str(value))).replace("%", ".*").replace("_", ".")
        matches, is_wanted = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch, not kind.startswith("not")
        return lambda record: (stored := record.get(attribute)) is not None and bool(matches(str(stored))) is is_wanted

    def _build_array_test(self, kind: str, attribute: str, value: Any) -> Predicate:
        test, wanted = ARRAY_TESTS[kind], set(map(str, to_list(value)))
        return lambda record: test(set(map(str, record.get(attribute) or ())), wanted)


_BUILDERS: tuple[tuple[Iterable[str], Callable[[_Builder, str, str, Any], Predicate | None]], ...] = (
    (frozenset({"equals", "notEquals", "in", "notIn"}), _Builder._build_equality),
    (TESTS, _Builder._build_test),
    (frozenset({*COMPARISONS, "between"}), _Builder._build_comparison),
    (PATTERNS, _Builder._build_pattern),
    (ARRAY_TESTS, _Builder._build_array_test),
)


def find_text_attributes(schema: Entity) -> list[str]:
    """Return the names of the attributes that a search for a text reads."""
    names = ("name", "code", "sku", "number", "ean", "mpn", "userName")
    return [
        name for name in names if name in schema.attributes and schema.attributes[name].type in TEXT_TYPES | LIST_TYPES
    ]


def build_search(schema: Entity, text: str) -> Predicate:
    """Return a predicate for records that contain a text."""
    names, wanted = find_text_attributes(schema), text.casefold()
    return lambda record: any(wanted in str(record.get(name) or "").casefold() for name in names)
