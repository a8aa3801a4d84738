"""Batches of operations that AYON carries out in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.ayon.api.forms import parts_of
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, url_path
from self_hosted.core.question import GONE, Seen

MOST_SHOWN = 20  # failed operations
LONGEST_DETAIL = 300  # characters
FINISHING = 99.0  # percent
DEAD = (
    "its progress stands still: AYON's server was restarted, or the list of operations is malformed, and unless it was "
    "sent with canFail nothing was done"
)


def background_operation(project: str, operation_id: str) -> Flow[dict[str, Any]]:
    """Where a background operation stands: ``GET /api/projects/{project}/operations/background/{id}``.

    AYON remembers it for 30 minutes after its last news; then it is `NotFound`.

    :param project: the project's name
    :param operation_id: what AYON answered when it was sent
    :return: {id, status: "pending" | "in_progress" | "completed", progress: percent or None, result: None or {success,
        operations: [{id, type, entityType, entityId, success, status, errorCode, detail}, ...]}}. Whether it succeeded
        tells ``result.success`` alone: operations before the one that failed are told as done and were undone
    """
    path = url_path("projects", project, "operations", "background", operation_id)
    return (yield Request("GET", f"/api{path}")).json()  # type: ignore[no-any-return]


def look_at_operations(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where background operations stand; AYON has no request for several.

    :param keys: "project/id"
    """
    seen = {}
    for key in keys:
        try:
            seen[key] = _seen_operation((yield from background_operation(*parts_of(key))))
        except NotFound:  # or more than 30 minutes without news
            seen[key] = GONE
    return seen


def _seen_operation(found: Mapping[str, Any]) -> Seen:
    if found["status"] != "completed":
        return Seen(found["status"], done=False, progress=found["progress"])
    operations = found["result"]["operations"]
    failed = [_shown(one) for one in operations if not one["success"]][:MOST_SHOWN]
    facts = {"success": found["result"]["success"], "operations": len(operations), "failed": failed}
    return Seen("completed", done=True, facts=facts)


def _shown(operation: Mapping[str, Any]) -> dict[str, Any]:
    names = {"id": "id", "type": "type", "entityType": "entity_type", "status": "status"}
    shown = {ours: operation[theirs] for theirs, ours in names.items()}
    return {**shown, "detail": str(operation["detail"])[:LONGEST_DETAIL]}


def dead_operations(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Why background operations whose progress stands still will not move any more, if so.

    :param keys: as with `look_at_operations`
    """
    seen = yield from look_at_operations(keys)
    # after the last operation AYON refreshes views, for a quarter of the whole time; this takes minutes only with lists
    # so long that they stand above 99 % then
    still = (key for key, one in seen.items() if not one.done and (one.progress or 0) < FINISHING)
    return dict.fromkeys(still, DEAD)
