"""Signatures, the detection rules of services: find, delete and download them."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.search import documents
from self_hosted.assemblyline.api.search.checks import LIST_ARGUMENTS, parse_arguments
from self_hosted.assemblyline.api.search.search import find
from self_hosted.assemblyline.errors import API_PATH, Success, call, call_object
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.errors import NotFoundError, ServerError
from self_hosted.core.http.flow import Flow, Request, SaveTo, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)

ENDPOINTS = frozenset({"add_update", "add_update_many", "download", "sources", "stats", "update_available"})
"""The words in place of an id that are other endpoints."""

MAX_ITEMS = 10_000
"""How many signatures one search shows."""

Deletion = Literal["deleted", "absent"]


class _Signature(typing_extensions.TypedDict):
    status: str
    signature_id: typing_extensions.NotRequired[str | None]


class _FoundId(typing_extensions.TypedDict):
    id: str


class _FoundIds(typing_extensions.TypedDict):
    items: list[_FoundId]
    total: int


def check_id(argument: str, signature_id: str) -> str:
    """Return the id of a signature.

    :param argument: name of the argument
    :param signature_id: "<type>_<source>_<own id>"
    :raises ValueError: if it would reach another endpoint
    """
    return ids.check_segment(argument, signature_id, ENDPOINTS)


def get(signature_id: str) -> Flow[dict[str, Any]]:
    """Return one signature: id, name, type, source, status, data (the rule itself), stats, ...

    ``GET /api/v4/signature/<signature_id>/``

    :param signature_id: "<type>_<source>_<own id>"
    :raises NotFoundError: if it does not exist
    """
    path = url_path("signature", check_id("signature_id", signature_id))
    return call_object(Request("GET", f"{API_PATH}{path}/"), _Signature)


def search(query: str = "*", rows: int = 100) -> Flow[list[dict[str, Any]]]:
    """Return the signatures that a query finds, without the rules themselves; the last changed ones first.

    ``POST /api/v4/search/signature/``

    :param query: a Lucene query, such as ``type:yara AND status:NOISY``; quote external values with `lucene.quote`
    :param rows: largest number of signatures
    """
    return find("signature", {"query": query, "rows": rows, "sort": "last_modified desc"})


def list_ids(query: str, max_items: int) -> Flow[list[str]]:
    """Return the ids of all signatures that a query finds, in order.

    ``POST /api/v4/search/signature/``

    :param query: see `search`
    :param max_items: how many there may be, at most 10,000
    :raises ValueError: if there are more
    """
    parse_int("max_items", max_items, maximum=MAX_ITEMS)
    arguments = {"query": query, "rows": max_items, "fl": "id", "sort": "id asc"}
    request = documents.build_request("signature", parse_arguments("signature", arguments, LIST_ARGUMENTS))
    found = yield from call(request, _FoundIds)
    if found["total"] > max_items:
        raise ValueError(
            f"query: {query!r:.200} matches {found['total']} signatures, more than max_items ({max_items})"
        )
    return [item["id"] for item in found["items"]]


def get_stats() -> Flow[list[dict[str, Any]]]:
    """Return hits and scores of each signature: id, name, type, source, count, min, avg, max, first_hit, ...

    ``GET /api/v4/signature/stats/``
    """
    return call(Request("GET", f"{API_PATH}/signature/stats/", long_running=True), list[JsonObject])


def delete(signature_id: str) -> Flow[Deletion]:
    """Delete a signature: "deleted", or "absent" if it did not exist.

    ``DELETE /api/v4/signature/<signature_id>/``; requires the role signature_manage

    :param signature_id: id of the signature
    """
    path = f"{API_PATH}{url_path('signature', check_id('signature_id', signature_id))}/"
    if not (yield from _exists(signature_id)):
        return "absent"
    try:
        request = Request("DELETE", path, idempotent=True)
        require_success((yield from call(request, Success)), request)
    except NotFoundError:  # the response to an earlier request was lost
        pass
    log.info("Signature %s: deleted", signature_id)
    return "deleted"


def _exists(signature_id: str) -> Flow[bool]:
    try:
        yield from get(signature_id)
    except NotFoundError:
        return False
    return True


def require_success(response: Success, request: Request) -> None:
    """Check the response to a change of a signature or a source.

    :param response: the response
    :param request: its request
    :raises ServerError: if the server did not store the change
    """
    if not response["success"]:
        raise ServerError("the server did not store the change", method=request.method, path=request.path)


def download(save_to: SaveTo, query: str = "status:DEPLOYED") -> Flow[None]:
    """Write the rules that a query finds to a zip archive, with one file per type and source.

    ``GET /api/v4/signature/download/``

    :param save_to: opens the target for writing
    :param query: a Lucene query, such as ``type:yara AND status:DEPLOYED``
    """
    yield Request("GET", f"{API_PATH}/signature/download/", {"query": query}, save_to=save_to, long_running=True)


def build_page_url(base_url: str, signature_id: str) -> str:
    """Return the URL of a signature's page in the UI.

    :param base_url: the connection's base URL
    :param signature_id: id of the signature
    """
    return f"{base_url}{ids.build_page_path('manage', 'signature', signature_id)}"


def build_list_url(base_url: str, query: str) -> str:
    """Return the URL of the UI's list of signatures.

    :param base_url: the connection's base URL
    :param query: a Lucene query
    """
    return f"{base_url}/manage/signatures?{urlencode({'query': query})}"
