"""The query language: Lucene's, as Elasticsearch reads it, without fuzziness, nearness and weights.

AND and OR have no precedence in it: AND makes the clauses on both of its sides mandatory, and where any are, those
between ORs need not hold. ``a OR b AND c`` finds what has b and c. Whoever means something else writes parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from self_hosted.sandbox.assemblyline.comparing import TESTS, WILD, Unparsable, comparable, unescaped
from self_hosted.sandbox.assemblyline.fields import Field, values

Test = Callable[[Mapping[str, Any]], bool]

TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<open>\() | (?P<close>\))
  | (?P<and>(?:AND(?=[\s(]|$)|&&)) | (?P<or>(?:OR(?=[\s(]|$)|\|\|)) | (?P<not>(?:NOT(?=[\s(]|$)|!|-)) | (?P<must>\+)
  | (?P<range>[\[{]\s*(?:"[^"]*"|[^\s\]}]+)\s+TO\s+(?:"[^"]*"|[^\s\]}]+)\s*[\]}])
  | (?P<phrase>"(?:[^"\\]|\\.)*")
  | (?P<regex>/(?:[^/\\]|\\.)+/)
  | (?P<limit>[<>]=?(?:"[^"]*"|(?:[^\s+\-!():^\[\]"{}~*?\\/<>=]|\\.)(?:[^\s!():^\[\]"{}~*?\\/]|\\.)*))
  | (?P<field>(?:[\w.]|\\.)(?:[\w.\-]|\\.)*:)
  | (?P<term>\*:\*|(?:[^\s+\-!():^\[\]"{}~\\/<>=]|\\.)(?:[^\s!():^\[\]"{}~\\/]|\\.)*)
    """,
    re.VERBOSE,
)


class _Token(NamedTuple):
    kind: str
    text: str


class _Clause(NamedTuple):
    occurs: str  # must, should or not
    test: Test


def compiled(query: str, fields: Mapping[str, Field]) -> Test:
    """Whether a document is what a query looks for; made once for all documents.

    :param query: Lucene
    :param fields: the fields of the index
    :raises Unparsable: when it is none
    """
    return _Parser(query, fields).parsed()


class _Parser:
    def __init__(self, query: str, fields: Mapping[str, Field]) -> None:
        self.fields, self.tokens = fields, _tokens(query)

    def parsed(self) -> Test:
        test = self.clauses(None)
        if self.tokens:
            raise Unparsable
        return test

    def clauses(self, field: str | None) -> Test:
        found: list[_Clause] = []
        while self.tokens and self.tokens[0].kind != "close":
            both = self.took("and")
            if (both or self.took("or")) and not found:
                raise Unparsable
            if both and found[-1].occurs == "should":
                found[-1] = _Clause("must", found[-1].test)
            sign = self.took("not") or self.took("must")
            occurs = sign.kind if sign else "must" if both else "should"
            found.append(_Clause(occurs, self.clause(field)))
        if not found:
            raise Unparsable
        return _joined(found)

    def clause(self, field: str | None) -> Test:
        named = self.took("field")
        if named:
            field = unescaped(named.text[:-1])
        if not self.tokens:
            raise Unparsable
        token = self.tokens.pop(0)
        if token.kind == "open":
            test = self.clauses(field)
            if not self.took("close"):
                raise Unparsable
            return test
        if token.kind not in TESTS:
            raise Unparsable
        return self.tested(field, token)

    def tested(self, field: str | None, token: _Token) -> Test:
        if field == "_exists_":
            return lambda document: any(True for _ in values(document, token.text))
        if field is None and token.text in {"*", "*:*"}:
            return lambda document: True
        if field is None:
            return self.anywhere(token)
        kind = self.kind_of(field)
        if token.kind in {"term", "phrase"} and kind != "text" and not WILD.search(token.text):
            text = token.text[1:-1] if token.kind == "phrase" else token.text
            return _Equal(field, kind, frozenset({comparable(unescaped(text), kind)}))
        fit = TESTS[token.kind](token.text, kind)
        return lambda document: any(fit(value) for value in values(document, field))

    def anywhere(self, token: _Token) -> Test:
        """What is looked for without a field: in those fields that are meant for it, and in the metadata."""
        names = [name for name, known in self.fields.items() if known.default]
        fits = [(name, TESTS[token.kind](token.text, self.kind_of(name))) for name in names]
        told = TESTS[token.kind](token.text, "keyword")

        def test(document: Mapping[str, Any]) -> bool:
            if any(fit(value) for name, fit in fits for value in values(document, name)):
                return True
            return any(told(value) for value in document.get("metadata", {}).values())

        return test

    def kind_of(self, field: str) -> str:
        return self.fields[field].kind if field in self.fields else "keyword"

    def took(self, kind: str) -> _Token | None:
        return self.tokens.pop(0) if self.tokens and self.tokens[0].kind == kind else None


def _tokens(query: str) -> list[_Token]:
    found, position = [], 0
    while position < len(query):
        match = TOKEN.match(query, position)
        if not match or not match.lastgroup:
            raise Unparsable
        position = match.end()
        if match.lastgroup != "blank":
            found.append(_Token(match.lastgroup, match.group()))
    return found


@dataclass(frozen=True)
class _Equal:
    """Whether a field has one of some values, of which there may be hundreds."""

    field: str
    kind: str
    wanted: frozenset[Any]

    def __call__(self, document: Mapping[str, Any]) -> bool:
        return any(comparable(value, self.kind) in self.wanted for value in values(document, self.field))


def _joined(clauses: list[_Clause]) -> Test:
    equal = [one.test for one in clauses if one.occurs == "should" and isinstance(one.test, _Equal)]
    if len(equal) == len(clauses) and len({(one.field, one.kind) for one in equal}) == 1:
        return replace(equal[0], wanted=frozenset().union(*(one.wanted for one in equal)))
    must, should, never = ([one.test for one in clauses if one.occurs == kind] for kind in ("must", "should", "not"))

    def test(document: Mapping[str, Any]) -> bool:
        if any(one(document) for one in never) or not all(one(document) for one in must):
            return False
        return bool(must) or not should or any(one(document) for one in should)

    return test
