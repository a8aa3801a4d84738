"""The OpenAPI document, generated from the entities."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.entities import V2_3, Field, Version, get_entities
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.routing import route

OPENAPI_SINCE = (1, 3, 12)


class OpenApi(Resource):
    """The description of the API."""

    @route("GET", "/openapi.json", since=OPENAPI_SINCE, public=True)
    def get(self, call: Call) -> Response:
        """Return the document, which needs no authentication."""
        core = self.state.core
        return build_response({
            "openapi": "3.0.0",
            "info": {"version": ".".join(map(str, core)), "title": "AtroCore REST API documentation"},
            "servers": [{"url": "/api" if core >= V2_3 else "/api/v1"}],
            "paths": {f"/{entity}": {} for entity in get_entities(core)},
            "components": {"schemas": _build_schemas(core)},
        })


def _build_schemas(core: Version) -> dict[str, Any]:
    """Return one schema for each entity, and since 2.3 two more: for create and for update."""
    schemas: dict[str, Any] = {}
    for entity, fields in get_entities(core).items():
        required = [name for name, field in fields.items() if field.required]
        id_property = {"id": {"type": "string", "nullable": True}}
        readable = {**id_property, **_build_properties(fields)}
        writable = _build_properties({name: field for name, field in fields.items() if not field.read_only})
        if core >= V2_3:
            schemas[entity] = _build_schema(readable)
            schemas[f"{entity}Post"] = _build_schema({**id_property, **writable}, required)
            schemas[f"{entity}Patch"] = _build_schema(writable)
        else:
            schemas[entity] = {**_build_schema(readable), "required": required}
    return schemas


def _build_schema(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _build_properties(fields: dict[str, Field]) -> dict[str, Any]:
    return {name: _build_property(field) for name, field in fields.items()}


def _build_property(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": field.type}
    if not field.required:
        schema["nullable"] = True
    if field.read_only:
        schema["readOnly"] = True
    return schema
