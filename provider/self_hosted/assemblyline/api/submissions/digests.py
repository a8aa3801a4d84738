"""Digests: the findings of a submission in short, for people and for a task's result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.submissions import reports, results, submissions, verdicts
from self_hosted.assemblyline.api.submissions.types import Digest, FailedService, Ioc, TagValues
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
        sha256=submissions.get_sha256(document),
        max_score=document["max_score"],
        verdict=verdicts.classify(document["max_score"], bands),
        bands=bands,
        file_count=document["file_count"],
        error_count=document["error_count"],
        heuristics={kind: _list_names(heuristics[kind]) for kind in KINDS if heuristics.get(kind)},
        attack=sorted({technique for rows in summary["attack_matrix"].values() for technique, *_ in rows}),
        iocs=_list_iocs(summary["tags"]["ioc"], first),
        ioc_counts={tag_type: len(rows) for tag_type, rows in _list_tags(summary["tags"]["ioc"]).items()},
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
            is_text = [isinstance(text, str) for text in row[:2]] + [isinstance(row[3], str | None) for _ in row[3:4]]
            if len(row) < length or not all(is_text):
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


def _list_iocs(tags: Mapping[str, Sequence[Sequence[Any]]], first: int) -> list[Ioc]:
    return [
        Ioc(type=tag_type, value=value, classification=classification[0] if classification else None)
        for tag_type, rows in _list_tags(tags).items()
        for value, _, _, *classification in rows[:first]
    ]


def _summarize_tags(tags: Mapping[str, Sequence[Sequence[Any]]], first: int) -> dict[str, TagValues]:
    return {
        tag_type: TagValues(count=len(rows), first=[value for value, *_ in rows[:first]])
        for tag_type, rows in _list_tags(tags).items()
    }


def _list_tags(tags: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, list[Sequence[Any]]]:
    """Return the rows of each type, the worst ones first, without safelisted ones."""
    sorted_rows = {tag_type: sorted(rows, key=_sort_key) for tag_type, rows in sorted(tags.items())}
    relevant = {tag_type: [row for row in rows if not row[2]] for tag_type, rows in sorted_rows.items()}
    return {tag_type: rows for tag_type, rows in relevant.items() if rows}


def _sort_key(tag: Sequence[Any]) -> tuple[int, str]:
    value, kind, *_ = tag
    return KINDS.index(kind) if kind in KINDS else len(KINDS), value
