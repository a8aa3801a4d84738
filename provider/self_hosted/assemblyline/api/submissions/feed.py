"""The feed of completed submissions, in the order in which they were completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.search import lucene, search
from self_hosted.assemblyline.api.search.checks import check_query
from self_hosted.assemblyline.api.search.documents import read_time
from self_hosted.assemblyline.api.submissions import submissions, verdicts
from self_hosted.assemblyline.api.submissions.types import SubmissionScore
from self_hosted.core.arguments import parse_choice, parse_int
from self_hosted.core.events.feed import Item
from self_hosted.core.http.flow import Flow

TIME_FIELD = "times.completed"


class SubmittedFile(TypedDict):
    """A file of a submission.

    :param name: its name
    :param sha256: its SHA-256
    """

    name: str
    sha256: str


class SubmissionPayload(TypedDict):
    """The content of an event for a submission.

    :param sid: id of the submission
    :param state: "completed"
    :param max_score: the highest score of its files
    :param verdict: safe, info, suspicious, highly_suspicious or malicious
    :param file_count: how many files were analysed
    :param error_count: how many services failed
    :param files: `SubmittedFile` each
    """

    sid: str
    state: str
    max_score: int
    verdict: str
    file_count: int
    error_count: int
    files: list[SubmittedFile]


class _Times(TypedDict):
    completed: str


class _Completed(TypedDict):
    times: _Times


class _Submission(SubmissionScore):
    times: _Times
    files: list[SubmittedFile]


def read_page(
    start: datetime, offset: int, rows: int, query: str, verdict: str | None, min_score: int | None
) -> Flow[list[Item]]:
    """Return submissions that were completed since a time, oldest first.

    ``POST /api/v4/search/submission/``

    :param start: a time with a time zone
    :param offset: number of submissions to skip
    :param rows: largest number of submissions
    :param query: a Lucene query
    :param verdict: the mildest verdict; None = any
    :param min_score: the lowest ``max_score``; None = any
    """
    fields = f"{submissions.OUTCOME_FIELDS},{TIME_FIELD},files.name"
    window = {"offset": offset, "rows": rows, "fl": fields, "sort": f"{TIME_FIELD} asc"}
    bands = yield from verdicts.get_bands()
    filters = [*_build_filters(bands, verdict, min_score), lucene.since(TIME_FIELD, start)]
    arguments = {"query": query, "filters": filters, **window}
    documents = yield from search.find_shaped("submission", arguments, _Submission)
    return [
        Item(document["sid"], read_time(TIME_FIELD, document["times"]["completed"]), _build_payload(document, bands))
        for document in documents
    ]


def get_newest_time(query: str, verdict: str | None, min_score: int | None) -> Flow[datetime | None]:
    """Return the time when the newest submission was completed, or None if there is none.

    :param query: a Lucene query
    :param verdict: see `read_page`
    :param min_score: see `read_page`
    """
    filters = _build_filters((yield from verdicts.get_bands()), verdict, min_score)
    newest = {"rows": 1, "fl": TIME_FIELD, "sort": f"{TIME_FIELD} desc"}
    arguments = {"query": query, "filters": filters, **newest}
    documents = yield from search.find_shaped("submission", arguments, _Completed)
    return read_time(TIME_FIELD, documents[0]["times"]["completed"]) if documents else None


def check_arguments(query: Any, verdict: Any = None, min_score: Any = None) -> None:
    """Check the arguments of the feed.

    :param query: a Lucene query
    :param verdict: a verdict in `verdicts.VERDICTS`, or None
    :param min_score: a whole number, or None
    :raises ValueError: if one is invalid
    """
    check_query("query", query)
    if verdict is not None:
        parse_choice("verdict", verdict, verdicts.VERDICTS)
    if min_score is not None:
        parse_int("min_score", min_score, minimum=verdicts.MIN_SCORE)


def _build_filters(bands: Mapping[str, int], verdict: str | None, min_score: int | None) -> Sequence[str]:
    limits = [bands[verdict]] if verdict else []
    if min_score is not None:
        limits.append(parse_int("min_score", min_score, minimum=verdicts.MIN_SCORE))
    return ["state:completed", *([f"max_score:[{max(limits)} TO *]"] if limits else [])]


def _build_payload(document: _Submission, bands: Mapping[str, int]) -> SubmissionPayload | None:
    """Return the content of an event; None for a submission that was cancelled and stored again."""
    if submissions.is_marked_deleted(document):
        return None
    return SubmissionPayload(
        sid=document["sid"],
        state=document["state"],
        max_score=document["max_score"],
        verdict=verdicts.classify(document["max_score"], bands),
        file_count=document["file_count"],
        error_count=document["error_count"],
        files=document["files"],
    )
