"""Badlist and safelist: find entries and remove them. Both lists have the same API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import quote

from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.api.lists import schema
from self_hosted.assemblyline.api.lists.types import FoundEntry, ListEntry
from self_hosted.assemblyline.api.search import lucene, search
from self_hosted.assemblyline.errors import API_PATH, Success, call, call_object
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)

BATCH_SIZE = 500
"""Entries per request: Elasticsearch accepts 1024 terms in a query."""

COMPARED_FIELDS = "id,type,enabled,expiry_ts,hashes,sources,attribution"
Removal = Literal["removed", "absent", "kept"]


def build_page_url(base_url: str, list_name: str, entry_id: str = "") -> str:
    """Return the URL of the page of a list, or of one of its entries, in the UI.

    :param base_url: the connection's base URL
    :param list_name: "badlist" or "safelist"
    :param entry_id: id of the entry; "" for the list
    """
    return f"{base_url}{url_path('manage', list_name, *filter(None, [entry_id]))}"


def get(list_name: str, entry_id: str) -> Flow[dict[str, Any]]:
    """Return one entry, always up to date.

    ``GET /api/v4/badlist/<id>/`` or ``GET /api/v4/safelist/<id>/``

    :param list_name: "badlist" or "safelist"
    :param entry_id: the best hash of a file, or the `schema.compute_id` of a tag or signature
    :raises NotFoundError: if it is not on the list, or the user may not see it
    """
    return call_object(Request("GET", build_path(list_name, entry_id)), ListEntry)


def get_if_present(list_name: str, entry_id: str) -> Flow[dict[str, Any] | None]:
    """Return one entry, or None if it is not on the list.

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `get`
    """
    try:
        return (yield from get(list_name, entry_id))
    except NotFoundError:
        return None


def get_many(list_name: str, ids: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    """Return those of many entries that are on a list, by id: type, enabled, expiry_ts, hashes, sources, attribution.

    Entries that were added within the last second may be missing.

    ``POST /api/v4/search/badlist/``, once per 500 entries

    :param list_name: "badlist" or "safelist"
    :param ids: see `get`
    """
    schema.check_list_name("list_name", list_name)
    check_ids("ids", ids)
    entries: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), BATCH_SIZE):
        batch = ids[start : start + BATCH_SIZE]
        query = f"id:{lucene.quote_any(batch)}"
        arguments = {"query": query, "fl": COMPARED_FIELDS, "rows": len(batch), "sort": "id asc"}
        found: list[Any] = yield from search.find_shaped(list_name, arguments, FoundEntry)
        entries.update({entry["id"]: entry for entry in found})
    return entries


def find_similar(value: str) -> Flow[list[dict[str, Any]]]:
    """Return the badlist entries for files that are similar to one.

    ``GET /api/v4/badlist/ssdeep/<hash>/`` or ``GET /api/v4/badlist/tlsh/<hash>/``

    :param value: ssdeep or TLSH of the file
    :raises ValueError: if it is neither
    """
    for kind, spelling in (("ssdeep", value), ("tlsh", value.upper())):
        if re.fullmatch(hash_kinds.PATTERNS[kind], spelling):
            # an ssdeep may hold slashes; this endpoint takes all that follows, and only reads
            path = f"{API_PATH}/badlist/{kind}/{quote(spelling, safe='')}/"
            return (yield from call(Request("GET", path), list[JsonObject]))
    raise ValueError(f"value must be an ssdeep or a TLSH, not {value!r}")


def remove(list_name: str, entry_id: str) -> Flow[Removal]:
    """Remove an entry: "removed", "absent" if it was not on the list, or "kept".

    Without the role signature_manage, the server only removes the user's own sources. It keeps an entry with other
    sources, and reports a success all the same.

    ``DELETE /api/v4/badlist/<id>/`` or ``DELETE /api/v4/safelist/<id>/``

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `get`
    """
    if not (yield from get_if_present(list_name, entry_id)):
        return "absent"
    yield from call(Request("DELETE", build_path(list_name, entry_id), idempotent=True), Success)
    is_kept = bool((yield from get_if_present(list_name, entry_id)))
    effect = "removed the user's source, others remain" if is_kept else "removed"
    log.info("Entry %s of the %s: %s", entry_id, list_name, effect)
    return "kept" if is_kept else "removed"


def build_path(list_name: str, entry_id: str, *parts: str) -> str:
    """Return the path of an entry, or of a part of it.

    :param list_name: "badlist" or "safelist"
    :param entry_id: see `get`
    :param parts: the part's name, then what follows the id: "enable"; or "source", name and type
    :raises ValueError: if a part holds a slash: the server would not find it
    """
    schema.check_list_name("list_name", list_name)
    for part in (entry_id, *parts):
        if "/" in part:
            raise ValueError(f"the server finds no entry or source with a slash: {part!r}")
    return f"{API_PATH}{url_path(list_name, *parts[:1], entry_id, *parts[1:])}/"
