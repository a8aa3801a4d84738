"""Badlist and safelist: what is on them. Both are asked in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.list_entries import check_list
from self_hosted.assemblyline.api.searching import any_of, search
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, url_path

MANY = 500
"""Entries that are asked for or sent at once: Elasticsearch takes 1024 terms in a query."""

COMPARED = "id,type,enabled,expiry_ts,hashes,sources,attribution"


def list_page(base_url: str, list_name: str, id_: str = "") -> str:
    """The page of a list, or of one of its entries.

    :param base_url: the connection's base URL
    :param list_name: "badlist" or "safelist"
    :param id_: of the entry
    """
    return f"{base_url}{url_path('manage', list_name, *filter(None, [id_]))}"


def list_entry(list_name: str, id_: str) -> Flow[dict[str, Any]]:
    """One entry of a list, always up to date.

    ``GET /api/v4/badlist/<id>/``, and the same of the safelist

    :param list_name: "badlist" or "safelist"
    :param id_: a file's SHA-256 or other best hash, or the `entry_id` of a tag or signature
    :raises NotFound: when it is not on the list, or the user may not see it
    """
    return asked(Request("GET", entry_path(list_name, id_)))


def list_entry_if_any(list_name: str, id_: str) -> Flow[dict[str, Any] | None]:
    """As `list_entry`, but None when it is not on the list.

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    """
    try:
        return (yield from list_entry(list_name, id_))
    except NotFound:
        return None


def list_entries(list_name: str, ids: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    """Those of many that are on a list, by their ids: type, enabled, expiry_ts, hashes, sources, attribution.

    ``POST /api/v4/search/badlist/``, once for each 500. What was added within a second may be missing.

    :param list_name: "badlist" or "safelist"
    :param ids: as for `list_entry`
    """
    check_list("list_name", list_name)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), MANY):
        some = ids[start : start + MANY]
        wanted = {"query": f"id:{any_of(some)}", "fl": COMPARED, "rows": len(some), "sort": "id asc"}
        found.update({one["id"]: one for one in (yield from search(list_name, wanted))})
    return found


def entry_path(list_name: str, id_: str, *parts: str) -> str:
    """The path of an entry, or of a part of it.

    :param list_name: "badlist" or "safelist"
    :param id_: as for `list_entry`
    :param parts: what is asked of it first, then what follows its id: "enable", or "source", name and type
    :raises ValueError: for a part that the server would not find, since it holds a slash
    """
    check_list("list_name", list_name)
    for part in (id_, *parts):
        if "/" in part:
            raise ValueError(f"{part!r} holds a slash, with which the server finds no entry or source")
    return f"{API}{url_path(list_name, *parts[:1], id_, *parts[1:])}/"
