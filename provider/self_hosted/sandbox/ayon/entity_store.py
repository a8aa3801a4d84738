"""Entities of projects, with the constraints of the database."""

from __future__ import annotations

import uuid

from self_hosted.sandbox.ayon.state import Record

PARENT_FIELDS = {
    "folder": "parentId",
    "task": "folderId",
    "product": "folderId",
    "version": "productId",
    "representation": "versionId",
    "workfile": "taskId",
}
ENTITY_TYPES = tuple(PARENT_FIELDS)
NAME_FIELDS = {**dict.fromkeys(ENTITY_TYPES, "name"), "version": "version", "workfile": "path"}


class ConstraintViolationError(Exception):
    """A constraint of the database rejects an entity.

    :param detail: the message of the database
    :param code: kind of the violation, such as "unique-violation"
    """

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.detail, self.code = detail, code


def add_entity(project: Record, kind: str, body: Record) -> Record:
    """Store an entity.

    :param project: the project to change
    :param kind: type of the entity
    :param body: fields of the entity
    :return: the stored entity
    :raises ConstraintViolationError: if the entity conflicts with another one or refers to a missing one
    """
    entity = {"id": uuid.uuid4().hex, "status": _select_default_status(project, kind), **body, "type": kind}
    check_status(project, entity)
    _check_parent(project, kind, entity)
    _check_uniqueness(project, kind, entity)
    project["entities"][entity["id"]] = entity
    return entity


def check_status(project: Record, body: Record) -> None:
    """Check that the project has the entity's status.

    :raises ConstraintViolationError: if it does not
    """
    if "status" in body and body["status"] not in {status["name"] for status in project["anatomy"]["statuses"]}:
        detail = f"status '{body['status']}' is not present in table \"statuses\"."
        raise ConstraintViolationError(detail, "foreign-key-violation")


def _select_default_status(project: Record, kind: str) -> str:
    """Return the project's first status for the entity type, or its first status if there is none."""
    statuses = project["anatomy"]["statuses"]
    return str(next((status for status in statuses if kind in status["scope"]), statuses[0])["name"])


def _check_parent(project: Record, kind: str, entity: Record) -> None:
    field = PARENT_FIELDS[kind]
    column = field.replace("Id", "_id")
    parent = entity.get(field)
    if parent is None and kind != "folder":
        raise ConstraintViolationError(f"Missing required field: {column}", "not-null-violation")
    if parent is not None and parent not in project["entities"]:
        table = "folders" if kind == "folder" else f"{field.removesuffix('Id')}s"
        detail = f"{column} '{parent}' is not present in table \"{table}\"."
        raise ConstraintViolationError(detail, "foreign-key-violation")


def _check_uniqueness(project: Record, kind: str, entity: Record) -> None:
    if entity["id"] in project["entities"]:
        entity_id = uuid.UUID(entity["id"])
        raise ConstraintViolationError(f"{kind.capitalize()} with id '{entity_id}' already exists.", "unique-violation")
    name = _normalize_name(entity)
    siblings = (
        other
        for other in project["entities"].values()
        if other["type"] == kind and other.get(PARENT_FIELDS[kind]) == entity.get(PARENT_FIELDS[kind])
    )
    if any(_normalize_name(sibling) == name for sibling in siblings):
        detail = f"{kind.capitalize()} with lower(name::text) '{name}' already exists."
        raise ConstraintViolationError(detail, "unique-violation")


def _normalize_name(entity: Record) -> str:
    """Return the value that distinguishes an entity from its siblings, in lower case."""
    return str(entity.get(NAME_FIELDS[entity["type"]])).lower()
