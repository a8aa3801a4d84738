"""Operations in the background: done at once, but told as if they took the time that they take on the real server."""

from __future__ import annotations

import copy
import time
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.answers import refused
from self_hosted.sandbox.ayon.entities import Unfit, add_entity, check_status
from self_hosted.sandbox.ayon.projects import found_project
from self_hosted.sandbox.ayon.studio import Record, Studio

KEPT = 1800.0  # seconds after the last news
LAST_STEP = 0.25  # share of the time in which views are refreshed, at the progress of the last operation
SECONDS = 0.001  # for one operation


def add_task(studio: Studio, project: str, task: Record) -> Record:
    """Remember an operation as begun now.

    :param studio: where
    :param project: the project's name
    :param task: {id, seconds: how long it takes, total, result: {operations, success}, stuck: progress at which it
        stays, or "pending", kept: seconds}
    """
    usual = {"id": uuid.uuid4().hex, "seconds": 0.0, "total": 1, "result": {"operations": [], "success": True}}
    task = {"kept": KEPT, "stuck": None, **usual, **task, "project": project, "began": time.time()}
    studio.tasks[task["id"]] = task
    return task


async def start(studio: Studio, request: Request, user: Record) -> Response:
    """Begin operations in the background; a list that is malformed is accepted, and stays at 0 %."""
    project, body = found_project(studio, request, user), await request.json()
    operations = body["operations"]
    task: Record = {"seconds": SECONDS * len(operations), "total": len(operations), "stuck": 0.0}
    if all(one["type"] == "create" or one.get("entityId") for one in operations):
        task |= {"stuck": None, "result": _carried_out(project, operations, can_fail=body.get("canFail", False))}
    task = add_task(studio, project["name"], task)
    return JSONResponse({"id": task["id"], "status": "pending", "progress": None, "result": None})


async def get(studio: Studio, request: Request, user: Record) -> Response:
    """Where an operation stands, as long as that is remembered."""
    found_project(studio, request, user)
    task_id = request.path_params["task"]
    task = studio.tasks.get(task_id)
    if task is None or time.time() > task["began"] + task["seconds"] + task["kept"]:
        raise refused(404, f"Background operations task '{task_id}' not found")
    return JSONResponse({"id": task_id, "progress": None, "result": None, **_standing(task)})


def _standing(task: Record) -> Record:
    if task["stuck"] == "pending":
        return {"status": "pending"}
    if task["stuck"] is not None:
        return {"status": "in_progress", "progress": task["stuck"]}
    share = (time.time() - task["began"]) / task["seconds"] if task["seconds"] else 1.0
    if share >= 1:
        return {"status": "completed", "progress": 100.0, "result": task["result"]}
    done = min(int(share / (1 - LAST_STEP) * task["total"]), task["total"] - 1)
    return {"status": "in_progress", "progress": done / task["total"] * 100}


def _carried_out(project: Record, operations: list[Record], *, can_fail: bool) -> Record:
    """What became of operations. Those before the first failure are told as done, though they are undone."""
    before = copy.deepcopy(project["entities"])
    told = []
    for operation in operations:
        told.append(_told(project, operation))
        if not (told[-1]["success"] or can_fail):
            project["entities"] = before
            break
    return {"operations": told, "success": all(one["success"] for one in told)}


def _told(project: Record, operation: Record) -> Record:
    plain = {"id": operation.get("id") or uuid.uuid4().hex, "errorCode": None, "detail": None}
    plain |= {key: operation.get(key) for key in ("type", "entityType", "entityId")}
    try:
        return {**plain, **_done(project, operation)}
    except Unfit as problem:
        return {**plain, "success": False, "status": 409, "errorCode": problem.error, "detail": problem.detail}


def _done(project: Record, operation: Record) -> dict[str, Any]:
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
