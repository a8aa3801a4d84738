"""The fields of an entity, from the server's description of its API.

AtroCore silently drops unknown and read-only fields of an update, so they are detected before a request.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api.comparison import is_empty
from self_hosted.atrocore.api.identifiers import check_entity
from self_hosted.atrocore.api.session import get_openapi
from self_hosted.core.arguments import parse_bool, parse_float
from self_hosted.core.http.flow import Flow, Reply
from self_hosted.core.http.shape import JsonObject, check_shape

Row = Mapping[str, Any]
# how a field is emptied; null for numbers and booleans
EMPTY_VALUES: Mapping[str, Any] = {"string": "", "array": [], "object": {}}


class Property(TypedDict):
    """The description of a field."""

    type: NotRequired[Any]
    readOnly: NotRequired[bool]


class Description(TypedDict):
    """The description of an entity."""

    properties: NotRequired[dict[str, Property] | list[Any]]
    required: NotRequired[list[str]]


@dataclass(frozen=True)
class Schema:
    """The fields of one entity.

    :param entity: its name
    :param types: JSON types of its writable fields; "" if the server does not describe the type
    :param required: fields that a new record must have
    """

    entity: str
    types: Mapping[str, str]
    required: frozenset[str] = field(default_factory=frozenset)

    def convert(self, row: Row) -> dict[str, Any]:
        """Return the row with its texts converted to the types of the fields.

        :param row: values by field
        :raises ValueError: for an unknown or read-only field, and a text that cannot be converted
        """
        unknown = sorted(set(row) - set(self.types))
        if unknown:
            raise ValueError(f"{self.entity} has no writable field {', '.join(unknown)}; AtroCore would drop it")
        return {name: _convert(name, value, self.types[name]) for name, value in row.items()}

    def missing_fields(self, values: Row) -> set[str]:
        """Return the required fields that a new record lacks. It may be created all the same: the server has defaults.

        :param values: the fields of the new record
        """
        return {name for name in self.required if is_empty(values.get(name))}


def get(entity: str) -> Flow[Schema | None]:
    """Return the fields of an entity, or None if the server does not describe its API (``GET /openapi.json``).

    :param entity: such as "Product"
    :raises ValueError: if the server describes its entities and this one does not exist
    """
    check_entity(entity)
    openapi = yield from get_openapi()
    if openapi is None:
        return None
    components = check_shape(openapi.reply, openapi.document.get("components", {}), JsonObject, "components")
    schemas = check_shape(openapi.reply, components.get("schemas", {}), JsonObject, "components.schemas")
    if not schemas:
        return None
    if entity not in schemas:
        raise ValueError(f"entity: the server has no {entity!r}")
    post, patch, readable = (
        _check_description(openapi.reply, schemas, name) for name in (f"{entity}Post", f"{entity}Patch", entity)
    )
    if not post:
        return _read_old_schema(entity, readable)
    types = _read_types({**_properties(patch), **_properties(post)})
    return Schema(entity, types, frozenset(post.get("required", ())))


def _check_description(reply: Reply, schemas: Mapping[str, Any], name: str) -> Description:
    return check_shape(reply, schemas.get(name, {}), Description, f"components.schemas.{name}")


def _properties(description: Description) -> Mapping[str, Property]:
    """Return the fields of a schema; PHP writes an empty object as an empty list."""
    properties = description.get("properties", {})
    return properties if isinstance(properties, dict) else {}


def _read_old_schema(entity: str, description: Description) -> Schema:
    """Read the only schema of an entity before 2.3, which describes decimal numbers as strings."""
    types = {name: "" for name, found in _properties(description).items() if not found.get("readOnly")}
    return Schema(entity, types, frozenset(description.get("required", ())) & frozenset(types))


def _read_types(fields: Mapping[str, Property]) -> dict[str, str]:
    return {name: str(found.get("type", "")) for name, found in fields.items()}


def _convert(name: str, value: Any, json_type: str) -> Any:
    if value is None or json_type not in _CONVERSIONS:
        return value
    if is_empty(value):
        return EMPTY_VALUES.get(json_type)
    try:
        return _CONVERSIONS[json_type](value)
    except (TypeError, ValueError, RecursionError):
        raise ValueError(f"{name}: {value!r} does not have the type {json_type}") from None


def _to_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _to_number(value: Any) -> float | int:
    number = parse_float("value", value, above=-math.inf)
    return int(number) if number.is_integer() else number


def _to_integer(value: Any) -> int:
    number = _to_number(value)
    if isinstance(number, float):
        raise ValueError("not a whole number")
    return number


def _to_boolean(value: Any) -> bool:
    return parse_bool("value", value)


def _to_json(json_class: type) -> Any:
    def convert(value: Any) -> Any:
        parsed = json.loads(value) if isinstance(value, str) else value
        if not isinstance(parsed, json_class):
            raise TypeError(f"not a {json_class.__name__}")
        return parsed

    return convert


_CONVERSIONS = {
    "string": _to_text,
    "number": _to_number,
    "integer": _to_integer,
    "boolean": _to_boolean,
    "array": _to_json(list),
    "object": _to_json(dict),
}
