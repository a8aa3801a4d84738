"""Creation of projects. The API checks only a part of the body; other violations surface as unhandled errors."""

from __future__ import annotations

import asyncio
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.errors import AbortedTransactionError, ApiError, UnhandledError
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.ayon.validation import parse_project_body
from self_hosted.sandbox.routing import route

WRITE_SECONDS = 0.005  # between check and write; other requests may write in this time
NAME = re.compile(r"[a-zA-Z0-9_]+")
LABEL = re.compile(r"[^';]*")
REQUIRED_LISTS = ("folder_types", "task_types", "statuses")


class ProjectCreation(Resource):
    """Creation of projects."""

    @route("POST", "/api/projects")
    async def create(self, request: Request, user: Record) -> Response:
        """Create a project, or complete a skeleton."""
        if not is_manager(user):
            raise ApiError(403, "You are not allowed to access create_projects")
        body = await parse_project_body(request, self.state, required=("name", "code"))
        existing = self.state.find_conflict({"name": body["name"], "code": body["code"]})
        if existing and existing["skeleton"] and not body.get("skeleton"):
            existing["skeleton"] = False
            return JSONResponse(None, 201)
        if existing:
            raise ApiError(409, f"Project {existing['name']} ({existing['code']}) already exists")
        self._check_preset(body)
        _check_model(body)
        await asyncio.sleep(WRITE_SECONDS)
        self._write_concurrent_projects()
        if self.state.find_conflict(body) or not NAME.fullmatch(body["name"]):
            raise AbortedTransactionError()
        self.state.add_project(body, skeleton=bool(body.get("skeleton")))
        self.add_event(request, user, "entity.project.created", body["name"])
        return JSONResponse(None, 201)

    def _check_preset(self, body: Record) -> None:
        preset = body.get("anatomyPreset")
        if preset and body.get("anatomy") is None and preset not in self.state.presets:
            raise ApiError(404, f"Anatomy preset {preset} not found")

    def _write_concurrent_projects(self) -> None:
        for project in self.state.concurrent_projects:
            self.state.add_project(project)
            sender = {"user": "rival", "sender": project.get("sender", "rival"), "senderType": "api"}
            self.state.add_event("entity.project.created", project=project["name"], **sender)
        self.state.concurrent_projects.clear()


def _check_model(body: Record) -> None:
    if not NAME.fullmatch(body["code"] or "x") or not LABEL.fullmatch(body.get("label") or ""):
        raise UnhandledError("pydantic.error_wrappers.ValidationError", "1 validation error for ProjectModel")
    anatomy = body.get("anatomy") or {}
    if any(anatomy.get(key) == [] for key in REQUIRED_LISTS):
        raise UnhandledError("AssertionError", "Project must have at least one of each type")
