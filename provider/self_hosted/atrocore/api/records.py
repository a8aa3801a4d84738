"""Records of any entity: lists, single ones and upsert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from self_hosted.atrocore.api.compare import holds
from self_hosted.atrocore.api.where import Condition, where_query
from self_hosted.core.errors import Broken, NotFound, Uncertain
from self_hosted.core.flow import Flow, Request, url_path

Record = dict[str, Any]

PAGE = 200  # what every dialect allows
KEYS_PER_LOOKUP = 100
ID_LENGTH = 24  # all that the database columns of cores before 1.11 hold
LONGEST_FILTER = 6000  # common servers refuse request lines from 8190 bytes on


def records(entity: str, where: Sequence[Condition] = (), select: Sequence[str] = ()) -> Flow[list[Record]]:
    """All records that meet the conditions, page by page (``GET /api/{Entity}``).

    :param entity: such as "Product"
    :param where: conditions, all to be met, see `where_query`
    :param select: the fields to read besides ``id``; all by default
    """
    query = {
        **where_query(where),
        "select": ",".join(select) or None,
        "maxSize": PAGE,
        "sortBy": "id",
        "asc": True,
        "collectionOnly": True,  # without counting the rest
    }
    found: list[Record] = []
    while True:
        reply = yield Request("GET", url_path("api", entity), query={**query, "offset": len(found)})
        page = reply.json()["list"]
        found += page
        if len(page) < PAGE:
            return found


def records_by(
    entity: str, field: str, values: Sequence[str], select: Sequence[str] = ()
) -> Flow[dict[str, list[Record]]]:
    """Records by the value of one field, with as many values per request as a URL can hold.

    :param entity: such as "Product"
    :param field: such as "number"
    :param values: what to look for; compared as text
    :param select: the fields to read besides ``id`` and the one looked up; all by default
    :return: value to the records that have it; a value that no record has is missing
    """
    found: dict[str, list[Record]] = {}
    for some in _lookups(field, values):
        condition = {"type": "in", "attribute": field, "value": some}
        for record in (yield from records(entity, [condition], select and [field, *select])):
            found.setdefault(str(record.get(field)), []).append(record)
    return found


def record(entity: str, record_id: str) -> Flow[Record]:
    """One record (``GET /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    """
    reply = yield Request("GET", url_path("api", entity, record_id))
    return reply.json()  # type: ignore[no-any-return]


def create_record(entity: str, values: Record) -> Flow[Record]:
    """Create one record (``POST /api/{Entity}``).

    It is given an id of our own unless it has one: so a lost answer is no loss, for the record is read back by it.

    :param entity: such as "Product"
    :param values: its fields
    :raises Uncertain: when the answer was lost, and no record with the id is to be found
    """
    values = _with_id(values)
    try:
        reply = yield Request("POST", url_path("api", entity), json=values)
    except Uncertain as uncertain:
        try:
            return (yield from record(entity, values["id"]))
        except NotFound:
            raise uncertain from None
    return reply.json()  # type: ignore[no-any-return]


def update_record(entity: str, record_id: str, values: Record) -> Flow[bool]:
    """Set fields of one record (``PATCH /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    :param values: the fields to set; with ``_prev``, the values they must have now, else it is a `Conflict`
    :return: whether that changed anything; False also when AtroCore dropped read-only or unknown fields; True also when
        the answer was lost and the fields have their values, for then nobody can tell
    """
    request = Request("PATCH", url_path("api", entity, record_id), json=values)
    try:
        reply = yield request
    except Uncertain:
        # read first, and not sent again at once: after its own effect ``_prev`` would be a conflict
        if holds((yield from record(entity, record_id)), values):
            return True
        reply = yield request
    return reply.status != 304


def delete_record(entity: str, record_id: str) -> Flow[None]:
    """Delete one record softly: `upsert` with its id revives it (``DELETE /api/{Entity}/{id}``).

    :param entity: such as "Product"
    :param record_id: its id
    """
    try:
        yield Request("DELETE", url_path("api", entity, record_id), repeatable=True)
    except NotFound:
        return


def upsert(entity: str, payloads: Sequence[Record]) -> Flow[list[dict[str, Any]]]:
    """Create or update many records in one request (``POST /api/upsert``).

    A payload without an ``id`` creates a duplicate, unless an admin made a field unique. It is given one of our own, so
    that nothing is made twice when the answer was lost and all is sent again; what was done is "NotModified" then.

    :param entity: such as "Product"
    :param payloads: the fields of each record
    :return: for each payload ``{"status": "Created" | "Updated" | "NotModified" | "Failed", "message"?, "code"?, ...}``
    :raises NotFound: when the server has no upsert
    """
    payloads = [_with_id(payload) for payload in payloads]
    try:
        return (yield from upsert_once(entity, payloads))
    except Uncertain:
        return (yield from upsert_once(entity, payloads))


def upsert_once(entity: str, payloads: Sequence[Record]) -> Flow[list[dict[str, Any]]]:
    """`upsert`, as the payloads are, for who reads back what a lost answer leaves open.

    :param entity: such as "Product"
    :param payloads: the fields of each record
    """
    items = [{"entity": entity, "payload": payload} for payload in payloads]
    reply = yield Request("POST", "/api/upsert", json=items)
    results = reply.json()
    if not isinstance(results, list) or len(results) != len(items):
        # as from PHP, when the request was larger than post_max_size
        raise reply.error(Broken, f"{len(items)} records were sent, and the answer is not about as many")
    return results


def _with_id(values: Record) -> Record:
    return values if values.get("id") else {**values, "id": uuid4().hex[:ID_LENGTH]}


def _lookups(field: str, values: Sequence[str]) -> Iterator[list[str]]:
    """Values in portions that fit into a URL."""
    portion: list[str] = []
    length = 0
    for value in values:
        needed = len(urlencode({"where[0][value][]": value})) + 1
        if portion and (length + needed > LONGEST_FILTER or len(portion) == KEYS_PER_LOOKUP):
            yield portion
            portion, length = [], 0
        portion.append(value)
        length += needed
    if portion:
        yield portion
