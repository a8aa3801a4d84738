"""The archive, where submissions stay that would expire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.envelope import API
from self_hosted.assemblyline.api.optional import asked_if_on
from self_hosted.assemblyline.api.submissions import submission
from self_hosted.assemblyline.api.tagging import read_back
from self_hosted.core.errors import Broken
from self_hosted.core.flow import Flow, Request, url_path


def archive_submission(
    sid: str,
    metadata: Mapping[str, Any] | None = None,
    *,
    delete_after: bool = False,
    skip_hook: bool = False,
    use_alternate_dtl: bool = False,
) -> Flow[dict[str, Any]]:
    """Send a submission to the archive: {action, sid}. The archiver does it when it finds the time.

    ``action`` is "archive"; "resubmit" where the server has more services look at it first, in a new submission, whose
    id is told as ``sid``; "hooked" where a webhook takes it; and "archived" when it was archived before.

    ``PUT /api/v4/archive/<sid>/``

    :param sid: the submission's id
    :param metadata: own keys and values; those that the submission has already stay as they are
    :param delete_after: whether it is deleted from where it was
    :param skip_hook: whether the server's webhook is passed over
    :param use_alternate_dtl: whether it stays for the server's other period
    :raises NotFound: when there is no such submission
    :raises Invalid: when the server has no archive
    :raises Broken: when the server's webhook failed
    """
    query = {name: True for name, value in _given(delete_after, skip_hook, use_alternate_dtl).items() if value}
    request = Request("PUT", f"{API}{url_path('archive', sid)}/", query, json=dict(metadata or {}))
    archived = yield from _archived(sid)
    if archived is None:
        # a resubmit marks the submission before it is answered; to send the others twice is harmless
        archived, _ = yield from read_back(partial(_sent, request, sid), partial(_archived, sid))
    return archived


def _given(delete_after: bool, skip_hook: bool, use_alternate_dtl: bool) -> dict[str, bool]:
    return {"delete_after": delete_after, "skip_hook": skip_hook, "use_alternate_dtl": use_alternate_dtl}


def _sent(request: Request, sid: str) -> Flow[dict[str, Any]]:
    answer = yield from asked_if_on("the archive", request)
    if not answer["success"]:
        raise Broken(f"the server's webhook did not take submission {sid}")
    return {"action": answer["action"], "sid": answer.get("sid") or sid}


def _archived(sid: str) -> Flow[dict[str, Any] | None]:
    document = yield from submission(sid)
    return {"action": "archived", "sid": sid} if document.get("archived") or document.get("from_archive") else None
