"""What projects consist of: made, read, changed and deleted one by one, with the conflicts that the database finds."""

from __future__ import annotations

import re
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.access import senders_of
from self_hosted.sandbox.ayon.answers import bug, malformed, refused
from self_hosted.sandbox.ayon.projects import found_project
from self_hosted.sandbox.ayon.studio import Record, Studio, settled

PARENTS = {  # the field that names the parent
    "folder": "parentId",
    "task": "folderId",
    "product": "folderId",
    "version": "productId",
    "representation": "versionId",
    "workfile": "taskId",
}
NAMES = {"version": "version", "workfile": "path"}  # what tells one from its siblings; all others have a name
ENTITY_TYPES = tuple(PARENTS)
TAKEN_FOR_AN_ID = re.compile(r"[0-9A-Fa-f]{32}")
ID = re.compile(r"[0-9a-f]{32}")


class Unfit(Exception):
    """An entity that the database does not take.

    :param detail: its words
    :param error: what kind of violation it is
    """

    def __init__(self, detail: str, error: str) -> None:
        super().__init__(detail)
        self.detail, self.error = detail, error


def add_entity(project: Record, kind: str, body: Record) -> Record:
    """Write an entity, unless it clashes with another one or refers to a missing one.

    :param project: where
    :param kind: its type
    :param body: its fields
    """
    entity = {"id": uuid.uuid4().hex, "status": first_status(project, kind), **body, "type": kind}
    _check_references(project, kind, entity)
    _check_uniqueness(project, kind, entity)
    project["entities"][entity["id"]] = entity
    return entity


def first_status(project: Record, kind: str) -> str:
    """The status of a new entity: the project's first that is meant for its type, or the very first."""
    statuses = project["anatomy"]["statuses"]
    return str(next((one for one in statuses if kind in one["scope"]), statuses[0])["name"])


def check_status(project: Record, body: Record) -> None:
    """Refuse a status that the project does not have.

    :param project: where
    :param body: the fields of an entity
    """
    if "status" in body and body["status"] not in {one["name"] for one in project["anatomy"]["statuses"]}:
        raise Unfit(f"status '{body['status']}' is not present in table \"statuses\".", "foreign-key-violation")


def _check_references(project: Record, kind: str, entity: Record) -> None:
    check_status(project, entity)
    field = PARENTS[kind]
    column = field.replace("Id", "_id")
    parent = entity.get(field)
    if parent is None and kind != "folder":
        raise Unfit(f"Missing required field: {column}", "not-null-violation")
    if parent is not None and parent not in project["entities"]:
        table = "folders" if kind == "folder" else f"{field.removesuffix('Id')}s"
        raise Unfit(f"{column} '{parent}' is not present in table \"{table}\".", "foreign-key-violation")


def _check_uniqueness(project: Record, kind: str, entity: Record) -> None:
    if entity["id"] in project["entities"]:
        shown = uuid.UUID(entity["id"])
        raise Unfit(f"{kind.capitalize()} with id '{shown}' already exists.", "unique-violation")
    for other in project["entities"].values():
        if other["type"] == kind and _name(other) == _name(entity):
            words = f"{kind.capitalize()} with lower(name::text) '{_name(entity)[1]}' already exists."
            raise Unfit(words, "unique-violation")


def _name(entity: Record) -> tuple[Any, str]:
    kind = entity["type"]
    return entity.get(PARENTS[kind]), str(entity.get(NAMES.get(kind, "name"))).lower()


def found_entity(studio: Studio, request: Request, user: Record, kind: str) -> tuple[Record, Record]:
    """The project and the entity of a path.

    :param studio: where
    :param request: its path
    :param user: who asks
    :param kind: the type of the entity
    """
    project, entity_id = found_project(studio, request, user), request.path_params["entity"]
    if not ID.fullmatch(entity_id):
        raise malformed(request, {"entity_id": 'string does not match regex "^[0-9a-f]{32}$"'})
    entity = project["entities"].get(entity_id)
    if entity is None or entity["type"] != kind:
        raise refused(404, f"Entity {entity_id} not found")
    return project, settled(entity)


async def create(studio: Studio, request: Request, user: Record, *, kind: str) -> Response:
    """Create an entity; an id in capitals is written before it is found to be none."""
    project, body = found_project(studio, request, user), await request.json()
    if not TAKEN_FOR_AN_ID.fullmatch(body.get("id", "0" * 32)):
        raise malformed(request, {"id": 'string does not match regex "^[0-f]{32}$"'})
    try:
        entity = add_entity(project, kind, body)
    except Unfit as problem:
        raise refused(409, problem.detail) from None
    _tell(studio, request, user, entity, "created")
    if not ID.fullmatch(entity["id"]):
        raise bug("pydantic.error_wrappers.ValidationError", "1 validation error for EntityIdResponse")
    return JSONResponse({"id": entity["id"]}, 201)


async def get(studio: Studio, request: Request, user: Record, *, kind: str) -> Response:
    """One entity."""
    _, entity = found_entity(studio, request, user, kind)
    return JSONResponse({key: value for key, value in entity.items() if key not in {"type", "reviewables"}})


async def patch(studio: Studio, request: Request, user: Record, *, kind: str) -> Response:
    """Change an entity."""
    project, entity = found_entity(studio, request, user, kind)
    body = await request.json()
    try:
        check_status(project, body)
    except Unfit as problem:
        raise refused(409, problem.detail) from None
    changed = entity["status"] != body.get("status", entity["status"])
    entity.update({key: value for key, value in body.items() if key not in {"id", "type"}})
    if changed:
        _tell(studio, request, user, entity, "status_changed")
    return Response(status_code=204)


async def delete(studio: Studio, request: Request, user: Record, *, kind: str) -> Response:
    """Delete an entity."""
    project, entity = found_entity(studio, request, user, kind)
    del project["entities"][entity["id"]]
    _tell(studio, request, user, entity, "deleted")
    return Response(status_code=204)


def _tell(studio: Studio, request: Request, user: Record, entity: Record, what: str) -> None:
    summary = {"entityId": entity["id"], **({"value": entity["status"]} if what == "status_changed" else {})}
    project = found_project(studio, request, user)["name"]
    topic = f"entity.{entity['type']}.{what}"
    studio.dispatch(topic, project, user["name"], *senders_of(request), summary=summary)
