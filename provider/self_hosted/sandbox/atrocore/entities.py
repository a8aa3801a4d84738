"""The entities of each core version, their fields, and how the server stores values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

from self_hosted.sandbox.atrocore.errors import ApiError

Version = tuple[int, ...]

V2_3: Version = (2, 3)
QUEUE_SINCE: Version = (1, 12)


@dataclass(frozen=True)
class Field:
    """A field of an entity.

    :param type: JSON type
    :param required: whether a create needs the field
    :param default: value of new records
    :param read_only: whether only the server sets the field
    """

    type: str
    required: bool = False
    default: Any = None
    read_only: bool = False


TEXT, NUMBER, ARRAY = Field("string"), Field("number"), Field("array")
NAME = Field("string", required=True)
READ_ONLY_TEXT = Field("string", read_only=True)
READ_ONLY_COUNT, READ_ONLY_OBJECT = Field("integer", read_only=True), Field("object", read_only=True)
TIMESTAMPS = {"createdAt": READ_ONLY_TEXT, "modifiedAt": READ_ONLY_TEXT}
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
    "brandName": READ_ONLY_TEXT,
    "categoriesIds": ARRAY,
    "tag": ARRAY,
    **TIMESTAMPS,
}
BRAND = {"name": NAME, "code": TEXT, **TIMESTAMPS}
IMPORT_COUNTS = ("createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount")
FEED = {"name": NAME, "isActive": Field("boolean", default=True), **TIMESTAMPS}
QUEUE_ENTITIES = {
    "Job": {
        "name": TEXT,
        "status": Field("string", default="Pending"),
        **dict.fromkeys(["type", "message", "startedAt", "endedAt"], READ_ONLY_TEXT),
        "payload": READ_ONLY_OBJECT,
        **TIMESTAMPS,
    },
    "ImportJob": {
        **dict.fromkeys(["importFeedId", "parentId", "state", "message", "start", "end"], READ_ONLY_TEXT),
        **dict.fromkeys(IMPORT_COUNTS, READ_ONLY_COUNT),
        **TIMESTAMPS,
    },
    "ExportJob": {
        **dict.fromkeys(["exportFeedId", "state", "stateMessage", "fileId", "start", "end"], READ_ONLY_TEXT),
        "count": READ_ONLY_COUNT,
        **TIMESTAMPS,
    },
    "ImportFeed": FEED,
    "ExportFeed": FEED,
}


def get_key_field(core: Version) -> str:
    """Return the name of the field that identifies a product for users."""
    return "number" if core >= (2, 0, 28) else "sku"


@cache
def get_entities(core: Version) -> dict[str, dict[str, Field]]:
    """Return all entities of a core version, with their fields."""
    status = "status" if core >= (2,) else "productStatus"
    product = {
        **PRODUCT,
        get_key_field(core): Field("string", required=core >= (2, 2, 23) or core < (2,)),
        status: Field("string", required=True, default="draft"),
    }
    return {"Product": product, "Brand": BRAND, **(QUEUE_ENTITIES if core >= QUEUE_SINCE else {})}


def get_fields(core: Version, entity: str) -> dict[str, Field]:
    """Return the fields of an entity.

    :raises ApiError: if the core version does not have the entity
    """
    if entity not in get_entities(core):
        raise ApiError(404)
    return get_entities(core)[entity]


def to_stored(name: str, field: Field, value: Any) -> Any:
    """Return a value as the database stores it. Text becomes a number, as in PHP.

    :raises ApiError: if the text is not a number
    """
    if value is None or field.type in {"string", "array"}:
        return value
    if field.type == "boolean":
        return str(value).lower() not in {"false", "0", ""}
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ApiError(400, f"{name}: valueIsNotNumber") from None
    return int(number) if number == math.floor(number) else number
