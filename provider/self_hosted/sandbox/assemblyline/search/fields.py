"""Types of fields: those that the real server defines, and those that metadata and tags add."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from self_hosted.sandbox.assemblyline.search.indexes import FIELDS

NUMBER_TYPES = {"integer", "long", "float"}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


class Field(NamedTuple):
    """A field of an index.

    :param type: keyword, text, date, integer, ...
    :param is_list: whether its value is a list
    :param is_stored: whether search results contain it by default
    :param is_default: whether terms without a field search it
    """

    type: str
    is_list: bool = False
    is_stored: bool = False
    is_default: bool = False

    def describe(self) -> dict[str, Any]:
        """Return the description as the API returns it."""
        return {
            "default": self.is_default,
            "indexed": True,
            "list": self.is_list,
            "stored": self.is_stored,
            "type": self.type,
        }


@lru_cache
def get_defined_fields(index: str) -> Mapping[str, Field]:
    """Return the fields that the real server defines, by name.

    :param index: name of the index
    """
    return {
        name.strip("*+~"): Field(type_, is_list="*" in name, is_stored="+" in name, is_default="~" in name)
        for type_, names in FIELDS.get(index, {}).items()
        for name in names.split()
    }


def collect_fields(index: str, documents: Iterable[Mapping[str, Any]] = ()) -> Mapping[str, Field]:
    """Return the defined fields and those that only documents have, by name.

    :param index: name of the index
    :param documents: documents of the index
    """
    defined = get_defined_fields(index)
    added: dict[str, Field] = {}
    for document in documents:
        for name, value in _iterate_leaves(document):
            if name not in defined and name not in added:
                added[name] = Field(_guess_type(name, value), is_default=name.startswith("metadata."))
    return {**defined, **added}


def _iterate_leaves(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from _iterate_leaves(item, f"{prefix}{name}.")
            elif item is not None:
                yield f"{prefix}{name}", item


def _guess_type(name: str, value: Any) -> str:
    if name.startswith("metadata."):
        return "wildcard"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "float"
    return "date" if DATE.fullmatch(str(value)) else "keyword"
