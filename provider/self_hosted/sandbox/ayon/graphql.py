"""GraphQL queries: events, and projects with their entities."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.entity_store import ENTITY_TYPES
from self_hosted.sandbox.ayon.graphql_schema import execute_query
from self_hosted.sandbox.ayon.projects import matches_name
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, State, is_manager
from self_hosted.sandbox.routing import route

ID = re.compile(r"[0-9a-fA-F]{32}")
DEFAULT_PAGE_SIZE = 100
PROJECT_FIELDS = ("name", "code", "label", "library", "active")
Resolver = Callable[..., Record]


class GraphQL(Resource):
    """The GraphQL endpoint."""

    @route("POST", "/graphql")
    async def query(self, request: Request, user: Record) -> Response:
        """Return the result of a query. The status is always 200."""
        body = await request.json()
        root = {
            "events": _build_events_resolver(self.state, user),
            "projects": _build_projects_resolver(self.state, user),
            "project": _build_project_resolver(self.state, user),
        }
        return JSONResponse(execute_query(body["query"], body.get("variables") or {}, root))


def _build_events_resolver(state: State, user: Record) -> Resolver:
    """Return a resolver. Users who are not managers see only their own events, unless they name the ids."""

    def resolve(
        info: Any,
        ids: Sequence[str] | None = None,
        topics: Sequence[str] | None = None,
        projects: Sequence[str] | None = None,
        first: int | None = None,
        last: int | None = None,
    ) -> Record:
        _check_ids(ids)
        events = [
            {**event, "summary": json.dumps(event["summary"])}
            for event in state.events
            if _is_selected(event["id"], ids)
            and _is_selected(event["topic"], topics)
            and _is_selected(event["project"], projects)
            and (is_manager(user) or ids is not None or event["user"] == user["name"])
        ]
        return _build_connection(events, first, last)

    return resolve


def _build_projects_resolver(state: State, user: Record) -> Resolver:
    """Return a resolver. It omits missing projects, and those to which the user has no access."""

    def resolve(info: Any, name: str | None = None, first: int | None = None) -> Record:
        projects = [
            _build_project_node(project)
            for project in state.projects.values()
            if matches_name(project, name or "")
            and not project["skeleton"]
            and (is_manager(user) or project["name"] in user["data"]["accessGroups"])
        ]
        return _build_connection(projects, first)

    return resolve


def _build_project_resolver(state: State, user: Record) -> Resolver:
    """Return a resolver for one project. A missing project is an error."""
    resolve_projects = _build_projects_resolver(state, user)

    def resolve(info: Any, name: str) -> Record:
        edges = resolve_projects(info, name)["edges"]
        if not edges:
            raise GraphQLError("Project not found", extensions={"status": 404})
        return edges[0]["node"]  # type: ignore[no-any-return]

    return resolve


def _build_project_node(project: Record) -> Record:
    fields = {key: project[key] for key in PROJECT_FIELDS}
    return {**fields, **{f"{kind}s": _build_entities_resolver(project, kind) for kind in ENTITY_TYPES}}


def _build_entities_resolver(project: Record, kind: str) -> Resolver:
    def resolve(info: Any, ids: Sequence[str] | None = None, first: int | None = None) -> Record:
        _check_ids(ids)
        entities = project["entities"].values()
        return _build_connection(
            [one for one in entities if one["type"] == kind and _is_selected(one["id"], ids)], first
        )

    return resolve


def _check_ids(ids: Sequence[str] | None) -> None:
    for entity_id in ids or ():
        if not ID.fullmatch(entity_id):
            raise GraphQLError(f"Invalid entity ID {entity_id}")


def _is_selected(value: str | None, selection: Sequence[str] | None) -> bool:
    return selection is None or value in selection


def _build_connection(nodes: list[Record], first: int | None, last: int | None = None) -> Record:
    """Return a page: the first nodes, or the last ones in reverse order.

    :param nodes: all nodes, oldest first
    """
    page = nodes[::-1][:last] if last else nodes[: first or DEFAULT_PAGE_SIZE]
    return {"edges": [{"node": node} for node in page]}
