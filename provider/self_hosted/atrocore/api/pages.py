"""Lists of records, read page by page; a record's shape is checked before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from typing_extensions import TypedDict

from self_hosted.atrocore.api.filters import Condition, build_query
from self_hosted.atrocore.api.identifiers import check_entity, check_field, check_key
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.shape import JsonObject, check_shape

Record = dict[str, Any]
Take = Callable[[Reply, list[Record]], None]
"""Takes in the records of one page."""

MAX_PAGE_SIZE = 200  # the limit of all dialects
MAX_KEYS_PER_REQUEST = 100
MAX_FILTER_LENGTH = 6000  # common servers reject request lines from 8190 bytes on


class StoredRecord(TypedDict):
    """The field that every record has."""

    id: str


def read_list(
    entity: str, where: Sequence[Condition], select: Sequence[str], take: Take, shape: type = StoredRecord
) -> Flow[None]:
    """Read all records that meet the conditions (``GET /api/{Entity}``).

    :param entity: such as "Product"
    :param where: conditions that must all be met, see `filters.build_query`
    :param select: fields to read besides ``id``; empty = all
    :param take: takes in the records of each page
    :param shape: the shape of a record
    :raises ServerError: if a record has another shape, or the server returns the same page twice
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
    offset, first_id = 0, None
    while True:
        reply = yield Request("GET", path, query={**query, "offset": offset})
        page = check_page(reply, shape)
        if page and page[0]["id"] == first_id:
            raise reply.malformed(f"unexpected response: the page at offset {offset} is the previous page")
        take(reply, page)
        if len(page) < MAX_PAGE_SIZE:
            return
        offset, first_id = offset + len(page), page[0]["id"]


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
