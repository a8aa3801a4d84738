"""Submissions: find them, look at them, end them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.searching import any_of, search
from self_hosted.core.errors import NotFound, Uncertain
from self_hosted.core.flow import Flow, Request, url_path

OUTCOME = "sid,state,max_score,file_count,error_count,to_be_deleted"


def submission_url(base_url: str, sid: str) -> str:
    """The page of a submission.

    :param base_url: the connection's base URL
    :param sid: the submission's id
    """
    return f"{base_url}{url_path('submission', 'detail', sid)}"


def submission(sid: str) -> Flow[dict[str, Any]]:
    """One submission's document, always up to date.

    ``GET /api/v4/submission/<sid>/``

    :param sid: its id
    :raises NotFound: also when the credential may not see it
    """
    return asked(Request("GET", f"{API}{url_path('submission', sid)}/"))


def submission_if_any(sid: str) -> Flow[dict[str, Any] | None]:
    """As `submission`, but None when there is none, or when it is to be deleted.

    :param sid: its id
    """
    try:
        found = yield from submission(sid)
    except NotFound:
        return None
    return None if is_ghost(found) else found


def is_ghost(document: Mapping[str, Any]) -> bool:
    """Whether a submission was cancelled and came back.

    One that is deleted while it is analysed is stored once more when the dispatcher lets go of it: completed, with a
    score of what was found until then, and marked for the next clean-up. Such a score must not pass for a verdict.

    :param document: with its field ``to_be_deleted``
    """
    return bool(document.get("to_be_deleted"))


def submissions(sids: Sequence[str]) -> Flow[list[dict[str, Any]]]:
    """Several submissions by one search: the fields of their outcome, for those in the index.

    :param sids: their ids
    """
    if not sids:
        return []
    return (yield from search_submissions(f"sid:{any_of(sids)}", fields=OUTCOME, rows=len(sids)))


def search_submissions(query: str, fields: str = OUTCOME, rows: int = 25) -> Flow[list[dict[str, Any]]]:
    """Submissions that a Lucene query finds, oldest first. What is younger than a second may be missing.

    ``POST /api/v4/search/submission/``

    :param query: such as ``max_score:>=1000``; put what comes from outside through `phrase`
    :param fields: names of fields, with commas between them
    :param rows: how many at most
    """
    return search("submission", {"query": query, "fl": fields, "rows": rows, "sort": "times.submitted asc"})


def is_completed(sid: str) -> Flow[bool]:
    """Whether a submission's analysis is over.

    ``GET /api/v4/submission/is_completed/<sid>/``

    :param sid: its id
    """
    return asked(Request("GET", f"{API}{url_path('submission', 'is_completed', sid)}/"))


def delete_submission(sid: str) -> Flow[None]:
    """Delete a submission with its results; one that is not completed is cancelled first.

    ``DELETE /api/v4/submission/<sid>/``

    :param sid: its id
    :raises NotFound: also when it belongs to somebody else
    """
    try:
        yield from asked(Request("DELETE", f"{API}{url_path('submission', sid)}/"))
    except Uncertain:
        if (yield from submission_if_any(sid)):
            raise


def cancel_submission(sid: str) -> Flow[None]:
    """End a submission's analysis. Assemblyline can only do so by deleting it; a completed one is left alone.

    :param sid: its id
    """
    try:
        if not (yield from is_completed(sid)):
            yield from delete_submission(sid)
    except NotFound:
        return  # gone already
