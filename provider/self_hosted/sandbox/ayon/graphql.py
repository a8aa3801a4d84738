"""As much of GraphQL as clients of AYON write: one query, with aliases, arguments and variables.

A thing that is asked about is a mapping: from the names of its fields to values, or to functions of the arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

TOKEN = re.compile(r'[{}()\[\]:$!=]|"[^"]*"|-?[0-9.]+|\w+')
WORDS = {"true": True, "false": False, "null": None}


class GraphqlError(Exception):
    """Why there is no answer.

    :param message: in words
    :param status: as HTTP would have it, where the server says so
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class Field(NamedTuple):
    """Something that is asked for.

    :param alias: under which name it is answered
    :param name: what it is
    :param arguments: by name, variables filled in
    :param fields: what is asked about it; nothing for a plain value
    """

    alias: str
    name: str
    arguments: dict[str, Any]
    fields: list[Field]


class Reader:
    """Reads a query.

    :param query: its text
    :param variables: their values
    """

    def __init__(self, query: str, variables: Mapping[str, Any]) -> None:
        self.tokens = TOKEN.findall(query)[::-1]
        self.variables = variables

    def fields(self) -> list[Field]:
        """What the query asks for."""
        while self.tokens and self.tokens[-1] != "{":  # its name and the declarations of variables say nothing new
            self.tokens.pop()
        return self._fields()

    def _fields(self) -> list[Field]:
        return list(self._until("{", "}", self._field))

    def _field(self) -> Field:
        alias = name = self.tokens.pop()
        if self._next == ":":
            self.tokens.pop()
            name = self.tokens.pop()
        arguments = dict(self._until("(", ")", self._argument)) if self._next == "(" else {}
        return Field(alias, name, arguments, self._fields() if self._next == "{" else [])

    def _argument(self) -> tuple[str, Any]:
        name, _ = self.tokens.pop(), self.tokens.pop()
        return name, self._value()

    def _value(self) -> Any:
        if self._next == "[":
            return list(self._until("[", "]", self._value))
        token = self.tokens.pop()
        if token == "$":  # noqa: S105 no secret
            return self.variables.get(self.tokens.pop())
        if token.startswith('"'):
            return token[1:-1]
        return WORDS[token] if token in WORDS else int(token)

    @property
    def _next(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def _until(self, start: str, end: str, read: Any) -> Iterator[Any]:
        if not self.tokens or self.tokens.pop() != start:
            raise GraphqlError(f"Syntax Error: Expected '{start}'.")
        while self._next != end:
            yield read()
        self.tokens.pop()


def answer(query: str, variables: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the answer, an error included.

    :param query: its text
    :param variables: their values
    :param root: what can be asked for
    """
    try:
        return {"data": _selected(Reader(query, variables).fields(), root)}
    except GraphqlError as error:
        extensions = {"extensions": {"status": error.status}} if error.status else {}
        return {"data": None, "errors": [{"message": error.message, **extensions}]}
    except (IndexError, ValueError):
        return {"data": None, "errors": [{"message": "Syntax Error: Unexpected <EOF>."}]}


def _selected(fields: Iterable[Field], thing: Any) -> Any:
    if isinstance(thing, list):
        return [_selected(fields, one) for one in thing]
    found = {}
    for field in fields:
        if field.name not in thing:
            raise GraphqlError(f"Cannot query field '{field.name}'.")
        value = thing[field.name]
        value = value(**field.arguments) if callable(value) else value
        found[field.alias] = _selected(field.fields, value) if field.fields else value
    return found


def connection(nodes: list[dict[str, Any]], first: int | None, last: int | None = None) -> dict[str, Any]:
    """A page of a list: the first so many, or the last so many, newest first; a hundred unless told.

    :param nodes: all there are, oldest first
    :param first: how many
    :param last: how many
    """
    shown = nodes[::-1][:last] if last else nodes[: first or 100]
    return {"edges": [{"node": node} for node in shown]}
