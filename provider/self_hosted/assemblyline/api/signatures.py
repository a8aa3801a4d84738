"""Signatures: the detection rules of services, and the sources from which they are fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.search.search import find
from self_hosted.assemblyline.errors import API_PATH, Success, call, call_object
from self_hosted.core.arguments import check_ids, parse_choice
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Request, SaveTo, url_path
from self_hosted.core.http.shape import JsonObject

ACTIVE_STATUSES, DRAFT_STATUSES = ("DEPLOYED", "NOISY", "DISABLED"), ("STAGING", "TESTING")
"""The statuses that users set: those of rules in use, and those of rules in development."""

# further fields hold keys, passwords and headers
PUBLIC_SOURCE_FIELDS = (
    "name",
    "uri",
    "enabled",
    "pattern",
    "default_classification",
    "override_classification",
    "update_interval",
    "status",
)
ENDPOINTS = frozenset({"download", "sources", "stats", "update_available"})
"""The words in place of an id that are other endpoints."""

CREDENTIAL = re.compile(r"(?<=//)[^/@]*@")


class UpdatedSignature(TypedDict):
    """A signature after a change of its status.

    :param id: id of the signature
    :param status: new status
    :param before: old status
    """

    id: str
    status: str
    before: str


class UpdatedSource(TypedDict):
    """A source of signatures that was enabled or disabled.

    :param service: name of its service
    :param name: name of the source
    :param enabled: whether it is enabled now
    :param changed: whether it was not before
    """

    service: str
    name: str
    enabled: bool
    changed: bool


class _Signature(typing_extensions.TypedDict):
    status: str


class _Source(typing_extensions.TypedDict):
    name: str
    uri: str
    enabled: typing_extensions.NotRequired[bool | None]


class _Sources(typing_extensions.TypedDict):
    sources: list[_Source] | None


class _Started(typing_extensions.TypedDict):
    sources: list[str]


def get(signature_id: str) -> Flow[dict[str, Any]]:
    """Return one signature: id, name, type, source, status, data (the rule itself), stats, ...

    ``GET /api/v4/signature/<signature_id>/``

    :param signature_id: "<type>_<source>_<own id>"
    :raises NotFoundError: if it does not exist
    """
    path = url_path("signature", ids.check_segment("signature_id", signature_id, ENDPOINTS))
    return call_object(Request("GET", f"{API_PATH}{path}/"), _Signature)


def search(query: str = "*", rows: int = 100) -> Flow[list[dict[str, Any]]]:
    """Return the signatures that a query finds, without the rules themselves; the last changed ones first.

    ``POST /api/v4/search/signature/``

    :param query: a Lucene query, such as ``type:yara AND status:NOISY``; quote external values with `lucene.quote`
    :param rows: largest number of signatures
    """
    return find("signature", {"query": query, "rows": rows, "sort": "last_modified desc"})


def get_stats() -> Flow[list[dict[str, Any]]]:
    """Return hits and scores of each signature: id, name, type, source, count, min, avg, max, first_hit, ...

    ``GET /api/v4/signature/stats/``
    """
    return call(Request("GET", f"{API_PATH}/signature/stats/", long_running=True), list[JsonObject])


def set_status(signature_id: str, status: str) -> Flow[UpdatedSignature]:
    """Set the status of a signature. Nothing is sent if it has this status.

    Other signatures with the same own id and this status become DISABLED, unless the status is DISABLED or TESTING.

    ``GET /api/v4/signature/change_status/<signature_id>/<status>/``; requires the role signature_manage. The server
    answers invalid changes with HTTP 500, so they are checked first.

    :param signature_id: id of the signature
    :param status: DEPLOYED, NOISY, DISABLED, STAGING or TESTING
    :return: `UpdatedSignature`
    :raises NotFoundError: if the signature does not exist
    :raises ValueError: if the status is unknown, or cannot follow the present one
    """
    parse_choice("status", status, (*ACTIVE_STATUSES, *DRAFT_STATUSES))
    before = (yield from get(signature_id))["status"]
    if before == "INVALID":
        _check_next(signature_id, before, status, DRAFT_STATUSES)
    if before in ACTIVE_STATUSES:
        _check_next(signature_id, before, status, ACTIVE_STATUSES)
    if before != status:
        path = f"{API_PATH}{url_path('signature', 'change_status', signature_id, status)}/"
        yield from call(Request("GET", path), Success)
    return {"id": signature_id, "status": status, "before": before}


def _check_next(signature_id: str, before: str, status: str, valid: Sequence[str]) -> None:
    if status not in valid:
        raise ValueError(f"status: {signature_id} is {before} and can only become {' or '.join(valid)}, not {status}")


def list_sources() -> Flow[dict[str, list[dict[str, Any]]]]:
    """Return the sources of signatures, by service: name, uri, enabled, update_interval, status, ...

    Passwords, keys and headers are left out, so that no log and no XCom holds them.

    ``GET /api/v4/signature/sources/``; requires the role signature_manage
    """
    response = yield from call(Request("GET", f"{API_PATH}/signature/sources/"), dict[str, _Sources])
    return {
        service: [_without_credentials(source) for source in config["sources"] or []]
        for service, config in response.items()
    }


def _without_credentials(source: Mapping[str, Any]) -> dict[str, Any]:
    public = {name: source[name] for name in PUBLIC_SOURCE_FIELDS if name in source}
    return {**public, "uri": CREDENTIAL.sub("", source["uri"])}


def set_source_enabled(service: str, name: str, *, enabled: bool = True) -> Flow[UpdatedSource]:
    """Enable or disable a source of signatures.

    ``PUT /api/v4/signature/sources/enable/<service>/<name>/``; requires the role signature_manage

    :param service: name of its service
    :param name: name of the source
    :param enabled: whether signatures are fetched from it
    :return: `UpdatedSource`
    :raises NotFoundError: if the source does not exist; the server would answer HTTP 500
    """
    ids.check_segment("service", service)
    ids.check_segment("name", name)
    before = (yield from _get_sources(service, [name]))[0].get("enabled", True)
    if before != enabled:
        path = f"{API_PATH}{url_path('signature', 'sources', 'enable', service, name)}/"
        yield from call(Request("PUT", path, json={"enabled": enabled}, idempotent=True), Success)
    return {"service": service, "name": name, "enabled": enabled, "changed": before != enabled}


def update_sources(service: str, names: Sequence[str] = ()) -> Flow[list[str]]:
    """Start to fetch the signatures of sources, and return the names of the sources. The server fetches them later.

    ``PUT /api/v4/signature/sources/update/<service>/``; requires the role signature_manage

    :param service: name of their service
    :param names: names of the sources; default: all
    :raises NotFoundError: if a source does not exist; the server would ignore it
    """
    ids.check_segment("service", service)
    yield from _get_sources(service, _check_names(names))
    path = f"{API_PATH}{url_path('signature', 'sources', 'update', service)}/"
    response = yield from call(Request("PUT", path, {"sources": ",".join(names) or None}, idempotent=True), _Started)
    return response["sources"]


def _check_names(names: Sequence[str]) -> list[str]:
    for name in check_ids("names", names):
        if "," in name:  # the server reads a list of names
            raise ValueError(f"names: the server cannot be sent {name!r}, because of the comma; leave out the names")
    return list(names)


def _get_sources(service: str, names: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    sources = {source["name"]: source for source in (yield from list_sources()).get(service, [])}
    missing = [name for name in names if name not in sources]
    if missing or not sources:
        valid, unknown = ", ".join(sources) or "none", ", ".join(missing)
        raise NotFoundError(f"service {service!r} has no signature source {unknown or 'at all'}; it has {valid}")
    return [sources[name] for name in names]


def download(save_to: SaveTo, query: str = "status:DEPLOYED") -> Flow[None]:
    """Write the rules that a query finds to a zip archive, with one file per type and source.

    ``GET /api/v4/signature/download/``

    :param save_to: opens the target for writing
    :param query: a Lucene query, such as ``type:yara AND status:DEPLOYED``
    """
    yield Request("GET", f"{API_PATH}/signature/download/", {"query": query}, save_to=save_to, long_running=True)
