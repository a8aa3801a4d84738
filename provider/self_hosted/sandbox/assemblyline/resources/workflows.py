"""Workflows, which change alerts on the real server. The fake server stores them and counts their runs."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.alerts.values import PRIORITIES, STATUSES
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.engine import search
from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.routing import route

MANAGE, VIEW = "workflow_manage", "workflow_view"
FAILURE = {"success": False}
FIELDS = ("name", "query", "labels", "priority", "status", "classification")
TABLE_COLUMNS = ("name", "query", "enabled", "runs")
MAX_LABELS = 10


class Workflows(Resource):
    """The workflows. The state has them by id, each with the number of its ``runs``."""

    name: ClassVar[str] = "workflow"

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the workflows."""
        return {"workflow": [{"id": id_, **_without_runs(workflow)} for id_, workflow in self.state.items()]}

    def build_table(self) -> Table:
        """Return the workflows, newest first."""
        return [
            {"id": id_, **{column: workflow[column] for column in TABLE_COLUMNS}}
            for id_, workflow in reversed(self.state.items())
        ]

    @route("PUT", "/workflow/", role=MANAGE)
    async def add(self, request: Request, session: Session) -> Any:
        """Add a workflow. Without priority and status, the real server has an unhandled exception."""
        body = await read_json(request)
        self._check(body)
        if not {"priority", "status"} <= set(body):
            raise internal_error()
        for name, allowed in (("status", STATUSES), ("priority", PRIORITIES)):
            if body[name] not in {None, "", *allowed}:
                raise ApiError(400, f"[{name}] {body[name]} not in the possible values: {set(allowed)}", FAILURE)
        id_ = secrets.token_hex(11)
        self.state[id_] = _build_workflow(id_, body, session.user)
        return {"success": True, "workflow_id": id_}

    @route("GET", "/workflow/labels/", role=VIEW)
    async def list_labels(self, request: Request, session: Session) -> Any:
        """Return the most frequent labels."""
        counts = Counter(label for workflow in self.state.values() for label in workflow["labels"])
        return [label for label, _ in counts.most_common(MAX_LABELS)]

    @route("PUT", "/workflow/enable/{id}/", role=MANAGE)
    async def enable(self, request: Request, session: Session) -> Any:
        """Enable or disable a workflow."""
        enabled = (await read_json(request)).get("enabled")
        if enabled is None:
            raise ApiError(400, "Enabled field is required", FAILURE)
        self._find(request).update(enabled=enabled, last_edit=get_current_time())
        return {"success": True}

    @route("GET", "/workflow/{id}/run/", role=MANAGE)
    async def run(self, request: Request, session: Session) -> Any:
        """Count a run of a workflow."""
        self._find(request)["runs"] += 1
        return {"success": True}

    @route("GET", "/workflow/{id}/", role=VIEW)
    async def get_workflow(self, request: Request, session: Session) -> Any:
        """Return a workflow."""
        return _without_runs(self._find(request))

    @route("POST", "/workflow/{id}/", role=MANAGE)
    async def change(self, request: Request, session: Session) -> Any:
        """Change a workflow. For an unknown priority or status, the real server has an unhandled exception."""
        body = await read_json(request)
        self._check(body)
        workflow = self._find(request)
        if body.get("priority") not in {None, *PRIORITIES} or body.get("status") not in {None, *STATUSES}:
            raise internal_error()
        workflow.update(body, edited_by=session.user, last_edit=get_current_time())
        return {"success": True}

    @route("DELETE", "/workflow/{id}/", role=MANAGE)
    async def delete(self, request: Request, session: Session) -> Any:
        """Delete a workflow."""
        self._find(request)
        del self.state[request.path_params["id"]]
        return {"success": True}

    def _check(self, body: Mapping[str, Any]) -> None:
        for name in ("name", "query"):
            if not body.get(name):
                raise ApiError(400, f"{name.title()} field is required", FAILURE)
        try:
            search(self.server.get_documents("alert"), {"query": body["query"], "rows": 0}, "alert")
        except ApiError:
            raise ApiError(400, "Query contains an error", FAILURE) from None

    def _find(self, request: Request) -> dict[str, Any]:
        id_ = request.path_params["id"]
        if id_ not in self.state:
            raise ApiError(404, f"Workflow ID {id_} does not exist", FAILURE)
        return self.state[id_]  # type: ignore[no-any-return]


def _build_workflow(id_: str, body: Mapping[str, Any], user: str) -> dict[str, Any]:
    now = get_current_time()
    return {
        "classification": "TLP:C",
        "labels": [],
        **{name: body[name] for name in FIELDS if name in body},
        "creation_date": now,
        "creator": user,
        "edited_by": user,
        "enabled": True,
        "first_seen": None,
        "hit_count": 0,
        "last_edit": now,
        "last_seen": None,
        "origin": "localhost",
        "runs": 0,
        "workflow_id": id_,
    }


def _without_runs(workflow: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in workflow.items() if name != "runs"}
