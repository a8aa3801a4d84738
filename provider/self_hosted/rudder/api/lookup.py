"""Look up many objects by id with few requests; Rudder has no pagination, and its lists leave out some objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from self_hosted.core.http.errors import InvalidRequestError, NotFoundError
from self_hosted.core.http.flow import Flow
from self_hosted.rudder.errors import NotOfferedError

MAX_SINGLE_READS = 5  # objects that a list left out are read one by one, up to so many, before a longer list is read
T = TypeVar("T")


def look_up(
    ids: Iterable[str], get: Callable[[str], Flow[T]], *lists: Callable[[], Flow[Sequence[T]]]
) -> Flow[Mapping[str, T | None]]:
    """Return objects by id, None for missing ones: many from lists, and those that no list contains one by one.

    :param ids: their ids
    :param get: returns the flow that reads one
    :param lists: return the flows that list them: the first is read for more than one object, each further one for more
        than `MAX_SINGLE_READS` that are still missing
    :raises InvalidRequestError: if an id is invalid; then nothing was sent for it
    """
    found: dict[str, T | None] = {}
    required, max_single_reads = set(ids), 1
    try:
        for list_all in lists:
            if len(required - set(found)) > max_single_reads:
                found.update({str(cast("Mapping[str, Any]", item)["id"]): item for item in (yield from list_all())})
            max_single_reads = MAX_SINGLE_READS
        for object_id in sorted(required - set(found)):
            found[object_id] = yield from _read(get, object_id)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None
    return {object_id: found[object_id] for object_id in required}


def _read(get: Callable[[str], Flow[T]], object_id: str) -> Flow[T | None]:
    try:
        return (yield from get(object_id))
    except NotOfferedError:
        raise
    except NotFoundError:
        return None
