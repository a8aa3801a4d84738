"""Looks records up by many values of a field, with as few requests as URLs permit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from self_hosted.atrocore.api.dialects import URI_TOO_LONG
from self_hosted.atrocore.api.filters import Condition, build_short_query
from self_hosted.atrocore.api.pages import MAX_PAGE_SIZE, Record, read_page
from self_hosted.core.http.errors import InvalidRequestError, ServerError
from self_hosted.core.http.flow import Flow

MAX_FOUND = 20_000  # of some 100 values: a list without an end would fill the memory
MAX_QUERY_LENGTH = 7800  # common servers reject request lines from 8190 bytes on


def look_up(
    entity: str,
    keys: Sequence[str],
    build: Callable[[Sequence[str]], Condition],
    select: Sequence[str] = (),
    others: Sequence[Condition] = (),
    attributes: Sequence[str] = (),
) -> Flow[list[Record]]:
    """Return the records that have one of the keys; without keys, none.

    :param entity: such as "Product"
    :param keys: in any number
    :param build: returns the condition for a part of the keys
    :param select: fields to read besides ``id``; empty = all
    :param others: further conditions
    :param attributes: see `pages.read_page`
    """
    if not keys:  # without keys, a filter would match other records
        return []
    where = [build(keys), *others]
    length = len(urlencode(build_short_query(where), doseq=True)) + len(",".join((*select, *attributes)))
    if length < MAX_QUERY_LENGTH or len(keys) == 1:
        try:
            return (yield from list_all(entity, where, select, attributes))
        except InvalidRequestError as error:
            if error.status != URI_TOO_LONG or len(keys) == 1:
                raise
    middle = len(keys) // 2
    first = yield from look_up(entity, keys[:middle], build, select, others, attributes)
    return first + (yield from look_up(entity, keys[middle:], build, select, others, attributes))


def list_all(
    entity: str, where: Sequence[Condition], select: Sequence[str] = (), attributes: Sequence[str] = ()
) -> Flow[list[Record]]:
    """Return all records that meet the conditions.

    :param entity: such as "Product"
    :param where: the conditions
    :param select: see `look_up`
    :param attributes: see `pages.read_page`
    :raises ServerError: if there are too many
    """
    page = yield from read_page(entity, where, select, attributes=attributes)
    found = list(page)
    while last_id := get_last_id(page):
        if len(found) > MAX_FOUND:
            raise ServerError(f"more records than {MAX_FOUND} of the entity {entity} have the same few values")
        page = yield from read_page(entity, where, select, last_id, attributes)
        found += page
    return found


def get_last_id(page: Sequence[Record]) -> str | None:
    """Return where the next page begins; None after the last one.

    :param page: the records of a page
    """
    return page[-1]["id"] if len(page) >= MAX_PAGE_SIZE else None


def is_in(attribute: str, values: Sequence[str]) -> Condition:
    """Return the condition that an attribute has one of some values.

    :param attribute: its name
    :param values: the values
    """
    return {"type": "in", "attribute": attribute, "value": list(values)}
