"""The description of an entity of all core versions, and of what responses contain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from self_hosted.sandbox.atrocore.fields import Field
from self_hosted.sandbox.atrocore.versions import FIRST, Version


@dataclass(frozen=True)
class View:
    """What responses contain beyond the attributes that have a value.

    :param created: attributes that the response to a create always contains
    :param created_constants: the same, with fixed values
    :param read_constants: additional values of a record that is read
    :param hidden: attributes that no response contains
    :param not_updated: attributes that the response to an update lacks
    :param listed: attributes that lists contain in addition to the selected ones
    """

    since: Version = FIRST
    until: Version | None = None
    created: tuple[str, ...] = ("modifiedByName",)
    created_constants: Mapping[str, Any] = field(default_factory=dict)
    read_constants: Mapping[str, Any] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    not_updated: tuple[str, ...] = ()
    listed: tuple[str, ...] = ("createdById",)


@dataclass(frozen=True)
class Definition:
    """An entity of all core versions.

    :param fields: a field that changed has several entries
    :param links: relations to other entities in the metadata, by name
    :param scope: the entity in the metadata
    :param unique: groups of attributes whose values no two records share; `Field.params` has single ones
    :param views: by core version
    """

    fields: Sequence[Field]
    links: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=lambda: {"type": "Base", "entity": True})
    since: Version = FIRST
    until: Version | None = None
    unique: Sequence[tuple[str, ...]] = ()
    views: Sequence[View] = ()
