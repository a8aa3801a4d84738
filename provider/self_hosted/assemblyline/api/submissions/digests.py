"""Digests: the findings of a submission in short, for people and for a task's result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.submissions import reports, results, submissions, verdicts
from self_hosted.assemblyline.api.submissions.types import Digest, FailedService, TagValues
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow

KINDS = ("malicious", "suspicious", "info", "safe")
"""The kinds of findings of a service, the worst first."""

MAX_MESSAGE_LENGTH = 300


def get(sid: str, first: int = 20) -> Flow[Digest]:
    """Return a submission in short.

    :param sid: id of the submission
    :param first: largest number of values per type of tag, and of failed services
    :return: `Digest`
    :raises NotReadyError: if it is not completed yet
    :raises PermanentError: if it was cancelled
    """
    document = yield from submissions.get_completed(sid)
    bands = yield from verdicts.get_bands()
    summary = yield from reports.get_summary(sid)
    _check_rows(sid, summary)
    failed = yield from _list_failed_services(document["errors"][:first])
    heuristics = summary["heuristics"]
    return Digest(
        sid=sid,
        max_score=document["max_score"],
        verdict=verdicts.classify(document["max_score"], bands),
        bands=bands,
        file_count=document["file_count"],
        error_count=document["error_count"],
        heuristics={kind: _list_names(heuristics[kind]) for kind in KINDS if heuristics.get(kind)},
        attack=sorted({technique for rows in summary["attack_matrix"].values() for technique, *_ in rows}),
        iocs=_summarize_tags(summary["tags"]["ioc"], first),
        attribution=_summarize_tags(summary["tags"]["attribution"], first),
        failed_services=failed,
        partial=summary["partial"],
        filtered=summary["filtered"],
    )


def _check_rows(sid: str, summary: Mapping[str, Any]) -> None:
    """Check the rows of a summary, which no shape describes: lists whose items have different types.

    :raises ServerError: naming the submission
    """
    tables = {2: [summary["heuristics"]], 1: [summary["attack_matrix"]], 3: summary["tags"].values()}
    for length, parts in tables.items():
        for row in (row for part in parts for rows in part.values() for row in rows):
            if len(row) < length or not all(isinstance(text, str) for text in row[:2]):
                raise ServerError(f"unexpected response: the summary of submission {sid} has an invalid row")


def _list_failed_services(keys: Sequence[str]) -> Flow[list[FailedService]]:
    errors = (yield from results.get_many([], keys))["error"]
    return [_describe_failure(key, errors.get(key, {}).get("response")) for key in keys]


def _describe_failure(key: str, response: Any) -> FailedService:
    """Return the failure; its key says the most, even if the server has lost or hides the error.

    :raises ServerError: if the key is malformed
    """
    try:
        parts = results.parse_key(key)
    except ValueError as error:
        raise ServerError(f"unexpected response: {error}") from None
    response = response if isinstance(response, dict) else {}
    return FailedService(
        service=response.get("service_name") or parts.service,
        sha256=parts.sha256,
        error=parts.error,
        message=str(response.get("message") or "")[:MAX_MESSAGE_LENGTH],
        status=response.get("status"),
    )


def _list_names(heuristics: Iterable[Sequence[str]]) -> list[str]:
    return sorted({name for _, name, *_ in heuristics})


def _summarize_tags(tags: Mapping[str, Sequence[Sequence[Any]]], first: int) -> dict[str, TagValues]:
    summary: dict[str, TagValues] = {}
    for tag_type, rows in sorted(tags.items()):
        values = [value for value, _, safelisted, *_ in sorted(rows, key=_sort_key) if not safelisted]
        if values:
            summary[tag_type] = {"count": len(values), "first": values[:first]}
    return summary


def _sort_key(tag: Sequence[Any]) -> tuple[int, str]:
    value, kind, *_ = tag
    return KINDS.index(kind) if kind in KINDS else len(KINDS), value
