"""Data sources: internal and external services that the server queries for a hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api.files import hash_kinds
from self_hosted.assemblyline.errors import API_PATH, HASH_SEARCH_PATH, call, read_result
from self_hosted.core.http.errors import NotFoundError, ServerError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path

NOT_FOUND_MESSAGES = {"File hash not found.", "Unsupported hash type."}
"""The messages of sources that have nothing on the hash, or do not know its kind."""


class SourceResult(TypedDict):
    """The result of one data source.

    :param error: why the source failed; None if it did not
    :param items: ``{confirmed, data, description, malicious}`` each; empty if the source has nothing
    """

    error: str | None
    items: list[dict[str, Any]]


class _Item(typing_extensions.TypedDict):
    confirmed: bool
    description: str
    malicious: bool


class _Source(typing_extensions.TypedDict):
    error: str | None
    items: list[_Item]


def list_all() -> Flow[list[str]]:
    """Return the names of the data sources; external ones start with "x.".

    ``GET /api/v4/hash_search/list_data_sources/``
    """
    return call(Request("GET", f"{HASH_SEARCH_PATH}/list_data_sources/"), list[str])


def search(
    hash: str,
    sources: Sequence[str] = (),
    classification: str | None = None,
    max_timeout: float | None = None,
    limit: int | None = None,
) -> Flow[dict[str, SourceResult]]:
    """Query data sources for a hash. A source that has nothing, or that fails, does not affect the others.

    ``GET /api/v4/hash_search/<hash>/``

    :param hash: SHA-256, SHA-1, MD5, ssdeep or TLSH
    :param sources: names, see `list_all`; default: all internal ones and no external one
    :param classification: of the hash; default: the highest that the user may see
    :param max_timeout: seconds that the server waits for a source; default 3
    :param limit: largest number of items per source; default 500
    :return: `SourceResult` by name of the source
    :raises ValueError: if it is no hash, or an ssdeep with a slash
    :raises ServerError: if all sources failed
    """
    path = f"{API_PATH}{url_path('hash_search', parse_hash(hash))}/"
    query = {"classification": classification, "max_timeout": max_timeout, "limit": limit}
    try:
        reply = yield Request("GET", path, {"db": "|".join(sources) or None, **query})
    except NotFoundError as error:
        if error.message not in NOT_FOUND_MESSAGES:
            raise
        return {}  # no source was queried
    response = read_result(reply, dict[str, _Source])
    found = {name: _read_source(reply, source) for name, source in response.items()}
    if found and all(result["error"] for result in found.values()):
        errors = "; ".join(f"{name}: {result['error']}" for name, result in found.items())
        raise ServerError(f"all data sources failed: {errors}", method="GET", path=path)
    return found


def parse_hash(hash: str) -> str:
    """Return a hash in the server's spelling.

    :param hash: SHA-256, SHA-1, MD5, ssdeep or TLSH, in upper or lower case
    :raises ValueError: if it is no hash, or an ssdeep with a slash
    """
    [value] = hash_kinds.identify(hash).values()
    if "/" in value:
        raise ValueError(
            f"data sources cannot be queried for {value!r}: the server reads its slash as part of the path"
        )
    return value


def check_names(sources: Sequence[str]) -> Flow[None]:
    """Check that data sources exist: the server ignores unknown ones.

    :param sources: names
    :raises ValueError: if one does not exist; the message names the existing ones
    """
    existing = (yield from list_all()) if sources else []
    unknown = sorted(set(sources) - set(existing))
    if unknown:
        raise ValueError(f"sources: unknown {', '.join(unknown)}; this server has {', '.join(existing)}")


def _read_source(reply: Reply, source: _Source) -> SourceResult:
    error = None if source["error"] in NOT_FOUND_MESSAGES else source["error"]
    items = [{**item, "description": reply.clean(item["description"])} for item in source["items"]]
    return SourceResult(error=reply.clean(error) if error else None, items=items)
