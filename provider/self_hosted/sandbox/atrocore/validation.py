"""Validation of requests against the server's OpenAPI document, since 2.3."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.fields import Attribute
from self_hosted.sandbox.atrocore.openapi import JSON_TYPES
from self_hosted.sandbox.atrocore.schema import Entity

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict, list),  # an array of PHP may be an object
}


def validate_body(schema: Entity, call: Call, *, is_create: bool) -> dict[str, Any]:
    """Return the body of a create or an update after checking it.

    :param is_create: whether required fields must be present
    :raises ApiError: if a required field is missing, or a value has the wrong type
    """
    body = call.require_object(call.body)
    for attribute in schema.required if is_create else ():
        if attribute.name not in body:
            raise call.missing_property(attribute.name)
    if is_create and not isinstance(body.get("id"), str | None):
        raise call.wrong_type("string", body["id"])
    for name, value in body.items():
        known = schema.attributes.get(name)
        if known is not None and known.is_writable:
            _check_type(call, known, value)
    return body


def _check_type(call: Call, attribute: Attribute, value: Any) -> None:
    """Check the type of a JSON value. Only required fields reject null."""
    expected = JSON_TYPES.get(attribute.type, {"type": "string"})["type"]
    if value is None and not attribute.is_required:
        return
    is_boolean = isinstance(value, bool) and expected != "boolean"
    if is_boolean or not isinstance(value, PYTHON_TYPES[expected]):
        raise call.wrong_type(expected, value)
