"""The entities this server has, by core version, and how values are stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from self_hosted.sandbox.atrocore.answers import Refused


@dataclass(frozen=True)
class Field:
    """One field: its JSON type, whether a create needs it, and what it is without being given."""

    type: str
    required: bool = False
    default: Any = None
    read_only: bool = False


TEXT, NUMBER, SWITCH, MANY = Field("string"), Field("number"), Field("boolean"), Field("array")
NAME = Field("string", required=True)
BY_SERVER = Field("string", read_only=True)
STAMPS = {"createdAt": BY_SERVER, "modifiedAt": BY_SERVER}
PRODUCT = {
    "name": NAME,
    "description": TEXT,
    "longDescription": TEXT,
    "price": NUMBER,
    "rrp": NUMBER,
    "quantity": Field("number", default=0),
    "sortOrder": Field("integer"),
    "isActive": Field("boolean", default=False),
    "ean": TEXT,
    "mpn": TEXT,
    "note": TEXT,
    "releasedAt": TEXT,
    "brandId": TEXT,
    "brandName": BY_SERVER,
    "categoriesIds": MANY,
    "tag": MANY,
    **STAMPS,
}
COUNT, DETAILS = Field("integer", read_only=True), Field("object", read_only=True)
IMPORT_COUNTS = ("createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount")
FEED = {"name": NAME, "isActive": Field("boolean", default=True), **STAMPS}
QUEUE_SINCE = (1, 12)
JOBS = {
    "Job": {
        "name": TEXT,
        "status": Field("string", default="Pending"),
        **dict.fromkeys(["type", "message", "startedAt", "endedAt"], BY_SERVER),
        "payload": DETAILS,
        **STAMPS,
    },
    "ImportJob": {
        **dict.fromkeys(["importFeedId", "parentId", "state", "message", "start", "end"], BY_SERVER),
        **dict.fromkeys(IMPORT_COUNTS, COUNT),
        **STAMPS,
    },
    "ExportJob": {
        **dict.fromkeys(["exportFeedId", "state", "stateMessage", "fileId", "start", "end"], BY_SERVER),
        "count": COUNT,
        **STAMPS,
    },
    "ImportFeed": FEED,
    "ExportFeed": FEED,
}


def key_field(core: tuple[int, ...]) -> str:
    """The field people know a product by."""
    return "number" if core >= (2, 0, 28) else "sku"


@cache
def entities(core: tuple[int, ...]) -> dict[str, dict[str, Field]]:
    """All entities of a core, with their fields."""
    status = "status" if core >= (2,) else "productStatus"
    product = {
        **PRODUCT,
        key_field(core): Field("string", required=core >= (2, 2, 23) or core < (2,)),
        status: Field("string", required=True, default="draft"),
    }
    queue = JOBS if core >= QUEUE_SINCE else {}
    return {"Product": product, "Brand": {"name": NAME, "code": TEXT, **STAMPS}, **queue}


def fields_of(core: tuple[int, ...], entity: str) -> dict[str, Field]:
    """The fields of one entity; an unknown entity is 404."""
    if entity not in entities(core):
        raise Refused(404)
    return entities(core)[entity]


def as_stored(name: str, field: Field, value: Any) -> Any:
    """A value as the database keeps it; texts become numbers, as PHP does it."""
    if value is None or field.type in {"string", "array"}:
        return value
    if field.type == "boolean":
        return str(value).lower() not in {"false", "0", ""}
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Refused(400, f"{name}: valueIsNotNumber") from None
    return int(number) if number == math.floor(number) else number


JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
}


def is_of_type(field: Field, value: Any) -> bool:
    """Whether a JSON value is of the field's type; only required fields forbid null."""
    if value is None:
        return not field.required
    return isinstance(value, JSON_TYPES[field.type]) and (field.type == "boolean" or not isinstance(value, bool))
