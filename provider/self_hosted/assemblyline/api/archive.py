"""The archive: submissions in it do not expire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.errors import API_PATH, call_if_enabled
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)


class Archiving(TypedDict):
    """How a submission is archived.

    :param action: "archive"; "resubmit" if the server first analyses it with more services, in a new submission;
        "hooked" if a webhook takes it; "archived" if it was archived before
    :param sid: id of the submission, or of the new one
    """

    action: str
    sid: str


class _Response(typing_extensions.TypedDict):
    success: bool
    action: typing_extensions.NotRequired[str]
    sid: typing_extensions.NotRequired[str | None]


def add_submission(
    sid: str,
    metadata: Mapping[str, Any] | None = None,
    *,
    delete_after: bool = False,
    skip_hook: bool = False,
    use_alternate_dtl: bool = False,
) -> Flow[Archiving]:
    """Send a submission to the archive. The archiver stores it later.

    ``PUT /api/v4/archive/<sid>/``

    :param sid: id of the submission
    :param metadata: own keys and values; keys that the submission has already keep their values
    :param delete_after: whether the submission is deleted from its present place
    :param skip_hook: whether the server's webhook is skipped
    :param use_alternate_dtl: whether the server's alternate retention period applies
    :return: `Archiving`
    :raises NotFoundError: if the submission does not exist
    :raises InvalidRequestError: if the server has no archive
    :raises ServerError: if the server's webhook failed
    """
    query = _build_query(delete_after, skip_hook, use_alternate_dtl)
    request = Request("PUT", f"{API_PATH}{url_path('archive', sid)}/", query, json=dict(metadata or {}))
    archived = yield from _find_archived(sid)
    if archived is None:
        # a resubmission marks the submission before the response; the other actions are harmless to repeat
        archived, _ = yield from recovery.read_back(partial(_send, request, sid), partial(_find_archived, sid))
        log.info("Submission %s: sent to the archive, action %s", archived["sid"], archived["action"])
    else:
        log.info("Submission %s: it is archived already", sid)
    return archived


def _build_query(delete_after: bool, skip_hook: bool, use_alternate_dtl: bool) -> dict[str, bool]:
    flags = {"delete_after": delete_after, "skip_hook": skip_hook, "use_alternate_dtl": use_alternate_dtl}
    return {name: True for name, value in flags.items() if value}


def _send(request: Request, sid: str) -> Flow[Archiving]:
    response = yield from call_if_enabled("the archive", request, _Response)
    if not response["success"]:
        raise ServerError(f"the server's webhook rejected submission {sid}")
    return Archiving(action=response.get("action", "archive"), sid=response.get("sid") or sid)


def _find_archived(sid: str) -> Flow[Archiving | None]:
    document = yield from submissions.get(sid)
    is_archived = document.get("archived") or document.get("from_archive")
    return Archiving(action="archived", sid=sid) if is_archived else None
