"""The fields and links of an entity, from the server's metadata.

All dialects describe them there completely. The OpenAPI document does not: before 2.3, it calls numbers strings, and
lacks fields that can be written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api.identifiers import check_entity
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.redact import clean_text
from self_hosted.core.http.shape import JsonObject, check_shape

PhpObject = dict[str, JsonObject] | list[Any]
"""PHP writes an empty object as an empty list."""
Definition = Mapping[str, Any]
"""The parameters of a field or link, such as ``type``, ``required`` and ``readOnly``."""


class EntityDefinition(TypedDict):
    """The definition of an entity."""

    fields: NotRequired[PhpObject]
    links: NotRequired[PhpObject]


class _Metadata(TypedDict):
    entityDefs: dict[str, Any]


@dataclass(frozen=True)
class Metadata:
    """The definition of one entity.

    :param entity: its name
    :param fields: its fields by name
    :param links: its relations by name
    :param clean: makes a text of the server fit for messages
    :param entities: the definitions of all entities by name
    """

    entity: str
    fields: Mapping[str, Definition] = field(default_factory=dict)
    links: Mapping[str, Definition] = field(default_factory=dict)
    clean: Callable[[str], str] = clean_text
    entities: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def fields_of(self, entity: str) -> Mapping[str, Definition]:
        """Return the fields of any entity; none if the server does not have it.

        :param entity: such as "Unit"
        """
        defined = self.entities.get(entity)
        fields = defined.get("fields") if isinstance(defined, dict) else None
        found = fields if isinstance(fields, dict) else {}
        return {name: definition for name, definition in found.items() if isinstance(definition, dict)}


def get(entity: str) -> Flow[Metadata]:
    """Return the definition of an entity (``GET /api/metadata``, a response of several hundred KiB).

    :param entity: such as "Product"
    :raises ValueError: if the server does not have the entity
    """
    check_entity(entity)
    reply = yield Request("GET", "/api/metadata")
    entities = check_shape(reply, reply.json(), _Metadata)["entityDefs"]
    if entity not in entities:
        similar = ", ".join(get_close_matches(entity, sorted(entities), cutoff=0))
        raise ValueError(f"entity: the server has no {entity!r}; similar entities are {reply.clean(similar)}")
    found = check_shape(reply, entities[entity], EntityDefinition, f"entityDefs.{entity}")
    fields, links = _to_mapping(found.get("fields", {})), _to_mapping(found.get("links", {}))
    return Metadata(entity, fields, links, reply.clean, entities)


def _to_mapping(value: PhpObject) -> Mapping[str, Definition]:
    return value if isinstance(value, dict) else {}
