"""Compilation of Lucene queries to predicates, as Elasticsearch evaluates them.

AND and OR have no precedence: AND makes the clauses on both sides mandatory, and if there are mandatory clauses, those
between ORs are optional. ``a OR b AND c`` matches documents with b and c. Parentheses group clauses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from luqum.tree import AndOperation, BaseGroup, BaseOperation, Item, Not, Plus, Prohibit, SearchField, Word

from self_hosted.sandbox.assemblyline.search.documents import get_values
from self_hosted.sandbox.assemblyline.search.fields import Field
from self_hosted.sandbox.assemblyline.search.matchers import build_matcher, is_exact
from self_hosted.sandbox.assemblyline.search.syntax import flatten, get_text, parse_query, unescape
from self_hosted.sandbox.assemblyline.search.values import QueryError, convert_value

Predicate = Callable[[Mapping[str, Any]], bool]
MUST, SHOULD, MUST_NOT = "must", "should", "must_not"


class Clause(NamedTuple):
    """A clause of a boolean query in the terms of Elasticsearch: must, should or must_not."""

    occurrence: str
    predicate: Predicate


@dataclass(frozen=True)
class HasValue:
    """The predicate for a field with one of several values, of which there may be hundreds."""

    field: str
    field_type: str
    expected: frozenset[Any]

    def __call__(self, document: Mapping[str, Any]) -> bool:
        """Return whether a document has one of the values."""
        return any(convert_value(value, self.field_type) in self.expected for value in get_values(document, self.field))


def compile_query(query: str, fields: Mapping[str, Field]) -> Predicate:
    """Return a function that returns whether a document matches.

    :param query: Lucene query
    :param fields: fields of the index, by name
    :raises QueryError: for a syntax error or an unsupported feature
    """
    return _Compiler(fields).compile(parse_query(query))


class _Compiler:
    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields

    def compile(self, node: Item, field: str | None = None) -> Predicate:
        """Return the predicate of a node; terms in it search the field unless they name another one."""
        if isinstance(node, BaseOperation | Not | Plus | Prohibit):
            return self.compile_clauses(node, field)
        if isinstance(node, BaseGroup):
            return self.compile(node.expr, field)
        if isinstance(node, SearchField):
            return self.compile_field(node)
        if field == "_exists_":
            name = get_text(node)
            return lambda document: any(True for _ in get_values(document, name))
        if field is None:
            return self.compile_default(node)
        return self.compile_term(node, field)

    def compile_field(self, node: SearchField) -> Predicate:
        # Lucene reports a syntax error for a:b:c and a:-1
        if isinstance(node.expr, SearchField | Not | Plus | Prohibit):
            raise QueryError
        return self.compile(node.expr, None if node.name == "*" else unescape(node.name))

    def compile_clauses(self, node: Item, field: str | None) -> Predicate:
        clauses: list[Clause] = []
        for operation, operand in flatten(node):
            is_and = operation is AndOperation
            if is_and and clauses[-1].occurrence == SHOULD:
                clauses[-1] = clauses[-1]._replace(occurrence=MUST)
            predicate = self.compile(operand.a if isinstance(operand, Not | Plus | Prohibit) else operand, field)
            clauses.append(Clause(_get_occurrence(operand, is_and=is_and), predicate))
        return _combine(clauses)

    def compile_default(self, node: Item) -> Predicate:
        """Return the predicate of a term without a field: it searches the default fields and the metadata."""
        if isinstance(node, Word) and node.value == "*":
            return lambda document: True
        names = [name for name, field in self.fields.items() if field.is_default]
        matchers = [(name, build_matcher(node, self.get_type(name))) for name in names]
        match_metadata = build_matcher(node, "keyword")

        def matches(document: Mapping[str, Any]) -> bool:
            if any(match(value) for name, match in matchers for value in get_values(document, name)):
                return True
            return any(match_metadata(value) for value in document.get("metadata", {}).values())

        return matches

    def compile_term(self, node: Item, field: str) -> Predicate:
        field_type = self.get_type(field)
        if is_exact(node, field_type):
            return HasValue(field, field_type, frozenset({convert_value(unescape(get_text(node)), field_type)}))
        match = build_matcher(node, field_type)
        return lambda document: any(match(value) for value in get_values(document, field))

    def get_type(self, field: str) -> str:
        return self.fields[field].type if field in self.fields else "keyword"


def _get_occurrence(operand: Item, *, is_and: bool) -> str:
    if isinstance(operand, Not | Prohibit):
        return MUST_NOT
    return MUST if is_and or isinstance(operand, Plus) else SHOULD


def _combine(clauses: list[Clause]) -> Predicate:
    exact = [clause.predicate for clause in clauses if isinstance(clause.predicate, HasValue)]
    is_union = len(exact) == len(clauses) and all(clause.occurrence == SHOULD for clause in clauses)
    if is_union and len({(predicate.field, predicate.field_type) for predicate in exact}) == 1:
        return replace(exact[0], expected=frozenset().union(*(predicate.expected for predicate in exact)))
    must, should, must_not = (
        [clause.predicate for clause in clauses if clause.occurrence == occurrence]
        for occurrence in (MUST, SHOULD, MUST_NOT)
    )

    def matches(document: Mapping[str, Any]) -> bool:
        if any(predicate(document) for predicate in must_not) or not all(predicate(document) for predicate in must):
            return False
        return bool(must) or not should or any(predicate(document) for predicate in should)

    return matches
