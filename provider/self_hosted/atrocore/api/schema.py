"""What an entity's fields are, from the server's description of itself.

AtroCore drops unknown and read-only fields of an update without a word, so they are looked for beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from self_hosted.atrocore.api.compare import nothing
from self_hosted.atrocore.api.session import openapi
from self_hosted.core.flow import Flow
from self_hosted.core.form import FALSE, TRUE

Row = Mapping[str, Any]
EMPTY = {"string": "", "array": [], "object": {}}  # how a field that is no number or switch is emptied


@dataclass(frozen=True)
class Schema:
    """The fields of one entity.

    :param entity: its name
    :param types: JSON types of its writable fields, "" where the server does not tell
    :param required: what a create must have
    """

    entity: str
    types: Mapping[str, str]
    required: frozenset[str] = field(default_factory=frozenset)

    def typed(self, row: Row) -> dict[str, Any]:
        """A row with its texts turned into what the fields hold; `ValueError` when one cannot be."""
        unknown = sorted(set(row) - set(self.types))
        if unknown:
            raise ValueError(f"{self.entity} has no writable field {', '.join(unknown)}: AtroCore would drop it")
        return {name: _typed(name, value, self.types[name]) for name, value in row.items()}

    def lacking(self, values: Row) -> set[str]:
        """Required fields that a create does not give. It may succeed all the same: the server knows defaults."""
        return {name for name in self.required if nothing(values.get(name))}


def schema(entity: str) -> Flow[Schema | None]:
    """The fields of one entity; None where the server does not describe itself (``GET /openapi.json``).

    :param entity: such as "Product"
    :raises ValueError: when the server describes its entities, and this one is not among them
    """
    document = yield from openapi()
    if document is None:
        return None
    schemas = document.get("components", {}).get("schemas", {})
    if entity not in schemas:
        raise ValueError(f"entity: the server has no {entity!r}")
    post, patch = schemas.get(f"{entity}Post"), schemas.get(f"{entity}Patch", {})
    if not post:
        return _schema_of_old(entity, schemas[entity])
    types = _types({**patch.get("properties", {}), **post["properties"]})
    return Schema(entity, types, frozenset(post.get("required", ())))


def _schema_of_old(entity: str, described: Mapping[str, Any]) -> Schema:
    """Before 2.3 there is one schema per entity, which calls decimal numbers strings."""
    fields = {name: "" for name, found in described["properties"].items() if not found.get("readOnly")}
    return Schema(entity, fields, frozenset(described.get("required", ())) & frozenset(fields))


def _types(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: str(found.get("type", "")) for name, found in fields.items()}


def _typed(name: str, value: Any, kind: str) -> Any:
    if value is None or kind not in _CONVERSIONS:
        return value
    if nothing(value):
        return EMPTY.get(kind)
    try:
        return _CONVERSIONS[kind](value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {value!r} is no {kind}") from None


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _number(value: Any) -> float | int:
    if isinstance(value, bool):
        raise ValueError
    number = float(value)
    return int(number) if number.is_integer() else number


def _integer(value: Any) -> int:
    number = _number(value)
    if isinstance(number, float):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    word = str(value).lower()
    if word not in TRUE | FALSE:
        raise ValueError
    return word in TRUE


def _parsed(kind: type) -> Any:
    def parse(value: Any) -> Any:
        parsed = json.loads(value) if isinstance(value, str) else value
        if not isinstance(parsed, kind):
            raise ValueError
        return parsed

    return parse


_CONVERSIONS = {
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "array": _parsed(list),
    "object": _parsed(dict),
}
