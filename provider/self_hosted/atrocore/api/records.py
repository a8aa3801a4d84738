"""Records of any entity: lists, single records, and upserts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NotRequired, TypedDict
from urllib.parse import urlencode
from uuid import uuid4

from self_hosted.atrocore.api.comparison import has_values
from self_hosted.atrocore.api.filters import Condition, build_query
from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Flow, Request, url_path

Record = dict[str, Any]

MAX_PAGE_SIZE = 200  # the limit of all dialects
MAX_KEYS_PER_REQUEST = 100
MAX_ID_LENGTH = 24  # of the database columns of cores before 1.11
MAX_FILTER_LENGTH = 6000  # common servers reject request lines from 8190 bytes on


class UpsertResult(TypedDict):
    """The result of one item of an upsert.

    :param status: "Created", "Updated", "NotModified" or "Failed"
    :param message: AtroCore's explanation
    :param code: HTTP status of a failure
    :param id: id of the stored record, since core 2.3
    :param entity: the whole stored record, before core 2.3
    """

    status: NotRequired[str]
    message: NotRequired[str | None]
    code: NotRequired[int | str | None]
    id: NotRequired[str]
    entity: NotRequired[Any]


def list_all(entity: str, where: Sequence[Condition] = (), select: Sequence[str] = ()) -> Flow[list[Record]]:
    """Return all records that meet the conditions, read page by page (``GET /api/{Entity}``).

    :param entity: such as "Product"
    :param where: conditions that must all be met, see `filters.build_query`
    :param select: fields to read besides ``id``; default: all
    """
    query = {
        **build_query(where),
        "select": ",".join(select) or None,
        "maxSize": MAX_PAGE_SIZE,
        "sortBy": "id",
        "asc": True,
        "collectionOnly": True,  # without the total count, which is expensive
    }
    found: list[Record] = []
    while True:
        reply = yield Request("GET", url_path("api", entity), query={**query, "offset": len(found)})
        page = reply.json()["list"]
        found += page
        if len(page) < MAX_PAGE_SIZE:
            return found


def find(entity: str, field: str, values: Sequence[str], select: Sequence[str] = ()) -> Flow[dict[str, list[Record]]]:
    """Return records by the value of a field; each request contains as many values as fit into a URL.

    :param entity: such as "Product"
    :param field: such as "number"
    :param values: the values to find; compared as text
    :param select: fields to read besides ``id`` and the given field; default: all
    :return: the records by value, without the values that no record has
    """
    found: dict[str, list[Record]] = {}
    for batch in _batch_values(values):
        condition = {"type": "in", "attribute": field, "value": batch}
        for record in (yield from list_all(entity, [condition], select and [field, *select])):
            found.setdefault(str(record.get(field)), []).append(record)
    return found


def get(entity: str, record_id: str) -> Flow[Record]:
    """Return one record (``GET /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    :raises NotFoundError: if it does not exist
    """
    reply = yield Request("GET", url_path("api", entity, record_id))
    return reply.json()  # type: ignore[no-any-return]


def create(entity: str, values: Record) -> Flow[Record]:
    """Create one record and return it (``POST /api/{Entity}``).

    Without an ``id``, it gets a random one. After a lost response, the record is read back by its id.

    :param entity: such as "Product"
    :param values: its fields
    :raises OutcomeUnknownError: if the response was lost and no record has the id
    """
    values = _with_id(values)
    try:
        reply = yield Request("POST", url_path("api", entity), json=values)
    except OutcomeUnknownError as lost_response:
        try:
            return (yield from get(entity, values["id"]))
        except NotFoundError:
            raise lost_response from None
    return reply.json()  # type: ignore[no-any-return]


def update(entity: str, record_id: str, values: Record) -> Flow[bool]:
    """Set fields of one record (``PATCH /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    :param values: the fields to set; ``_prev`` holds values that the record must have now
    :return: whether the record changed. False also if AtroCore dropped read-only or unknown fields. True also if the
        response was lost and the fields have the values: the cause is then unknown
    :raises ConflictError: if the record does not have the values of ``_prev``
    """
    request = Request("PATCH", url_path("api", entity, record_id), json=values)
    try:
        reply = yield request
    except OutcomeUnknownError:
        # read back before the request is sent again: after its own effect, ``_prev`` would be a conflict
        if has_values((yield from get(entity, record_id)), values):
            return True
        reply = yield request
    return reply.status != 304


def delete(entity: str, record_id: str) -> Flow[None]:
    """Delete one record; if it does not exist, do nothing (``DELETE /api/{Entity}/{id}``).

    AtroCore deletes softly: an upsert with the same id restores the record.

    :param entity: such as "Product"
    :param record_id: its id
    """
    try:
        yield Request("DELETE", url_path("api", entity, record_id), idempotent=True)
    except NotFoundError:
        return


def upsert(entity: str, payloads: Sequence[Record]) -> Flow[list[UpsertResult]]:
    """Create or update many records in one request (``POST /api/upsert``).

    AtroCore would create a duplicate for a payload without ``id``, unless an administrator made a field unique. So each
    payload gets a random id. After a lost response, everything is sent again; what was done before is "NotModified".

    :param entity: such as "Product"
    :param payloads: the fields of each record
    :return: one `UpsertResult` for each payload
    :raises NotFoundError: if the server has no upsert
    """
    payloads = [_with_id(payload) for payload in payloads]
    try:
        return (yield from upsert_once(entity, payloads))
    except OutcomeUnknownError:
        return (yield from upsert_once(entity, payloads))


def upsert_once(entity: str, payloads: Sequence[Record]) -> Flow[list[UpsertResult]]:
    """Do the same as `upsert`, with unchanged payloads and without another attempt after a lost response.

    :param entity: such as "Product"
    :param payloads: the fields of each record
    :return: one `UpsertResult` for each payload
    :raises OutcomeUnknownError: if the response was lost
    :raises NotFoundError: if the server has no upsert
    """
    items = [{"entity": entity, "payload": payload} for payload in payloads]
    reply = yield Request("POST", "/api/upsert", json=items)
    results = reply.json()
    if not isinstance(results, list) or len(results) != len(items):
        # PHP returns such a response if the request was larger than post_max_size
        received = len(results) if isinstance(results, list) else "no"
        raise reply.error(ServerError, f"{len(items)} records were sent, but the response has {received} results")
    return results


def _with_id(values: Record) -> Record:
    return values if values.get("id") else {**values, "id": uuid4().hex[:MAX_ID_LENGTH]}


def _batch_values(values: Sequence[str]) -> Iterator[list[str]]:
    """Yield batches of values that fit into a URL."""
    batch: list[str] = []
    length = 0
    for value in values:
        value_length = len(urlencode({"where[0][value][]": value})) + 1
        if batch and (length + value_length > MAX_FILTER_LENGTH or len(batch) == MAX_KEYS_PER_REQUEST):
            yield batch
            batch, length = [], 0
        batch.append(value)
        length += value_length
    if batch:
        yield batch
