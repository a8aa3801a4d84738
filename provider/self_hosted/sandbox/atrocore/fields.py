"""Fields of entities as the server's metadata describes them, and the attributes of records that follow from them.

A field has one or more attributes: a link ``brand`` has ``brandId`` and ``brandName``, for example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from self_hosted.sandbox.atrocore.versions import FIRST, Version

TEXT_TYPES = frozenset({"varchar", "text", "wysiwyg", "enum", "url", "email", "color", "extensibleEnum", "id"})
LIST_TYPES = frozenset({"multiEnum", "array", "extensibleMultiEnum", "ids"})
COMPUTED_TYPES = frozenset({"name", "names", "paths"})
"""Types of attributes that the server computes when it reads a record."""


@dataclass(frozen=True)
class Field:
    """A field of an entity.

    :param type: type in the metadata
    :param params: further parameters in the metadata, such as ``required``
    :param since: the first core version that has the field
    :param until: the first core version that no longer has the field
    :param label: name in messages
    """

    name: str
    type: str
    params: Mapping[str, Any] = field(default_factory=dict)
    since: Version = FIRST
    until: Version | None = None
    label: str = ""

    @property
    def description(self) -> dict[str, Any]:
        """The field in the metadata."""
        return {"type": self.type, **self.params}

    def attributes(self, target: str) -> Iterator[Attribute]:
        """Yield the attributes.

        :param target: entity that the field links to
        """
        label = self.label or split_name(self.name)
        for suffix, attribute_type in _SUFFIXES.get(self.type, (("", self.type),)):
            yield Attribute(f"{self.name}{suffix}", self.name, attribute_type, self.params, label, target)


_LINK = (("Id", "id"), ("Name", "name"))
_SUFFIXES = {
    "link": _LINK,
    "file": (*_LINK, ("PathsData", "paths")),
    "linkMultiple": (("Ids", "ids"), ("Names", "names")),
}


@dataclass(frozen=True)
class Attribute:
    """An attribute of records.

    :param field: name of its field
    :param type: type of its field, or "id", "ids", or one of `COMPUTED_TYPES`
    :param params: parameters of its field
    :param target: entity of the records that the attribute names
    """

    name: str
    field: str
    type: str
    params: Mapping[str, Any]
    label: str
    target: str = ""

    @property
    def is_computed(self) -> bool:
        """Whether the server computes the value when it reads a record."""
        return self.type in COMPUTED_TYPES

    @property
    def is_writable(self) -> bool:
        """Whether a request may set the value. The metadata call file fields read-only, which they are not."""
        return not self.is_computed and (not self.params.get("readOnly") or self.field in {"mainImage", "id"})

    @property
    def default(self) -> Any:
        """The value of new records."""
        return self.params.get("default")

    @property
    def is_required(self) -> bool:
        """Whether each record must have a value."""
        return bool(self.params.get("required"))

    @property
    def options(self) -> list[str]:
        """The allowed values; empty if all are."""
        return list(self.params.get("options") or ())


def make_field(
    name: str,
    kind: str,
    shared: Mapping[str, Any] | None = None,
    *,
    since: Version = FIRST,
    until: Version | None = None,
    label: str = "",
    **params: Any,
) -> Field:
    """Return a field.

    :param kind: type in the metadata
    :param shared: further parameters in the metadata that several fields have
    :param params: those that only this field has
    """
    return Field(name, kind, {**(shared or {}), **params}, since, until, label)


def split_name(name: str) -> str:
    """Return a name in camel case as words: ``productStatus`` is "Product Status"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:1].upper() + name[1:])


def get_language_suffix(language: str) -> str:
    """Return the suffix of the fields of a language: ``de_DE`` has ``nameDeDe``."""
    return "".join(part[:1].upper() + part[1:].lower() for part in language.split("_"))
