"""What can be asked by GraphQL: events, and projects with the entities in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.entities import ENTITY_TYPES
from self_hosted.sandbox.ayon.graphql import GraphqlError, answer, connection
from self_hosted.sandbox.ayon.studio import Record, Studio, is_manager, settled

ID = re.compile(r"[0-9a-fA-F]{32}")
EVENT_FIELDS = ("id", "topic", "project", "user", "sender", "status", "description", "createdAt")


async def graphql(studio: Studio, request: Request, user: Record) -> Response:
    """Answer 200, whatever happens."""
    body = await request.json()
    root = {"events": _events(studio, user), "projects": _projects(studio, user), "project": _project(studio, user)}
    return JSONResponse(answer(body["query"], body.get("variables") or {}, root))


def _events(studio: Studio, user: Record) -> Callable[..., Record]:
    """Who is no manager sees only their own, unless they know the ids."""

    def events(
        ids: Sequence[str] | None = None,
        topics: Sequence[str] | None = None,
        projects: Sequence[str] | None = None,
        first: int | None = None,
        last: int | None = None,
    ) -> Record:
        _check(ids)
        found = [
            _event_node(settled(event))
            for event in studio.events
            if (ids is None or event["id"] in ids)
            and (topics is None or event["topic"] in topics)
            and (projects is None or event["project"] in projects)
            and (is_manager(user) or ids is not None or event["user"] == user["name"])
        ]
        return connection(found, first, last)

    return events


def _event_node(event: Record) -> Record:
    return {**{name: event[name] for name in EVENT_FIELDS}, "summary": json.dumps(event["summary"])}


def _check(ids: Sequence[str] | None) -> None:
    for one in ids or ():
        if not ID.fullmatch(one):
            raise GraphqlError(f"Invalid entity ID {one}")


def _projects(studio: Studio, user: Record) -> Callable[..., Record]:
    """A list, from which those that are missing, and those one may not see, are simply left out."""

    def projects(name: str | None = None, first: int | None = None) -> Record:
        pattern = re.escape(name or "").replace("_", ".")
        found = [
            _project_node(project)
            for project in studio.projects.values()
            if (not pattern or re.fullmatch(pattern, project["name"], re.IGNORECASE))
            and not project["skeleton"]
            and (is_manager(user) or project["name"] in user["data"]["accessGroups"])
        ]
        return connection(found, first)

    return projects


def _project(studio: Studio, user: Record) -> Callable[..., Record]:
    """One project; if it is missing there is no answer at all."""

    def project(name: str) -> Record:
        edges = _projects(studio, user)(name)["edges"]
        if not edges:
            raise GraphqlError("Project not found", 404)
        return edges[0]["node"]  # type: ignore[no-any-return]

    return project


def _project_node(project: Record) -> Record:
    plain = {key: project[key] for key in ("name", "code", "label", "library", "active")}
    return {**plain, **{f"{kind}s": _entities(project, kind) for kind in ENTITY_TYPES}}


def _entities(project: Record, kind: str) -> Callable[..., Record]:
    def entities(ids: Sequence[str] | None = None, first: int | None = None) -> Record:
        _check(ids)
        found = [
            settled(one)
            for one in project["entities"].values()
            if one["type"] == kind and (ids is None or one["id"] in ids)
        ]
        return connection(found, first)

    return entities
