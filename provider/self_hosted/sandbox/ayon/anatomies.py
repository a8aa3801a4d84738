"""Anatomies of projects."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.defaults import complete_anatomy
from self_hosted.sandbox.ayon.errors import ValidationError
from self_hosted.sandbox.ayon.projects import PROJECT
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record
from self_hosted.sandbox.ayon.validation import find_anatomy_problems, find_attribute_problems
from self_hosted.sandbox.routing import route


class Anatomies(Resource):
    """The anatomy of a project."""

    @route("GET", f"{PROJECT}/anatomy")
    async def get(self, request: Request, user: Record) -> Response:
        """Return the complete anatomy. The database does not keep the order of roots and templates."""
        anatomy = complete_anatomy(self.get_project(request, user)["anatomy"])
        templates = {name: _order(value) for name, value in anatomy["templates"].items()}
        return JSONResponse({**anatomy, "roots": _order(anatomy["roots"]), "templates": templates})

    @route("POST", f"{PROJECT}/anatomy")
    async def replace(self, request: Request, user: Record) -> Response:
        """Replace the anatomy. Missing parts come from the defaults, not from the previous anatomy."""
        project, body = self.get_project(request, user), await request.json()
        attributes = body.get("attributes", {})
        problems = find_anatomy_problems(body) or find_attribute_problems(self.state, attributes, "attributes")
        if problems:
            raise ValidationError(request, problems)
        project["anatomy"] = complete_anatomy(body)
        project["updatedAt"] = self.state.timestamp()
        self.add_event(request, user, "entity.project.changed", project["name"])
        return Response(status_code=204)


def _order(value: Any) -> Any:
    """Return named entries as PostgreSQL orders the keys of JSON objects; other values unchanged."""
    return sorted(value, key=lambda entry: (len(entry["name"]), entry["name"])) if isinstance(value, list) else value
