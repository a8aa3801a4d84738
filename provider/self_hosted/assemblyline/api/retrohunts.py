"""Retrohunts: a new YARA rule, tried on all files that the server still has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API
from self_hosted.assemblyline.api.optional import asked_if_on
from self_hosted.assemblyline.api.searching import any_of
from self_hosted.core.flow import Flow, Request, url_path

MOST_HITS = 10_000
"""Hits of a retrohunt that the server shows; of more it tells the number only."""

OUTCOME = "key,finished,truncated,description"


def retrohunt_page(base_url: str, key: str) -> str:
    """The page of a retrohunt.

    :param base_url: the connection's base URL
    :param key: its key
    """
    return f"{base_url}{url_path('retrohunt', key)}"


def retrohunt(key: str) -> Flow[dict[str, Any]]:
    """One retrohunt: key, finished, truncated, total_errors, total_warnings, yara_signature, ...

    ``GET /api/v4/retrohunt/<key>/``

    :param key: what the start was answered with
    :raises NotFound: when there is no such retrohunt
    """
    return asked_of_retrohunt(Request("GET", f"{API}{url_path('retrohunt', key)}/"))


def search_retrohunts(query: str, fields: str = OUTCOME, rows: int = 25) -> Flow[list[dict[str, Any]]]:
    """Retrohunts that a Lucene query finds, newest first, each with its total_hits.

    ``POST /api/v4/retrohunt/``

    :param query: such as ``creator:"airflow" AND finished:false``
    :param fields: names of fields, with commas between them
    :param rows: how many at most
    """
    wanted = {"query": query, "fl": fields, "rows": rows, "sort": "created_time desc"}
    found = yield from asked_of_retrohunt(Request("POST", f"{API}/retrohunt/", json=wanted, repeatable=True))
    return found["items"]  # type: ignore[no-any-return]


def retrohunts(keys: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    """Several retrohunts by one search: key, finished, truncated, description and total_hits, by their keys.

    :param keys: theirs
    """
    if not keys:
        return {}
    found = yield from search_retrohunts(f"key:{any_of(keys)}", rows=len(keys))
    return {one["key"]: one for one in found}


def retrohunt_hits(key: str, query: str = "*", rows: int = 10, offset: int = 0) -> Flow[dict[str, Any]]:
    """Files that a retrohunt found, as documents of the index file: {items, total}; of `MOST_HITS` at most.

    ``POST /api/v4/retrohunt/hits/<key>/``

    :param key: its key
    :param query: which of them, in Lucene
    :param rows: how many at most
    :param offset: how many to leave out
    """
    # by a field that does not change, so that pages fit together while files are seen again
    wanted = {"query": query, "rows": rows, "offset": offset, "sort": "sha256 asc"}
    return asked_of_retrohunt(
        Request("POST", f"{API}{url_path('retrohunt', 'hits', key)}/", json=wanted, repeatable=True)
    )


def retrohunt_errors(key: str, rows: int = 20, offset: int = 0) -> Flow[dict[str, Any]]:
    """What went wrong in a retrohunt: {items: [{type, message}], total}, ``type`` being "error" or "warning".

    ``POST /api/v4/retrohunt/errors/<key>/``

    :param key: its key
    :param rows: how many at most
    :param offset: how many to leave out
    """
    wanted = {"rows": rows, "offset": offset}
    return asked_of_retrohunt(
        Request("POST", f"{API}{url_path('retrohunt', 'errors', key)}/", json=wanted, repeatable=True)
    )


def retrohunt_types(key: str, query: str = "*") -> Flow[dict[str, int]]:
    """How many files of each type a retrohunt found: {"text/plain": 3, ...}.

    ``POST /api/v4/retrohunt/types/<key>/``

    :param key: its key
    :param query: which of them, in Lucene
    """
    path = f"{API}{url_path('retrohunt', 'types', key)}/"
    return asked_of_retrohunt(Request("POST", path, json={"query": query}, repeatable=True))


def asked_of_retrohunt(request: Request) -> Flow[Any]:
    """Send, and take the result out of the envelope; say so when the server has no retrohunt."""
    return asked_if_on("retrohunt", request)
