"""Signatures: the rules that services find malware by, and the sources they are fetched from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.searching import search
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, SaveTo, url_path

IN_FORCE, DRAFTS = ("DEPLOYED", "NOISY", "DISABLED"), ("STAGING", "TESTING")
"""The states that a signature can be given: those of rules in use, and those of rules that are tried out."""

# the others hold keys, passwords and headers by which a source is fetched
SHOWN_OF_SOURCES = (
    "name",
    "uri",
    "enabled",
    "pattern",
    "default_classification",
    "override_classification",
    "update_interval",
    "status",
)
CREDENTIAL = re.compile(r"(?<=//)[^/@]*@")


def signature(signature_id: str) -> Flow[dict[str, Any]]:
    """One signature: id, name, type, source, status, data (the rule itself), stats, ...

    ``GET /api/v4/signature/<signature_id>/``

    :param signature_id: "<type>_<source>_<its own id>"
    :raises NotFound: when there is none
    """
    return asked(Request("GET", f"{API}{url_path('signature', signature_id)}/"))


def search_signatures(query: str = "*", rows: int = 100) -> Flow[list[dict[str, Any]]]:
    """Signatures that a Lucene query finds, those that changed last first, without the rules themselves.

    ``POST /api/v4/search/signature/``

    :param query: such as ``type:yara AND status:NOISY``; put what comes from outside through `phrase`
    :param rows: how many at most
    """
    return search("signature", {"query": query, "rows": rows, "sort": "last_modified desc"})


def signature_stats() -> Flow[list[dict[str, Any]]]:
    """How often each signature hit, and with what scores: id, name, type, source, count, min, avg, max, first_hit, ...

    ``GET /api/v4/signature/stats/``
    """
    return asked(Request("GET", f"{API}/signature/stats/", slow=True))


def change_signature_status(signature_id: str, status: str) -> Flow[dict[str, Any]]:
    """Give a signature another status: {id, status, before}. What has it already is left alone.

    Other signatures with the same own id and this status become DISABLED, except for DISABLED and TESTING.

    ``GET /api/v4/signature/change_status/<signature_id>/<status>/``; needs the role signature_manage. The server fails
    (HTTP 500) on all that it refuses, so that it is checked before.

    :param signature_id: its id
    :param status: DEPLOYED, NOISY, DISABLED, STAGING or TESTING
    :raises NotFound: when there is no such signature
    :raises ValueError: for another status, and one that cannot follow on the present one
    """
    if status not in {*IN_FORCE, *DRAFTS}:
        raise ValueError(f"status must be one of {', '.join((*IN_FORCE, *DRAFTS))}, not {status!r}")
    before = (yield from signature(signature_id))["status"]
    if before == "INVALID" and status not in DRAFTS:
        raise ValueError(f"status: {signature_id} is INVALID, and can become {' or '.join(DRAFTS)} only, not {status}")
    if before in IN_FORCE and status in DRAFTS:
        raise ValueError(
            f"status: {signature_id} is {before} and can become {' or '.join(IN_FORCE)} only, not {status}"
        )
    if before != status:
        yield from asked(Request("GET", f"{API}{url_path('signature', 'change_status', signature_id, status)}/"))
    return {"id": signature_id, "status": status, "before": before}


def signature_sources() -> Flow[dict[str, list[dict[str, Any]]]]:
    """Where signatures are fetched from, by the name of the service: name, uri, enabled, update_interval, status, ...

    Without passwords, keys and headers, so that these get into no log and no XCom.

    ``GET /api/v4/signature/sources/``; needs the role signature_manage
    """
    found = yield from asked(Request("GET", f"{API}/signature/sources/"))
    return {service: [_shown(source) for source in of["sources"] or []] for service, of in found.items()}


def _shown(source: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: source[name] for name in SHOWN_OF_SOURCES if name in source}
    return {**shown, "uri": CREDENTIAL.sub("", str(source["uri"]))}


def enable_signature_source(service: str, name: str, *, enabled: bool = True) -> Flow[dict[str, Any]]:
    """Let signatures be fetched from a source, or no longer: {service, name, enabled, changed}.

    ``PUT /api/v4/signature/sources/enable/<service>/<name>/``; needs the role signature_manage

    :param service: whose source it is
    :param name: of the source
    :param enabled: whether they are to be fetched
    :raises NotFound: when there is no such source, on which the server fails (HTTP 500)
    """
    before = (yield from _sources_of(service, [name]))[0].get("enabled", True)
    if before != enabled:
        path = f"{API}{url_path('signature', 'sources', 'enable', service, name)}/"
        yield from asked(Request("PUT", path, json={"enabled": enabled}, repeatable=True))
    return {"service": service, "name": name, "enabled": enabled, "changed": before != enabled}


def update_signature_sources(service: str, names: Sequence[str] = ()) -> Flow[list[str]]:
    """Have the signatures of sources fetched now: the names of these sources. The server does it by and by.

    ``PUT /api/v4/signature/sources/update/<service>/``; needs the role signature_manage

    :param service: whose sources they are
    :param names: of the sources; by default all
    :raises NotFound: when there is no such source, which the server would leave out
    """
    yield from _sources_of(service, names)
    path = f"{API}{url_path('signature', 'sources', 'update', service)}/"
    answer = yield from asked(Request("PUT", path, {"sources": ",".join(names) or None}, repeatable=True))
    return answer["sources"]  # type: ignore[no-any-return]


def _sources_of(service: str, names: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    known = {source["name"]: source for source in (yield from signature_sources()).get(service, [])}
    missing = [name for name in names if name not in known]
    if missing or not known:
        there = ", ".join(known) or "none"
        raise NotFound(f"service {service!r} has no signature source {', '.join(missing) or 'at all'}; it has {there}")
    return [known[name] for name in names]


def download_signatures(save_to: SaveTo, query: str = "status:DEPLOYED") -> Flow[None]:
    """Write the rules that a Lucene query finds to a zip archive, with one file for each type and source.

    ``GET /api/v4/signature/download/``

    :param save_to: opens the file that is written to
    :param query: such as ``type:yara AND status:DEPLOYED``
    """
    yield Request("GET", f"{API}/signature/download/", {"query": query}, save_to=save_to, slow=True)
