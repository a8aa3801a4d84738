"""What a DAG waits for in Rudder: that people decide about a change request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow
from self_hosted.core.wait import Question, Seen
from self_hosted.rudder import api

MISSING = "missing"


def decisions(change_request_ids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """What is to be seen of change requests; "missing" stands for one that no longer exists.

    :param change_request_ids: their numbers
    """
    # one list answers for all that are still open; those that left it are looked at once
    listed = (yield from api.change_requests("open")) if len(change_request_ids) > 1 else []
    seen = {str(found["id"]): Seen(found["status"], done=False) for found in listed}
    for change_request_id in change_request_ids:
        if change_request_id not in seen:
            seen[change_request_id] = yield from _decision(change_request_id)
    return seen


def _decision(change_request_id: str) -> Flow[Seen]:
    try:
        status = (yield from api.change_request(change_request_id))["status"]
    except api.NotOffered:
        raise
    except NotFound:
        return Seen(MISSING, done=True)
    return Seen(status, done=status in {api.DEPLOYED, api.CANCELLED})


CHANGE_REQUEST = Question(
    hook="self_hosted.rudder.hook.RudderHook",
    thing="change request",
    ask=decisions,
    cancel=None,  # people decide about it, not the task that asked for it
    chunk=1000,  # the ids are not sent
)
