"""What came of a submission in short: what a person wants to read, and a task can hand on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.reports import submission_summary
from self_hosted.assemblyline.api.results import result_key, service_results
from self_hosted.assemblyline.api.submissions import is_ghost, submission
from self_hosted.assemblyline.api.verdicts import verdict_bands, verdict_of
from self_hosted.core.errors import Final, Overdue
from self_hosted.core.flow import Flow

KINDS = ("malicious", "suspicious", "info", "safe")
"""What the server calls the findings of a service, the worst first."""

LONGEST_MESSAGE = 300


def completed_submission(sid: str) -> Flow[dict[str, Any]]:
    """The document of a submission whose analysis is over.

    :param sid: its id
    :raises Overdue: when it is not completed yet
    :raises Final: when it was cancelled
    """
    found = yield from submission(sid)
    if found["state"] != "completed":
        raise Overdue(
            f"submission {sid} is {found['state']}, not completed: wait for it first, for example with a sensor"
        )
    if is_ghost(found):
        raise Final(f"submission {sid} was cancelled, so that its score tells nothing")
    return found


def submission_digest(sid: str, first: int = 20) -> Flow[dict[str, Any]]:
    """A submission in short.

    {sid, max_score, verdict, bands, file_count, error_count, heuristics: {malicious: [names], suspicious: [...], ...},
    attack: [ids], iocs: {type: {count, first: [values]}}, attribution: the same, failed_services: [{service, sha256,
    error, message, status}], partial, filtered}. The worst come first, and nothing that is on the safelist. ``partial``
    says that results are missing, ``filtered`` that the user may not see all.

    :param sid: its id
    :param first: how many values of each type, and how many failed services, are named
    :raises Overdue: when it is not completed yet
    :raises Final: when it was cancelled
    """
    document = yield from completed_submission(sid)
    bands = yield from verdict_bands()
    found = yield from submission_summary(sid)
    failed = yield from _failed_services(document["errors"][:first])
    return {
        "sid": sid,
        "max_score": document["max_score"],
        "verdict": verdict_of(document["max_score"], bands),
        "bands": bands,
        "file_count": document["file_count"],
        "error_count": document["error_count"],
        "heuristics": {kind: _names(found["heuristics"][kind]) for kind in KINDS if found["heuristics"].get(kind)},
        "attack": sorted({id_ for techniques in found["attack_matrix"].values() for id_, *_ in techniques}),
        "iocs": _values(found["tags"]["ioc"], first),
        "attribution": _values(found["tags"]["attribution"], first),
        "failed_services": failed,
        "partial": found["partial"],
        "filtered": found["filtered"],
    }


def _failed_services(keys: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    errors = (yield from service_results([], keys))["error"]
    return [_failed(key, errors.get(key, {}).get("response", {})) for key in keys]


def _failed(key: str, response: Mapping[str, Any]) -> dict[str, Any]:
    """What went wrong: the key tells it, even when the server has lost or hides the rest."""
    told = result_key(key)
    message = str(response.get("message") or "")[:LONGEST_MESSAGE]
    return {
        "service": response.get("service_name") or told.service,
        "sha256": told.sha256,
        "error": told.error,
        "message": message,
        "status": response.get("status"),
    }


def _names(heuristics: Iterable[Sequence[str]]) -> list[str]:
    return sorted({name for _, name in heuristics})


def _values(tags: Mapping[str, Sequence[Sequence[Any]]], first: int) -> dict[str, dict[str, Any]]:
    told = {}
    for type_, found in sorted(tags.items()):
        values = [value for value, _, safelisted, *_ in sorted(found, key=_badness) if not safelisted]
        if values:
            told[type_] = {"count": len(values), "first": values[:first]}
    return told


def _badness(tag: Sequence[Any]) -> tuple[int, str]:
    value, kind, *_ = tag
    return KINDS.index(kind), value
