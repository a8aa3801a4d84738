"""Lists of records, read page by page; a record's shape is checked before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from typing_extensions import TypedDict

from self_hosted.atrocore.api.filters import Condition, build_query, build_short_query
from self_hosted.atrocore.api.identifiers import check_entity, check_field, check_key
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.shape import JsonObject, check_shape

Record = dict[str, Any]
Take = Callable[[Reply, list[Record]], None]
"""Takes in the records of one page."""

MAX_PAGE_SIZE = 200  # the limit of all dialects
LARGE_PAGE_SIZE = 1000  # much faster than small pages; `Dialect.translate` lowers it where servers have a limit
MAX_KEYS_PER_REQUEST = 100
MAX_FILTER_LENGTH = 6000  # common servers reject request lines from 8190 bytes on


class StoredRecord(TypedDict):
    """The field that every record has."""

    id: str


class Counted(TypedDict):
    """The number of records of a list, negative if an administrator disabled it."""

    total: int | None


def read_list(
    entity: str, where: Sequence[Condition], select: Sequence[str], take: Take, shape: type = StoredRecord
) -> Flow[None]:
    """Read all records that meet the conditions (``GET /api/{Entity}``).

    Each page begins after the last id of the previous one: an offset would skip a record for each one that is deleted
    meanwhile.

    :param entity: such as "Product"
    :param where: conditions that must all be met, see `filters.build_query`
    :param select: fields to read besides ``id``; empty = all
    :param take: takes in the records of each page
    :param shape: the shape of a record
    :raises ServerError: if a record has another shape, or the server ignores the condition for the next page
    """
    if isinstance(select, str):
        raise ValueError(f"select must be a list of fields, not {select!r}")
    query = {
        **build_query(where),
        "select": ",".join(check_field("select", name) for name in select) or None,
        "maxSize": MAX_PAGE_SIZE,
        "sortBy": "id",
        "asc": True,
        "collectionOnly": True,  # without the total count, which is expensive
    }
    path = url_path("api", check_entity(entity))
    page: list[Record] = []
    while True:
        reply = yield Request("GET", path, query=query)
        last_id = page[-1]["id"] if page else None
        page = check_page(reply, shape)
        _check_progress(reply, page, last_id)
        take(reply, page)
        if len(page) < MAX_PAGE_SIZE:
            return
        query = {**query, **build_query([*where, after_id(page[-1]["id"])])}


def after_id(record_id: str) -> Condition:
    """Return the condition for the records of the next page, if the list is sorted by id.

    :param record_id: the last id of a page
    """
    return {"type": "greaterThan", "attribute": "id", "value": record_id}


def read_page(
    entity: str,
    where: Sequence[Condition],
    select: Sequence[str],
    last_id: str | None = None,
    attributes: Sequence[str] = (),
) -> Flow[list[Record]]:
    """Read one page of the records that meet the conditions, in the order of their ids (``GET /api/{Entity}``).

    A page of fewer than `MAX_PAGE_SIZE` records is the last one.

    :param entity: such as "Product"
    :param where: conditions that must all be met, see `filters.build_query`
    :param select: fields to read besides ``id``; empty = all
    :param last_id: the last id of the page before; None for the first page
    :param attributes: ids of attributes whose values the records have as fields, since core 2.0
    :raises ServerError: if a record has no id, or the server ignores the condition for the next page
    """
    query = {
        **build_short_query([*where, *([after_id(last_id)] if last_id is not None else [])]),
        "select": ",".join(check_field("select", name) for name in select) or None,
        "maxSize": LARGE_PAGE_SIZE,
        "sortBy": "id",
        "asc": True,
        "collectionOnly": True,  # without the total count, which is expensive
    }
    request = Request("GET", url_path("api", check_entity(entity)), query=query)
    if attributes:
        named = ",".join(check_field("attributes", name) for name in attributes)
        request = replace(request, query={**query, "attributes": named}, headers={"Flatten-Attributes": "true"})
    reply = yield request
    page = check_page(reply)
    _check_progress(reply, page, last_id)
    return page


def count(entity: str, where: Sequence[Condition]) -> Flow[int | None]:
    """Return how many records meet the conditions; None if the server does not count them (``GET /api/{Entity}``).

    :param entity: such as "Product"
    :param where: conditions that must all be met, see `filters.build_query`
    """
    query = {**build_short_query(where), "select": "id", "maxSize": 1, "totalOnly": True}  # servers before 2.3 list one
    reply = yield Request("GET", url_path("api", check_entity(entity)), query=query)
    total = check_shape(reply, reply.json(), Counted)["total"]
    return total if total is not None and total >= 0 else None


def read_by_value(
    entity: str, field: str, values: Sequence[str], select: Sequence[str], take: Take, shape: type = StoredRecord
) -> Flow[None]:
    """Read records by the value of a field; each request contains as many values as fit into a URL.

    :param entity: such as "Product"
    :param field: such as "number"
    :param values: the values to find; compared as text
    :param select: fields to read besides ``id`` and the given field; empty = all
    :param take: takes in the records of each page
    :param shape: the shape of a record
    """
    check_entity(entity)
    check_field("field", field)
    if isinstance(values, str):
        raise ValueError(f"values must be a list of values, not {values[:80]!r}")
    for batch in _batch_values([check_key("values", value) for value in values]):
        condition = {"type": "in", "attribute": field, "value": batch}
        yield from read_list(entity, [condition], select and [field, *select], take, shape)


def _check_progress(reply: Reply, page: Sequence[Record], last_id: str | None) -> None:
    if any(record["id"] == last_id for record in page):  # order and equality of ids are the database's
        raise reply.malformed(f"unexpected response: the page after id {last_id!r} contains this id")


def check_page(reply: Reply, shape: type = StoredRecord) -> list[Record]:
    """Return the records of a list's response.

    :param reply: the response
    :param shape: the shape of a record
    :raises ServerError: if the response is no list of such records
    """
    body = check_shape(reply, reply.json(), JsonObject)
    return check_shape(reply, body.get("list"), list[shape], "list")  # type: ignore[valid-type]


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
