"""What the server's sources know of a file, by its hash; and what the server itself has found out, of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API, HASH_SEARCH, asked
from self_hosted.assemblyline.api.sources import hash_source
from self_hosted.core.errors import Broken, NotFound
from self_hosted.core.flow import Flow, Request, url_path

NOTHING_FOUND = {"File hash not found.", "Unsupported hash type."}
"""What a source says that has nothing, or knows no such hashes."""


def list_data_sources() -> Flow[list[str]]:
    """The sources that can be asked for hashes; those outside of Assemblyline begin with "x.".

    ``GET /api/v4/hash_search/list_data_sources/``
    """
    return asked(Request("GET", f"{HASH_SEARCH}/list_data_sources/"))


def hash_search(
    hash: str,
    sources: Sequence[str] = (),
    classification: str | None = None,
    max_timeout: float | None = None,
    limit: int | None = None,
) -> Flow[dict[str, dict[str, Any]]]:
    """What sources know of a file: {source: {error, items: [{confirmed, data, description, malicious}]}}.

    A source that knows nothing has no items, which is no error. One that fails has its ``error`` beside what the others
    have found.

    ``GET /api/v4/hash_search/<hash>/``

    :param hash: SHA-256, SHA-1, MD5, ssdeep or TLSH
    :param sources: whom to ask, see `list_data_sources`; by default all within Assemblyline, and nobody outside
    :param classification: of the hash; by default the highest that the user may see
    :param max_timeout: seconds after which the server waits no longer for a source (3)
    :param limit: how many items a source gives at most (500)
    :raises ValueError: for what is no hash, and an ssdeep that holds a slash
    :raises Broken: when no source could answer
    """
    value = checked_for_sources(hash)
    path = f"{API}{url_path('hash_search', value)}/"
    query = {"classification": classification, "max_timeout": max_timeout, "limit": limit}
    try:
        found = yield from asked(Request("GET", path, {"db": "|".join(sources) or None, **query}))
    except NotFound as error:
        if error.words not in NOTHING_FOUND:
            raise
        return {}  # no source was asked
    told = {source: {**one, "error": _error(one["error"])} for source, one in found.items()}
    if told and all(one["error"] for one in told.values()):
        errors = "; ".join(f"{source}: {one['error']}" for source, one in told.items())
        raise Broken(f"no source could answer: {errors}", method="GET", path=path)
    return told


def checked_for_sources(hash: str) -> str:
    """A hash as it is sent to sources.

    :raises ValueError: for what is no hash, and an ssdeep that holds a slash
    """
    [value] = hash_source(hash).values()
    if "/" in value:
        raise ValueError(f"sources cannot be asked for {value!r}: it holds a slash, which the server takes for a path")
    return value


def check_sources(sources: Sequence[str]) -> Flow[None]:
    """Validate that there are such sources: the server leaves out those that it does not know, without a word.

    :raises ValueError: naming those there are
    """
    known = (yield from list_data_sources()) if sources else []
    unknown = sorted(set(sources) - set(known))
    if unknown:
        raise ValueError(f"sources: there is no {', '.join(unknown)} on this server, which has {', '.join(known)}")


def _error(words: str | None) -> str | None:
    return None if words in NOTHING_FOUND else words or None
