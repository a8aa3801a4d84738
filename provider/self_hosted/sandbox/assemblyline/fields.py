"""The fields of each index, as the real server describes them; what metadata and tags add comes with the documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from self_hosted.sandbox.assemblyline.indexes import FIELDS

NUMBERS = {"integer", "long", "float"}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


class Field(NamedTuple):
    """One field of an index.

    :param kind: keyword, text, date, integer, ...
    :param many: whether it holds a list
    :param stored: whether a search answers with it, unless it is told which fields to answer with
    :param default: whether words without a field are looked for in it
    """

    kind: str
    many: bool = False
    stored: bool = False
    default: bool = False

    def described(self) -> dict[str, Any]:
        """As the server describes it."""
        return {
            "default": self.default,
            "indexed": True,
            "list": self.many,
            "stored": self.stored,
            "type": self.kind,
        }


@lru_cache
def known_fields(index: str) -> Mapping[str, Field]:
    """The fields that an index is made with, by name.

    :param index: its name
    """
    return {
        name.strip("*+~"): Field(kind, many="*" in name, stored="+" in name, default="~" in name)
        for kind, names in FIELDS.get(index, {}).items()
        for name in names.split()
    }


def fields_of(index: str, documents: Iterable[Mapping[str, Any]] = ()) -> Mapping[str, Field]:
    """All fields of an index by name, with those that its documents have besides.

    :param index: its name
    :param documents: what is in it
    """
    known = known_fields(index)
    found: dict[str, Field] = {}
    for document in documents:
        for name, value in _leaves(document):
            if name not in known and name not in found:
                found[name] = Field(_kind(name, value), default=name.startswith("metadata."))
    return {**known, **found}


def values(document: Mapping[str, Any], field: str) -> Iterator[Any]:
    """What a document has under a dotted name, for each member of lists; metadata keys may hold dots themselves.

    :param document: a document, or a part of one
    :param field: the name
    """
    name, _, rest = field.partition(".")
    value = document.get(field, document.get(name))
    if field in document or not rest:
        yield from value if isinstance(value, list) else [] if value is None else [value]
        return
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, Mapping):
            yield from values(part, rest)


def picked(document: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those fields of a document that are named and have a value.

    :param document: a document, or a part of one
    :param names: dotted names
    """
    found: dict[str, Any] = {}
    for name in names:
        top, _, rest = name.partition(".")
        value = document.get(name, document.get(top))
        if rest and name not in document and isinstance(value, list):
            parts = [picked(part, [rest]) for part in value if isinstance(part, Mapping)]
            earlier = found.get(top, [{} for _ in parts])
            found[top] = [{**old, **new} for old, new in zip(earlier, parts, strict=True)]
        elif rest and name not in document and isinstance(value, Mapping):
            _merge(found.setdefault(top, {}), picked(value, [rest]))
        elif value is not None and (not rest or name in document):
            found[name] = value
    return {name: value for name, value in found.items() if value != {}}


def _merge(found: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(found.get(name), dict) and isinstance(value, dict):
            _merge(found[name], value)
        else:
            found[name] = value


def _leaves(document: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                yield from _leaves(one, f"{start}{name}.")
            elif one is not None:
                yield f"{start}{name}", one


def _kind(name: str, value: Any) -> str:
    if name.startswith("metadata."):
        return "wildcard"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "float"
    return "date" if DATE.fullmatch(str(value)) else "keyword"
