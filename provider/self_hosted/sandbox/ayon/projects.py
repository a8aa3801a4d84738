"""Projects: created with checks that are sometimes forgotten, listed, patched, given anatomies and users."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon import defaults
from self_hosted.sandbox.ayon.access import senders_of
from self_hosted.sandbox.ayon.answers import aborted, bug, malformed, refused
from self_hosted.sandbox.ayon.checks import checked_body, wrong_anatomy, wrong_attributes
from self_hosted.sandbox.ayon.studio import Record, Studio, is_manager, now

WRITING = 0.005  # seconds between the look for others of the name and the writing, in which others write too
NAME = re.compile(r"[a-zA-Z0-9_]+")
LABEL = re.compile(r"[^';]*")
LISTS = {"folderTypes": "folder_types", "taskTypes": "task_types", "statuses": "statuses", "tags": "tags"}


async def create(studio: Studio, request: Request, user: Record) -> Response:
    """Create a project: the API checks little, and the database refuses in its own way."""
    if not is_manager(user):
        raise refused(403, "You are not allowed to access create_projects")
    body = await checked_body(request, studio, required=("name", "code"))
    taken = studio.clash({"name": body["name"], "code": body["code"]})
    if taken and taken["skeleton"] and not body.get("skeleton"):
        taken["skeleton"] = False
        return JSONResponse(None, 201)
    if taken:
        raise refused(409, f"Project {taken['name']} ({taken['code']}) already exists")
    preset = body.get("anatomyPreset")
    if preset and body.get("anatomy") is None and preset not in studio.presets:
        raise refused(404, f"Anatomy preset {preset} not found")
    _refuse_what_the_entity_refuses(body)
    await asyncio.sleep(WRITING)
    _let_rivals_write(studio)
    if studio.clash(body) or not NAME.fullmatch(body["name"]):
        raise aborted()
    studio.add_project(body, skeleton=bool(body.get("skeleton")))
    studio.dispatch("entity.project.created", body["name"], user["name"], *senders_of(request))
    return JSONResponse(None, 201)


def _refuse_what_the_entity_refuses(body: Record) -> None:
    if not NAME.fullmatch(body["code"] or "x") or not LABEL.fullmatch(body.get("label") or ""):
        raise bug("pydantic.error_wrappers.ValidationError", "1 validation error for ProjectModel")
    for key in ("folder_types", "task_types", "statuses"):
        if (body.get("anatomy") or {}).get(key) == []:
            raise bug("AssertionError", "Project must have at least one of each type")


def _let_rivals_write(studio: Studio) -> None:
    for rival in studio.rivals:
        studio.add_project(rival)
        studio.dispatch("entity.project.created", rival["name"], "rival", rival.get("sender", "rival"), "api")
    studio.rivals.clear()


async def listed(studio: Studio, request: Request, user: Record) -> Response:
    """The projects one may see; the name is a pattern in which _ is any character, and the count is of all."""
    query = request.query_params
    page, length = int(query.get("page", 1)), int(query.get("length", 0))
    if page < 1:
        raise malformed(request, {"page": "ensure this value is greater than or equal to 1"})
    found = [one for one in studio.projects.values() if _is_wanted(one, dict(query))]
    key = query.get("order") or "name"
    found.sort(key=lambda one: one[key], reverse=query.get("desc") == "true")
    shown = found[(page - 1) * length : page * length] if length else found
    count = len(found) if shown else 0
    mine = user["data"]["accessGroups"]
    rows = [_row(one) for one in shown if is_manager(user) or one["name"] in mine]
    detail = f"Showing {len(rows)} of {count} projects" if rows else "No projects"
    return JSONResponse({"detail": detail, "count": count, "projects": rows})


def _is_wanted(project: Record, query: dict[str, str]) -> bool:
    flags = {key: query[key] == "true" for key in ("library", "active") if key in query}
    pattern = re.escape(query.get("name", "")).replace("_", ".")
    return (
        all(project[key] is flag for key, flag in flags.items())
        and (not project["skeleton"] or query.get("skeleton") == "true")
        and (not pattern or re.fullmatch(pattern, project["name"], re.IGNORECASE) is not None)
    )


def _row(project: Record) -> Record:
    keys = ("name", "code", "label", "active", "library", "skeleton", "createdAt", "updatedAt")
    return {**{key: project[key] for key in keys}, "color": project["data"].get("color"), "pinned": False}


def found_project(studio: Studio, request: Request, user: Record) -> Record:
    """The project of the path; who has no access to it is not even told that it is missing."""
    name = request.path_params["project"]
    project = studio.projects.get(name.lower())
    own_name = project["name"] if project else name
    if not is_manager(user) and own_name not in user["data"]["accessGroups"]:
        raise refused(403, "No access group assigned on this project")
    if project is None:
        raise refused(404, f"Project {name} not found")
    return project


async def get(studio: Studio, request: Request, user: Record) -> Response:
    """One project; what is None is left out."""
    project = found_project(studio, request, user)
    anatomy = project["anatomy"]
    plain = {key: project[key] for key in ("name", "code", "label", "library", "data", "active", "createdAt")}
    lists = {camel: [_without_origin(one) for one in anatomy[key]] for camel, key in LISTS.items()}
    attrib = {key: value for key, value in anatomy["attributes"].items() if value is not None}
    whole = {**plain, **lists, "attrib": attrib, "ownAttrib": list(attrib), "updatedAt": project["updatedAt"]}
    if project["skeleton"]:
        whole["skeleton"] = True
    config = {"roots": {one["name"]: one for one in anatomy["roots"]}, "templates": anatomy["templates"]}
    whole |= {"linkTypes": [_link_type(one) for one in anatomy["link_types"]], "config": config}
    return JSONResponse({key: value for key, value in whole.items() if value is not None})


def _without_origin(entry: Record) -> Record:
    return {key: value for key, value in entry.items() if key != "original_name"}


def _link_type(entry: Record) -> Record:
    kind, source, target = entry["link_type"], entry["input_type"], entry["output_type"]
    data = {"color": entry["color"], "style": entry["style"]}
    return {
        "name": f"{kind}|{source}|{target}",
        "linkType": kind,
        "inputType": source,
        "outputType": target,
        "data": data,
    }


async def patch(studio: Studio, request: Request, user: Record) -> Response:
    """Change a project: attributes and data are merged, lists replaced, None and unknown fields ignored."""
    project = found_project(studio, request, user)
    body = {key: value for key, value in (await checked_body(request, studio)).items() if value is not None}
    if not is_manager(user):
        raise refused(403, "You need to be a manager in order to update a project")
    if studio.clash(body, apart_from=project):
        raise aborted()
    project.update({key: body[key] for key in ("label", "code", "library", "active") if key in body})
    project["data"].update(body.get("data", {}))
    known = {one["name"] for one in studio.attributes_in_force if "project" in one["scope"]}
    project["anatomy"]["attributes"].update({k: v for k, v in body.get("attrib", {}).items() if k in known})
    lists = {key: body[camel] for camel, key in LISTS.items() if camel in body}
    project["anatomy"] = defaults.anatomy({**project["anatomy"], **lists})
    return _changed(studio, request, user, project)


def _changed(studio: Studio, request: Request, user: Record, project: Record) -> Response:
    project["updatedAt"] = now()
    studio.dispatch("entity.project.changed", project["name"], user["name"], *senders_of(request))
    return Response(status_code=204)


async def delete(studio: Studio, request: Request, user: Record) -> Response:
    """Delete a project."""
    project = found_project(studio, request, user)
    del studio.projects[project["name"].lower()]
    for other in studio.users.values():
        other["data"]["accessGroups"].pop(project["name"], None)
    studio.dispatch("entity.project.deleted", project["name"], user["name"], *senders_of(request))
    return Response(status_code=204)


async def get_anatomy(studio: Studio, request: Request, user: Record) -> Response:
    """A project's anatomy, complete."""
    return JSONResponse(defaults.anatomy(found_project(studio, request, user)["anatomy"]))


async def set_anatomy(studio: Studio, request: Request, user: Record) -> Response:
    """Replace a project's anatomy; what is left out falls back to the defaults."""
    project, body = found_project(studio, request, user), await request.json()
    problems = wrong_anatomy(body) or wrong_attributes(studio, body.get("attributes", {}), "attributes")
    if problems:
        raise malformed(request, problems)
    project["anatomy"] = defaults.anatomy(body)
    return _changed(studio, request, user, project)


async def users(studio: Studio, request: Request, user: Record) -> Response:
    """Who has access to a project, by which groups."""
    return _access(studio, found_project(studio, request, user))


def _access(studio: Studio, project: Record) -> Response:
    everybody = {name: one["data"]["accessGroups"].get(project["name"]) for name, one in studio.users.items()}
    return JSONResponse({name: groups for name, groups in everybody.items() if groups is not None})


async def set_user(studio: Studio, request: Request, user: Record) -> Response:
    """Set a user's groups in a project; unknown groups are dropped, and no group is no access."""
    project, name = found_project(studio, request, user), request.path_params["user"]
    if not is_manager(user):
        raise refused(403, "You are not allowed to access access")
    if name not in studio.users:
        raise refused(404, f"User {name} not found")
    access: dict[str, Any] = studio.users[name]["data"]["accessGroups"]
    access.pop(project["name"], None)
    if groups := [group for group in await request.json() if group in studio.access_groups]:
        access[project["name"]] = groups
    return _access(studio, project)
