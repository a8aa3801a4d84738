"""The entities of a server: their fields and attributes, by core version, languages and fields that an admin added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from self_hosted.sandbox.atrocore.definitions.all_entities import DEFINITIONS
from self_hosted.sandbox.atrocore.definitions.definition import Definition, View
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.fields import Attribute, Field, get_language_suffix, make_field, split_name
from self_hosted.sandbox.atrocore.versions import V2, V2_3, Version, is_in_range

CustomFields = Mapping[str, Mapping[str, dict[str, Any]]]
"""Fields that an admin added: metadata by entity and field."""


@dataclass(frozen=True)
class Entity:
    """An entity of one server.

    :param fields: by name, in the order of the metadata
    """

    name: str
    core: Version
    definition: Definition
    fields: Mapping[str, Field]

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        """The attributes of records by name, without ``id`` and ``deleted``."""
        found = (attribute for one in self.fields.values() for attribute in one.attributes(self._find_target(one)))
        return {attribute.name: attribute for attribute in found}

    @cached_property
    def writable(self) -> dict[str, Attribute]:
        """The attributes that a request may set, by name."""
        return {name: attribute for name, attribute in self.attributes.items() if attribute.is_writable}

    @cached_property
    def columns(self) -> frozenset[str]:
        """Names of the attributes that lists can filter and select."""
        return frozenset({"id", "deleted", *self.attributes})

    @cached_property
    def required(self) -> list[Attribute]:
        """The attributes that each record needs."""
        return [attribute for attribute in self.writable.values() if attribute.is_required]

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Values of new records, without those that are null."""
        return {name: one.default for name, one in self.attributes.items() if one.default is not None}

    @cached_property
    def view(self) -> View:
        """What responses contain."""
        views = (view for view in self.definition.views if is_in_range(self.core, view.since, view.until))
        return next(views, View())

    @cached_property
    def unique(self) -> list[tuple[str, ...]]:
        """Groups of attributes whose values no two records share."""
        flagged = [(name,) for name, one in self.attributes.items() if one.params.get("unique")]
        return [*flagged, *self.definition.unique]

    @property
    def links(self) -> Mapping[str, Mapping[str, Any]]:
        """Relations to other entities in the metadata, by name."""
        named = {name: {"type": "belongsTo", "entity": self._find_target(one)} for name, one in self._links()}
        return {**named, **self.definition.links}

    def _links(self) -> Iterator[tuple[str, Field]]:
        return ((name, one) for name, one in self.fields.items() if one.type in {"link", "file"})

    def _find_target(self, one: Field) -> str:
        if one.params.get("unitIdField"):
            return "Unit"
        default = "File" if one.type == "file" else split_name(one.name).replace(" ", "")
        target: str = self.definition.links.get(one.name, {}).get("entity", default)
        return target


class Schema:
    """The entities of one server.

    :param languages: additional content languages, such as ``de_DE``
    :param custom_fields: fields that an admin added, or changed; an empty description removes the field
    """

    def __init__(self, core: Version, languages: Sequence[str] = (), custom_fields: CustomFields | None = None) -> None:
        self.core, self.languages, self.custom_fields = core, languages, custom_fields or {}
        self._entities: dict[str, Entity] = {}

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """The definitions of all entities of the core version."""
        ranges = ((name, one) for name, one in DEFINITIONS.items() if is_in_range(self.core, one.since, one.until))
        return dict(ranges)

    def entity(self, name: str) -> Entity:
        """Return an entity.

        :raises ApiError: if the server does not have it
        """
        if name not in self.definitions:
            raise ApiError(404)
        if name not in self._entities:
            definition = self.definitions[name]
            fields = {one.name: one for one in self._build_fields(name, definition)}
            self._entities[name] = Entity(name, self.core, definition, fields)
        return self._entities[name]

    def entities(self) -> list[Entity]:
        """Return all entities."""
        return [self.entity(name) for name in self.definitions]

    def _build_fields(self, entity: str, definition: Definition) -> Iterator[Field]:
        fields = {one.name: one for one in definition.fields if is_in_range(self.core, one.since, one.until)}
        for name, description in self.custom_fields.get(entity, {}).items():
            params = dict(description)
            fields[name] = make_field(name, params.pop("type", ""), params)
        for one in fields.values():
            if not one.type:
                continue
            yield from self._translate(one)
            if measure := one.params.get("measureId"):
                yield _build_unit_field(one.name, measure, self.core)

    def _translate(self, one: Field) -> Iterator[Field]:
        if not (one.params.get("isMultilang") and self.languages):
            yield one
            return
        names = {language: f"{one.name}{get_language_suffix(language)}" for language in self.languages}
        label = one.label or split_name(one.name)
        yield make_field(one.name, one.type, {**one.params, "lingualFields": list(names.values())}, label=label)
        for language, name in names.items():
            params = {
                **one.params,
                "isMultilang": False,
                "hideParams": ["isMultilang"],
                "multilangField": one.name,
                "multilangLocale": language,
                "isCustom": False,
                **({"required": False} if self.core >= V2 else {}),
            }
            yield make_field(name, one.type, params, label=f"{label} / {language}")


def _build_unit_field(main_field: str, measure: str, core: Version) -> Field:
    view = {} if core >= V2_3 else {"view": "views/fields/unit-link"}
    params = {**view, "measureId": measure, "unitIdField": True, "mainField": main_field, "emHidden": True}
    return make_field(f"{main_field}Unit", "link", params)
