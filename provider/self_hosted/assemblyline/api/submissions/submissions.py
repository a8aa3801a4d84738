"""Submissions: find, cancel and delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, TypeVar

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.search import lucene
from self_hosted.assemblyline.api.search.search import find, find_shaped
from self_hosted.assemblyline.api.submissions.types import SubmissionOutcome
from self_hosted.assemblyline.errors import API_PATH, Success, call, call_object
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.errors import (
    NotFoundError,
    NotReadyError,
    OutcomeUnknownError,
    PermanentError,
    PermissionDeniedError,
)
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import log_lost

log = get_logger(__name__)

T = TypeVar("T")
OUTCOME_FIELDS = "sid,state,max_score,file_count,error_count,files.sha256,to_be_deleted"
MAX_NAMED = 10  # ids in an error message


class Deletions(TypedDict):
    """The effect of the deletion of many submissions: their ids.

    :param deleted: submissions that were deleted
    :param absent: submissions that did not exist
    """

    deleted: list[str]
    absent: list[str]


class _Submission(typing_extensions.TypedDict):
    sid: str


class _AnalysedSubmission(SubmissionOutcome):
    errors: list[str]


def build_page_url(base_url: str, sid: str) -> str:
    """Return the URL of a submission's page in the UI.

    :param base_url: the connection's base URL
    :param sid: id of the submission
    """
    return f"{base_url}{ids.build_page_path('submission', 'detail', sid)}"


def get(sid: str) -> Flow[dict[str, Any]]:
    """Return a submission's document, always up to date.

    ``GET /api/v4/submission/<sid>/``

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist, or the user may not see it
    """
    return call_object(_build_request(sid), _Submission)


def read(sid: str, shape: type[T]) -> Flow[T]:
    """Return a submission's document, for a flow that uses its fields.

    ``GET /api/v4/submission/<sid>/``

    :param sid: id of the submission
    :param shape: the shape of the document: the fields that the flow uses
    :raises NotFoundError: see `get`
    :raises ServerError: if the document has another shape
    """
    return call(_build_request(sid), shape)


def _build_request(sid: str) -> Request:
    return Request("GET", f"{API_PATH}{url_path('submission', sid)}/")


def get_if_present(sid: str) -> Flow[dict[str, Any] | None]:
    """Return a submission's document, or None if it does not exist or is marked for deletion.

    :param sid: id of the submission
    """
    try:
        document = yield from get(sid)
    except NotFoundError:
        return None
    return None if is_marked_deleted(document) else document


def get_outcome(sid: str) -> Flow[SubmissionOutcome | None]:
    """Return the outcome fields of a submission, or None if it does not exist or is marked for deletion.

    :param sid: id of the submission
    """
    try:
        document = yield from read(sid, SubmissionOutcome)
    except NotFoundError:
        return None
    return None if is_marked_deleted(document) else document


def get_completed(sid: str) -> Flow[dict[str, Any]]:
    """Return the document of a completed submission.

    :param sid: id of the submission
    :raises NotReadyError: if it is not completed yet
    :raises PermanentError: if it was cancelled
    """
    document = yield from call_object(_build_request(sid), _AnalysedSubmission)
    if document["state"] != "completed":
        raise NotReadyError(f"submission {sid} is {document['state']}, not completed; wait for it first, with a sensor")
    if is_marked_deleted(document):
        raise PermanentError(f"submission {sid} was cancelled, so its score is meaningless")
    return document


def is_marked_deleted(document: Mapping[str, Any]) -> bool:
    """Whether a submission was cancelled and stored again.

    The dispatcher stores a submission that is deleted during its analysis once more: completed, with the score so far,
    and marked for the next clean-up. Such a score is no verdict.

    :param document: with its field ``to_be_deleted``
    """
    return bool(document.get("to_be_deleted"))


def get_sha256(document: Mapping[str, Any]) -> str | None:
    """Return the SHA-256 of the submitted file, or None if a submission shows none.

    :param document: with its field ``files``
    """
    files = document.get("files") or [{}]
    return files[0].get("sha256")  # type: ignore[no-any-return]


def get_many(sids: Sequence[str]) -> Flow[list[SubmissionOutcome]]:
    """Return the outcome fields of those submissions that are in the index, by one search.

    :param sids: ids of submissions
    """
    if not check_ids("sids", sids):
        return []
    return (yield from search_shaped(f"sid:{lucene.quote_any(sids)}", SubmissionOutcome, OUTCOME_FIELDS, len(sids)))


def search(query: str, fields: str = OUTCOME_FIELDS, rows: int = 25) -> Flow[list[dict[str, Any]]]:
    """Return the submissions that a query finds, oldest first. Those younger than a second may be missing.

    ``POST /api/v4/search/submission/``

    :param query: a Lucene query, such as ``max_score:>=1000``; quote external values with `lucene.quote`
    :param fields: comma-separated names of fields
    :param rows: largest number of submissions
    """
    return find("submission", _build_arguments(query, fields, rows))


def search_shaped(query: str, shape: type[T], fields: str = OUTCOME_FIELDS, rows: int = 25) -> Flow[list[T]]:
    """Return the submissions that a query finds, for a flow that uses their fields.

    :param query: see `search`
    :param shape: the shape of each document
    :param fields: see `search`
    :param rows: see `search`
    :raises ServerError: if a document has another shape
    """
    return find_shaped("submission", _build_arguments(query, fields, rows), shape)


def _build_arguments(query: str, fields: str, rows: int) -> dict[str, Any]:
    return {"query": query, "fl": fields, "rows": rows, "sort": "times.submitted asc"}


def is_completed(sid: str) -> Flow[bool]:
    """Return whether a submission's analysis is over.

    ``GET /api/v4/submission/is_completed/<sid>/``

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist
    """
    return call(Request("GET", f"{API_PATH}{url_path('submission', 'is_completed', sid)}/"), bool)


def cancel(sid: str) -> Flow[None]:
    """Cancel a submission's analysis by deleting the submission; the server has no other way.

    A completed submission is left alone.

    :param sid: id of the submission
    """
    try:
        if not (yield from is_completed(sid)):
            yield from delete(sid)
    except NotFoundError:
        return  # it is gone already


def delete(sid: str) -> Flow[None]:
    """Delete a submission with its results. One that is not completed is cancelled first.

    ``DELETE /api/v4/submission/<sid>/``

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist, or belongs to another user
    """
    try:
        yield from call(Request("DELETE", f"{API_PATH}{url_path('submission', sid)}/"), Success)
    except OutcomeUnknownError as lost:
        remaining = yield from get_if_present(sid)
        log_lost(lost, is_done=remaining is None)
        if remaining:
            raise
    log.info("Submission %s: deleted", sid)


def delete_many(sids: Sequence[str]) -> Flow[Deletions]:
    """Delete submissions, one after the other. Those that are not completed are cancelled first.

    ``DELETE /api/v4/submission/<sid>/``, once per submission

    :param sids: ids of submissions
    :return: `Deletions`
    :raises PermissionDeniedError: if some belong to other users; all others are deleted before
    """
    for sid in check_ids("sids", sids):
        ids.check_segment("sids", sid)
    deletions = Deletions(deleted=[], absent=[])
    foreign: list[str] = []
    for sid in sids:
        try:
            yield from delete(sid)
            deletions["deleted"].append(sid)
        except NotFoundError:
            # the server also answers "not found" for submissions of other users
            (foreign if (yield from get_if_present(sid)) else deletions["absent"]).append(sid)
    if foreign:
        raise PermissionDeniedError(
            f"{len(foreign)} of {len(sids)} submissions belong to other users and were not deleted: "
            f"{', '.join(foreign[:MAX_NAMED])}"
        )
    return deletions
