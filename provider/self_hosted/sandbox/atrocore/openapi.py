"""The OpenAPI document, generated from the entities.

Before 2.3 it calls numbers texts, and lacks fields that a request may set: units, parents, files and relations.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.fields import Attribute
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.versions import V2_3
from self_hosted.sandbox.routing import route

OPENAPI_SINCE = (1, 3, 12)
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
JSON_TYPES: dict[str, dict[str, Any]] = {
    "float": {"type": "number"},
    "int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "bool": {"type": "boolean"},
    "ids": TEXTS,
    "names": {"type": "object"},
    "paths": {"type": "object"},
    "jsonObject": {"type": "object"},
    **dict.fromkeys(("multiEnum", "array", "extensibleMultiEnum"), TEXTS),
}
OLD_NUMBERS = frozenset({"float", "int"})
HIDDEN_FIELDS_OF_OLD = frozenset({"parent", "parents"})
SECURITY_SCHEMES = {
    "basicAuth": {"type": "http", "scheme": "basic"},
    "Authorization-Token": {"type": "apiKey", "name": "Authorization-Token", "in": "header"},
}
ID = {"id": {"type": "string", "nullable": True}}


class OpenApi(Resource):
    """The description of the API."""

    @route("GET", "/openapi.json", since=OPENAPI_SINCE, public=True)
    def get(self, call: Call) -> Response:
        """Return the document, which needs no authentication."""
        core, entities = self.state.core, self.state.schema.entities()
        return build_response({
            "openapi": "3.0.0",
            "info": {"version": ".".join(map(str, core)), "title": "AtroCore REST API documentation"},
            "servers": [{"url": "/api" if core >= V2_3 else "/api/v1"}],
            "paths": {f"/{entity.name}": {} for entity in entities},
            "components": {"securitySchemes": SECURITY_SCHEMES, "schemas": _build_schemas(entities)},
        })


def _build_schemas(entities: Iterable[Entity]) -> dict[str, Any]:
    """Return one schema for each entity, and since 2.3 two more: for create and for update."""
    schemas: dict[str, Any] = {}
    for entity in entities:
        if entity.core < V2_3:
            schemas[entity.name] = _build_old_schema(entity)
            continue
        required = [attribute.name for attribute in entity.required]
        readable = {**ID, **_build_properties(entity.attributes.values())}
        writable = _build_properties(attribute for attribute in entity.attributes.values() if attribute.is_writable)
        schemas[entity.name] = _build_schema(readable, required)
        schemas[f"{entity.name}Post"] = _build_schema({**ID, **writable}, required)
        schemas[f"{entity.name}Patch"] = _build_schema(writable)
    return schemas


def _build_schema(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _build_old_schema(entity: Entity) -> dict[str, Any]:
    properties = {attribute.name: _build_old_property(attribute) for attribute in entity.attributes.values()}
    listed = {name: one for name, one in properties.items() if not _is_hidden_in_old(entity.attributes[name])}
    required = [field.name for field in entity.fields.values() if field.params.get("required")]
    return _build_schema({"id": TEXT, **listed}, required)


def _is_hidden_in_old(attribute: Attribute) -> bool:
    is_hidden = attribute.field in HIDDEN_FIELDS_OF_OLD or attribute.params.get("notStorable")
    return bool(is_hidden or attribute.params.get("unitIdField") or attribute.type in {"ids", "names", "paths"})


def _build_old_property(attribute: Attribute) -> dict[str, Any]:
    return TEXT if attribute.type in OLD_NUMBERS else JSON_TYPES.get(attribute.type, TEXT)


def _build_properties(attributes: Iterable[Attribute]) -> dict[str, Any]:
    return {attribute.name: _build_property(attribute) for attribute in attributes}


def _build_property(attribute: Attribute) -> dict[str, Any]:
    schema = dict(JSON_TYPES.get(attribute.type, TEXT))
    if not attribute.is_required:
        schema["nullable"] = True
    if not attribute.is_writable:
        schema["readOnly"] = True
    return schema
