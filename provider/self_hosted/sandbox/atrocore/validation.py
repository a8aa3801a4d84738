"""Validation of requests against the server's OpenAPI document."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.entities import V2_3, Field, Version
from self_hosted.sandbox.atrocore.errors import SchemaError

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}


def validate_body(core: Version, call: Call, fields: dict[str, Field], *, is_create: bool) -> None:
    """Check the body of a create or an update, as the server does since 2.3.

    :param is_create: whether required fields must be present
    :raises ApiError: if a required field is missing, or a value has the wrong type
    """
    if core < V2_3:
        return
    route = f"/{{entityName}}{'' if is_create else '/{id}'}"
    subject = f"Request [{call.method.lower()} {route}]"
    for name, field in fields.items():
        if is_create and field.required and name not in call.body:
            reason = f"Keyword validation failed: Required property '{name}' must be present in the object"
            raise SchemaError(f"{subject}, {reason}")
        if name in call.body and not field.read_only and not _has_type(field, call.body[name]):
            raise SchemaError(f"{subject}, Value expected to be '{field.type}' in '{name}'")


def _has_type(field: Field, value: Any) -> bool:
    """Return whether a JSON value has the field's type. Only required fields reject null."""
    if value is None:
        return not field.required
    return isinstance(value, JSON_TYPES[field.type]) and (field.type == "boolean" or not isinstance(value, bool))
