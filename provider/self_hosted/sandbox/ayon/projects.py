"""Projects: list, read, update, delete."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.defaults import complete_anatomy
from self_hosted.sandbox.ayon.errors import AbortedTransactionError, ApiError, ValidationError
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.ayon.validation import parse_project_body
from self_hosted.sandbox.routing import route

PROJECT = "/api/projects/{project}"
ROW_FIELDS = ("name", "code", "label", "active", "library", "skeleton", "createdAt", "updatedAt")
PROJECT_FIELDS = ("name", "code", "label", "library", "data", "active", "createdAt")
LISTS = {"folderTypes": "folder_types", "taskTypes": "task_types", "statuses": "statuses", "tags": "tags"}


class Projects(Resource):
    """Projects, without their creation."""

    @route("GET", "/api/projects")
    async def list_all(self, request: Request, user: Record) -> Response:
        """Return a page of the projects that the user may see. ``count`` includes projects that the user may not see.

        In the filter ``name``, "_" matches any character.
        """
        query = dict(request.query_params)
        page, length = int(query.get("page", 1)), int(query.get("length", 0))
        if page < 1:
            raise ValidationError(request, {"page": "ensure this value is greater than or equal to 1"})
        found = [project for project in self.state.projects.values() if _matches(project, query)]
        key = query.get("order") or "name"
        found.sort(key=lambda project: project[key], reverse=query.get("desc") == "true")
        selected = found[(page - 1) * length : page * length] if length else found
        count = len(found) if selected else 0
        visible = user["data"]["accessGroups"]
        rows = [_to_row(project) for project in selected if is_manager(user) or project["name"] in visible]
        detail = f"Showing {len(rows)} of {count} projects" if rows else "No projects"
        return JSONResponse({"detail": detail, "count": count, "projects": rows})

    @route("GET", PROJECT)
    async def get(self, request: Request, user: Record) -> Response:
        """Return one project, without fields that are null."""
        project = _to_json(self.get_project(request, user))
        return JSONResponse({key: value for key, value in project.items() if value is not None})

    @route("PATCH", PROJECT)
    async def patch(self, request: Request, user: Record) -> Response:
        """Update a project: merge attributes and data, replace lists, ignore null and unknown fields."""
        project = self.get_project(request, user)
        given = await parse_project_body(request, self.state)
        body = {key: value for key, value in given.items() if value is not None}
        if not is_manager(user):
            raise ApiError(403, "You need to be a manager in order to update a project")
        if self.state.find_conflict(body, ignored=project):
            raise AbortedTransactionError()
        self._update(project, body)
        self.add_event(request, user, "entity.project.changed", project["name"])
        return Response(status_code=204)

    def _update(self, project: Record, body: Record) -> None:
        project.update({key: body[key] for key in ("label", "code", "library", "active") if key in body})
        project["data"].update(body.get("data", {}))
        known = {attribute["name"] for attribute in self.state.active_attributes if "project" in attribute["scope"]}
        attributes = {name: value for name, value in body.get("attrib", {}).items() if name in known}
        project["anatomy"]["attributes"].update(attributes)
        lists = {key: body[camel] for camel, key in LISTS.items() if camel in body}
        project["anatomy"] = complete_anatomy({**project["anatomy"], **lists})
        project["updatedAt"] = self.state.timestamp()

    @route("DELETE", PROJECT)
    async def delete(self, request: Request, user: Record) -> Response:
        """Delete a project, and the access of all users to it."""
        project = self.get_project(request, user)
        del self.state.projects[project["name"].lower()]
        for other in self.state.users.values():
            other["data"]["accessGroups"].pop(project["name"], None)
        self.add_event(request, user, "entity.project.deleted", project["name"])
        return Response(status_code=204)


def matches_name(project: Record, pattern: str) -> bool:
    """Return whether the project's name matches in any case.

    :param pattern: "_" matches any character; an empty pattern matches all names
    """
    expression = re.escape(pattern).replace("_", ".")
    return not expression or re.fullmatch(expression, project["name"], re.IGNORECASE) is not None


def _matches(project: Record, query: dict[str, str]) -> bool:
    flags = {key: query[key] == "true" for key in ("library", "active") if key in query}
    return (
        all(project[key] is flag for key, flag in flags.items())
        and (not project["skeleton"] or query.get("skeleton") == "true")
        and matches_name(project, query.get("name", ""))
    )


def _to_row(project: Record) -> Record:
    return {**{key: project[key] for key in ROW_FIELDS}, "color": project["data"].get("color"), "pinned": False}


def _to_json(project: Record) -> Record:
    anatomy = project["anatomy"]
    lists = {camel: [_without_original_name(entry) for entry in anatomy[key]] for camel, key in LISTS.items()}
    attrib = {key: value for key, value in anatomy["attributes"].items() if value is not None}
    return {
        **{key: project[key] for key in PROJECT_FIELDS},
        **lists,
        "attrib": attrib,
        "ownAttrib": list(attrib),
        "updatedAt": project["updatedAt"],
        "skeleton": project["skeleton"] or None,
        "linkTypes": [_to_link_type(entry) for entry in anatomy["link_types"]],
        "config": {"roots": {root["name"]: root for root in anatomy["roots"]}, "templates": anatomy["templates"]},
    }


def _without_original_name(entry: Record) -> Record:
    return {key: value for key, value in entry.items() if key != "original_name"}


def _to_link_type(entry: Record) -> Record:
    kind, source, target = entry["link_type"], entry["input_type"], entry["output_type"]
    return {
        "name": f"{kind}|{source}|{target}",
        "linkType": kind,
        "inputType": source,
        "outputType": target,
        "data": {"color": entry["color"], "style": entry["style"]},
    }
