"""Retrohunts: YARA rules that run on all files that the server still has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.errors import API_PATH, call_if_enabled
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject

MAX_HITS = 10_000
"""Hits that the server shows of a retrohunt; further ones are only counted."""

OUTCOME_FIELDS = "key,finished,truncated,description"


class Hits(TypedDict):
    """Files that a retrohunt found.

    :param items: documents of the index file
    :param total: how many there are
    """

    items: list[dict[str, Any]]
    total: int


class RetrohuntErrors(TypedDict):
    """Errors and warnings of a retrohunt.

    :param items: ``{type, message}`` each; ``type`` is "error" or "warning"
    :param total: how many there are
    """

    items: list[dict[str, str]]
    total: int


class _Retrohunt(TypedDict):
    key: str


class _RetrohuntDetails(_Retrohunt):
    yara_signature: str
    indices: str
    finished: bool
    total_errors: int


class _Retrohunts(TypedDict):
    items: list[_Retrohunt]


class _Outcome(TypedDict):
    key: str
    finished: bool
    truncated: NotRequired[bool]
    total_hits: int


class _Outcomes(TypedDict):
    items: list[_Outcome]


class _Hit(TypedDict):
    sha256: NotRequired[str | None]
    size: NotRequired[int | None]
    type: NotRequired[str | None]


class _Hits(TypedDict):
    items: list[_Hit]
    total: int


def build_page_url(base_url: str, key: str) -> str:
    """Return the URL of a retrohunt's page in the UI.

    :param base_url: the connection's base URL
    :param key: key of the retrohunt
    """
    return f"{base_url}{url_path('retrohunt', key)}"


def get(key: str) -> Flow[dict[str, Any]]:
    """Return one retrohunt: key, finished, truncated, total_errors, total_warnings, yara_signature, ...

    ``GET /api/v4/retrohunt/<key>/``

    :param key: key of the retrohunt
    :raises NotFoundError: if it does not exist
    """
    return call_retrohunt(Request("GET", f"{API_PATH}{url_path('retrohunt', key)}/"), _RetrohuntDetails)


def search(query: str, fields: str = OUTCOME_FIELDS, rows: int = 25) -> Flow[list[dict[str, Any]]]:
    """Return the retrohunts that a query finds, newest first, each with its total_hits.

    ``POST /api/v4/retrohunt/``

    :param query: a Lucene query, such as ``creator:"airflow" AND finished:false``
    :param fields: comma-separated names of fields
    :param rows: largest number of retrohunts
    """
    return (yield from _search(query, fields, rows, _Retrohunts))


def _search(query: str, fields: str, rows: int, shape: type[Any]) -> Flow[list[dict[str, Any]]]:
    arguments = {"query": query, "fl": fields, "rows": rows, "sort": "created_time desc"}
    request = Request("POST", f"{API_PATH}/retrohunt/", json=arguments, idempotent=True)
    return (yield from call_retrohunt(request, shape))["items"]  # type: ignore[no-any-return]


def get_many(keys: Sequence[str]) -> Flow[dict[str, dict[str, Any]]]:
    """Return several retrohunts by key, by one search: key, finished, truncated, description and total_hits.

    :param keys: keys of retrohunts
    """
    check_ids("keys", keys)
    if not keys:
        return {}
    found = yield from _search(f"key:{lucene.quote_any(keys)}", OUTCOME_FIELDS, len(keys), _Outcomes)
    return {document["key"]: document for document in found}


def list_hits(key: str, query: str = "*", rows: int = 10, offset: int = 0) -> Flow[Hits]:
    """Return files that a retrohunt found, `MAX_HITS` at most.

    ``POST /api/v4/retrohunt/hits/<key>/``

    :param key: key of the retrohunt
    :param query: a Lucene query that the files must match
    :param rows: largest number of files
    :param offset: number of files to skip
    :return: `Hits`
    """
    # a field that does not change keeps pages consistent while files are submitted again
    arguments = {"query": query, "rows": rows, "offset": offset, "sort": "sha256 asc"}
    return _read("hits", key, arguments, _Hits)


def list_errors(key: str, rows: int = 20, offset: int = 0) -> Flow[RetrohuntErrors]:
    """Return errors and warnings of a retrohunt.

    ``POST /api/v4/retrohunt/errors/<key>/``

    :param key: key of the retrohunt
    :param rows: largest number of them
    :param offset: number of them to skip
    :return: `RetrohuntErrors`
    """
    return _read("errors", key, {"rows": rows, "offset": offset}, RetrohuntErrors)


def count_types(key: str, query: str = "*") -> Flow[dict[str, int]]:
    """Return the number of files that a retrohunt found, by type: {"text/plain": 3, ...}.

    ``POST /api/v4/retrohunt/types/<key>/``

    :param key: key of the retrohunt
    :param query: a Lucene query that the files must match
    """
    return _read("types", key, {"query": query}, dict[str, int])


def _read(part: str, key: str, arguments: dict[str, Any], shape: type[Any]) -> Flow[Any]:
    path = f"{API_PATH}{url_path('retrohunt', part, key)}/"
    return call_retrohunt(Request("POST", path, json=arguments, idempotent=True), shape)


def call_document(request: Request) -> Flow[JsonObject]:
    """Send a request and return the retrohunt in the envelope.

    :param request: the request
    :raises InvalidRequestError: if the server has no retrohunt
    """
    return call_retrohunt(request, _Retrohunt)


def call_retrohunt(request: Request, shape: type[Any]) -> Flow[Any]:
    """Send a request and return the result in the envelope.

    :param request: the request
    :param shape: the shape of the result
    :raises InvalidRequestError: if the server has no retrohunt
    """
    return call_if_enabled("retrohunt", request, shape)
