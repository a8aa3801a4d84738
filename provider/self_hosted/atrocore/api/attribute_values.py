"""Values of attributes since core 2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from self_hosted.atrocore.api.identifiers import check_entity, check_record_id
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import check_shape

NOT_MODIFIED = 304


class AssignedAttribute(TypedDict):
    """An attribute of a record, with its value in further fields."""

    attributeId: str


def list_assigned(entity: str, record_id: str) -> Flow[list[dict[str, Any]]]:
    """Return the attributes of a record with their values (``GET /api/{Entity}/{id}/attributeValues``).

    :param entity: such as "Product"
    :param record_id: its id
    """
    reply = yield Request("GET", _path(entity, record_id, "attributeValues"))
    rows: list[dict[str, Any]] = reply.json()
    check_shape(reply, rows, list[AssignedAttribute])
    return rows


def assign(entity: str, record_id: str, attribute_ids: Sequence[str]) -> Flow[None]:
    """Assign attributes to a record; those that it has stay (``POST /api/{Entity}/{id}/addAttributes``).

    :param entity: such as "Product"
    :param record_id: its id
    :param attribute_ids: ids of the attributes
    """
    body = {"attributeIds": list(attribute_ids)}
    reply = yield Request("POST", _path(entity, record_id, "addAttributes"), json=body, idempotent=True)
    if reply.status != NOT_MODIFIED:
        reply.json()  # a proxy would respond with a page


def store(entity: str, record_id: str, values: Mapping[str, Mapping[str, Any]]) -> Flow[bool]:
    """Store values of attributes that a record has (``POST /api/{Entity}/{id}/upsertAttributeValues``).

    :param entity: such as "Product"
    :param record_id: its id
    :param values: by the id of the attribute; values of attributes that the record does not have are skipped
    :return: whether a value has changed
    """
    rows = [{"attributeId": attribute_id, **named} for attribute_id, named in values.items()]
    reply = yield Request("POST", _path(entity, record_id, "upsertAttributeValues"), json=rows, idempotent=True)
    return reply.status != NOT_MODIFIED and bool(reply.json())


def _path(entity: str, record_id: str, route: str) -> str:
    return url_path("api", check_entity(entity), check_record_id("record_id", record_id), route)
