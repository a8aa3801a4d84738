"""``GET /openapi.json``: the server's description, generated from its entities, open to everybody."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from self_hosted.sandbox.atrocore.answers import Call, answer
from self_hosted.sandbox.atrocore.entities import Field, entities
from self_hosted.sandbox.atrocore.state import State


def document(state: State, call: Call) -> Response:
    """The document; before 2.3 it has one schema per entity, later three."""
    schemas: dict[str, Any] = {}
    for entity, fields in entities(state.core).items():
        own = {"id": {"type": "string", "nullable": True}}
        schemas[entity] = _schema({**own, **_properties(fields, writable=False)}, [])
        if state.core >= (2, 3):
            writable = _properties(fields, writable=True)
            required = [name for name, field in fields.items() if field.required]
            schemas[f"{entity}Post"] = _schema({**own, **writable}, required)
            schemas[f"{entity}Patch"] = _schema(writable, [])
        else:
            schemas[entity]["required"] = [name for name, field in fields.items() if field.required]
    return answer({
        "openapi": "3.0.0",
        "info": {"version": ".".join(map(str, state.core)), "title": "AtroCore REST API documentation"},
        "servers": [{"url": "/api" if state.core >= (2, 3) else "/api/v1"}],
        "paths": {f"/{entity}": {} for entity in entities(state.core)},
        "components": {"schemas": schemas},
    })


def _schema(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _properties(fields: dict[str, Field], *, writable: bool) -> dict[str, Any]:
    return {name: _property(field) for name, field in fields.items() if not (writable and field.read_only)}


def _property(field: Field) -> dict[str, Any]:
    described: dict[str, Any] = {"type": field.type}
    if not field.required:
        described["nullable"] = True
    if field.read_only:
        described["readOnly"] = True
    return described
