"""Ratings of files: scores from their submissions or, for files that were only extracted, from their results."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

import typing_extensions

from self_hosted.assemblyline.api.search import lucene, search
from self_hosted.core.http.flow import Flow


class Rating(TypedDict):
    """The score of a file.

    :param sha256: SHA-256 of the file
    :param max_score: of its worst submission, or the sum of its services' newest results
    :param error_count: how many services failed in the submission; None without one
    :param sid: id of the submission; None without one
    :param analysed: when the analysis was completed
    """

    sha256: str
    max_score: int
    error_count: int | None
    sid: str | None
    analysed: str


class _Times(typing_extensions.TypedDict):
    completed: str


class _File(typing_extensions.TypedDict):
    sha256: str


class _Submission(typing_extensions.TypedDict):
    sid: str
    max_score: int
    error_count: int
    times: _Times
    files: list[_File]


class _Score(typing_extensions.TypedDict):
    score: int


class _Service(typing_extensions.TypedDict):
    service_name: str


class _Result(typing_extensions.TypedDict):
    sha256: str
    created: str
    result: _Score
    response: _Service


def rate(sha256s: set[str], max_age: str | None) -> Flow[dict[str, Rating]]:
    """Return the ratings of files by SHA-256, without files that have none.

    ``POST /api/v4/search/submission/``, ``POST /api/v4/search/result/``

    :param sha256s: SHA-256 of the files
    :param max_age: maximum age of a result, such as "30d"; None = no limit
    :return: `Rating` by SHA-256
    """
    ratings = yield from _rate_by_submissions(sha256s, max_age)
    return ratings | (yield from _rate_by_results(sha256s - set(ratings), max_age))


def _rate_by_submissions(sha256s: set[str], max_age: str | None) -> Flow[dict[str, Rating]]:
    """Return the worst submission of each file that was submitted, by SHA-256."""
    arguments = {
        "query": f"files.sha256:{lucene.quote_any(sorted(sha256s))}",
        "filters": ["state:completed", "NOT to_be_deleted:true", *_filter_by_age("times.completed", max_age)],
        "fl": "sid,max_score,error_count,times.completed,files.sha256",
        "sort": "max_score desc,times.completed desc",
    }
    ratings: dict[str, Rating] = {}
    paging_id = search.FIRST_PAGE_ID if sha256s else None
    while paging_id and set(ratings) < sha256s:
        items, paging_id = yield from search.read_shaped_page("submission", arguments, paging_id, _Submission)
        for document in items:
            for sha256 in sha256s.intersection(file["sha256"] for file in document["files"]):
                ratings.setdefault(sha256, _rate_submission(sha256, document))
    return ratings


def _rate_submission(sha256: str, document: _Submission) -> Rating:
    return Rating(
        sha256=sha256,
        max_score=document["max_score"],
        error_count=document["error_count"],
        sid=document["sid"],
        analysed=document["times"]["completed"],
    )


def _rate_by_results(sha256s: set[str], max_age: str | None) -> Flow[dict[str, Rating]]:
    """Return the sum of the newest result of each service, by SHA-256."""
    ratings: dict[str, Rating] = {}
    for result in (yield from _list_newest_results(sha256s, max_age)):
        sha256, created = result["sha256"], result["created"]
        initial = Rating(sha256=sha256, max_score=0, error_count=None, sid=None, analysed=created)
        ratings.setdefault(sha256, initial)["max_score"] += result["result"]["score"]
    return ratings


def _list_newest_results(sha256s: set[str], max_age: str | None) -> Flow[Collection[_Result]]:
    """Return the newest result of each service for each file, the newest ones first."""
    arguments = {
        "query": f"sha256:{lucene.quote_any(sorted(sha256s))}",
        "filters": _filter_by_age("created", max_age),
        "fl": "sha256,created,result.score,response.service_name",
        "sort": "created desc",
    }
    newest: dict[tuple[str, str], _Result] = {}
    paging_id = search.FIRST_PAGE_ID if sha256s else None
    while paging_id:
        items, paging_id = yield from search.read_shaped_page("result", arguments, paging_id, _Result)
        for result in items:
            newest.setdefault((result["sha256"], result["response"]["service_name"]), result)
    return newest.values()


def _filter_by_age(field: str, max_age: str | None) -> list[str]:
    return [f"{field}:[now-{max_age} TO *]"] if max_age else []
