"""Background operations. They run at once, but report the progress that the real server would report."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.entity_store import ConstraintViolationError, add_entity, check_status
from self_hosted.sandbox.ayon.errors import ApiError
from self_hosted.sandbox.ayon.projects import PROJECT
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, State
from self_hosted.sandbox.routing import route

RETENTION_SECONDS = 1800.0  # after the end
FINAL_STEP_SHARE = 0.25  # of the duration: the server refreshes views, and the progress stays at the last operation
SECONDS_PER_OPERATION = 0.001


class BackgroundOperations(Resource):
    """Background operations of a project."""

    @route("POST", f"{PROJECT}/operations/background")
    async def start(self, request: Request, user: Record) -> Response:
        """Start background operations. A malformed list is accepted, and its progress stays at 0 %."""
        project, body = self.get_project(request, user), await request.json()
        operations = body["operations"]
        task: Record = {"duration_seconds": SECONDS_PER_OPERATION * len(operations), "total": len(operations)}
        if all(operation["type"] == "create" or operation.get("entityId") for operation in operations):
            task["result"] = _run_operations(project, operations, can_fail=body.get("canFail", False))
        else:
            task["stuck"] = 0.0
        task = add_background_operation(self.state, project["name"], task)
        return JSONResponse({"id": task["id"], "status": "pending", "progress": None, "result": None})

    @route("GET", f"{PROJECT}/operations/background/{{task}}")
    async def get(self, request: Request, user: Record) -> Response:
        """Return the progress of background operations until their retention period ends."""
        self.get_project(request, user)
        task_id, now = request.path_params["task"], self.state.now()
        task = self.state.background_operations.get(task_id)
        if task is None or now > task["started"] + task["duration_seconds"] + task["retention_seconds"]:
            raise ApiError(404, f"Background operations task '{task_id}' not found")
        return JSONResponse({"id": task_id, "progress": None, "result": None, **_compute_progress(task, now)})


def add_background_operation(state: State, project: str, fields: Record) -> Record:
    """Store a background operation that starts now.

    :param project: name of the project
    :param fields: {id, duration_seconds, retention_seconds, total: number of operations, result: {operations, success},
        stuck: progress in percent at which it stays, or "pending"}; all have defaults
    :return: the stored background operation
    """
    task = {
        "id": uuid.uuid4().hex,
        "duration_seconds": 0.0,
        "retention_seconds": RETENTION_SECONDS,
        "total": 1,
        "result": {"operations": [], "success": True},
        "stuck": None,
        **fields,
        "project": project,
        "started": state.now(),
    }
    state.background_operations[task["id"]] = task
    return task


def _compute_progress(task: Record, now: float) -> Record:
    if task["stuck"] == "pending":
        return {"status": "pending"}
    if task["stuck"] is not None:
        return {"status": "in_progress", "progress": task["stuck"]}
    elapsed = (now - task["started"]) / task["duration_seconds"] if task["duration_seconds"] else 1.0
    if elapsed >= 1:
        return {"status": "completed", "progress": 100.0, "result": task["result"]}
    done = min(int(elapsed / (1 - FINAL_STEP_SHARE) * task["total"]), task["total"] - 1)
    return {"status": "in_progress", "progress": done / task["total"] * 100}


def _run_operations(project: Record, operations: list[Record], *, can_fail: bool) -> Record:
    """Run operations and return their results.

    After a failure, the operations before it are rolled back, though their results still report success.

    :param can_fail: whether the others continue after a failure
    """
    backup = copy.deepcopy(project["entities"])
    results = []
    for operation in operations:
        results.append(_run_operation(project, operation))
        if not (results[-1]["success"] or can_fail):
            project["entities"] = backup
            break
    return {"operations": results, "success": all(result["success"] for result in results)}


def _run_operation(project: Record, operation: Record) -> Record:
    result = {"id": operation.get("id") or uuid.uuid4().hex, "errorCode": None, "detail": None}
    result |= {key: operation.get(key) for key in ("type", "entityType", "entityId")}
    try:
        return {**result, **_apply_operation(project, operation)}
    except ConstraintViolationError as error:
        return {**result, "success": False, "status": 409, "errorCode": error.code, "detail": error.detail}


def _apply_operation(project: Record, operation: Record) -> dict[str, Any]:
    entity_id, data = operation.get("entityId"), operation.get("data") or {}
    if operation["type"] == "create":
        entity = add_entity(project, operation["entityType"], {**data, **({"id": entity_id} if entity_id else {})})
        return {"success": True, "status": 201, "entityId": entity["id"]}
    if entity_id not in project["entities"]:
        return {"success": False, "status": 404, "errorCode": "not-found", "detail": f"Entity {entity_id} not found"}
    if operation["type"] == "delete":
        del project["entities"][entity_id]
    else:
        check_status(project, data)
        project["entities"][entity_id].update(data)
    return {"success": True, "status": 204}
