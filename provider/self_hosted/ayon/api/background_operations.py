"""Batches of operations that AYON carries out in the background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from self_hosted.ayon.api import shapes
from self_hosted.core.arguments import check_id
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import check_shape

MAX_DETAIL_CHARACTERS = 300


class FailedOperation(TypedDict):
    """One operation of a batch that failed.

    :param id: its id
    :param type: "create", "update" or "delete"
    :param entity_type: "folder", "task", ...
    :param status: HTTP status
    :param detail: AYON's explanation
    """

    id: str
    type: str
    entity_type: str
    status: int
    detail: str


def get(project: str, operation_id: str) -> Flow[dict[str, Any]]:
    """Return the state of a background operation (``GET /api/projects/{project}/operations/background/{id}``).

    :param project: name of the project
    :param operation_id: the id in the response to its submission
    :return: AYON's JSON: ``{id, status: "pending" | "in_progress" | "completed", progress: percent or None, result:
        None or {success, operations: [{id, type, entityType, entityId, success, status, errorCode, detail}, ...]}}``;
        details are shortened to 500 characters. Only ``result.success`` shows whether it succeeded: operations before
        the failed one are reported as successful, and were rolled back
    :raises NotFoundError: if there is no such operation, or its last update is older than 30 minutes
    """
    ids = check_id("project", project), check_id("operation_id", operation_id)
    reply = yield Request("GET", f"/api{url_path('projects', ids[0], 'operations', 'background', ids[1])}")
    operation = check_shape(reply, reply.json(), shapes.BackgroundOperation)
    if operation["status"] == "completed":
        check_shape(reply, operation, shapes.CompletedOperation)
    for part in (operation.get("result") or {"operations": []})["operations"]:
        part["detail"] = part["detail"] and reply.clean(part["detail"])
    return operation  # type: ignore[return-value]


def summarize_failure(operation: Mapping[str, Any]) -> FailedOperation:
    """Return the summary of a failed operation.

    :param operation: one of the ``operations`` of the result of `get`
    """
    return {
        "id": operation["id"],
        "type": operation["type"],
        "entity_type": operation["entityType"],
        "status": operation["status"],
        "detail": str(operation["detail"] or "rejected without a reason")[:MAX_DETAIL_CHARACTERS],
    }
