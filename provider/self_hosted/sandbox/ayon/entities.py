"""Folders, tasks, products, versions, representations and workfiles: create, read, update, delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.entity_store import ENTITY_TYPES, ConstraintViolationError, add_entity, check_status
from self_hosted.sandbox.ayon.errors import ApiError, UnhandledError, ValidationError
from self_hosted.sandbox.ayon.projects import PROJECT
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record
from self_hosted.sandbox.routing import Handler, route

ACCEPTED_ID = re.compile(r"[0-9A-Fa-f]{32}")
ID = re.compile(r"[0-9a-f]{32}")
HIDDEN_FIELDS = {"type", "reviewables"}
HandlerT = TypeVar("HandlerT", bound=Handler)


def entity_route(method: str, suffix: str = "") -> Callable[[HandlerT], HandlerT]:
    """Return a decorator that declares a route for each entity type; the handler receives the type as ``kind``."""

    def declare(handler: HandlerT) -> HandlerT:
        for kind in reversed(ENTITY_TYPES):
            handler = route(method, f"{PROJECT}/{kind}s{suffix}", kind=kind)(handler)
        return handler

    return declare


class EntityResource(Resource):
    """A resource with routes below an entity."""

    def get_entity(self, request: Request, user: Record, kind: str) -> tuple[Record, Record]:
        """Return the project and the entity in the path.

        :raises ApiError: if the id is malformed, or the entity is missing
        """
        project, entity_id = self.get_project(request, user), request.path_params["entity"]
        if not ID.fullmatch(entity_id):
            raise ValidationError(request, {"entity_id": 'string does not match regex "^[0-9a-f]{32}$"'})
        entity = project["entities"].get(entity_id)
        if entity is None or entity["type"] != kind:
            raise ApiError(404, f"Entity {entity_id} not found")
        return project, entity


class Entities(EntityResource):
    """Entities of all types."""

    @entity_route("POST")
    async def create(self, request: Request, user: Record, *, kind: str) -> Response:
        """Create an entity. An id in upper case fails only after it is stored."""
        project, body = self.get_project(request, user), await request.json()
        if not ACCEPTED_ID.fullmatch(body.get("id", "0" * 32)):
            raise ValidationError(request, {"id": 'string does not match regex "^[0-f]{32}$"'})
        try:
            entity = add_entity(project, kind, body)
        except ConstraintViolationError as error:
            raise ApiError(409, error.detail) from None
        self._add_entity_event(request, user, project, entity, "created")
        if not ID.fullmatch(entity["id"]):
            detail = "1 validation error for EntityIdResponse"
            raise UnhandledError("pydantic.error_wrappers.ValidationError", detail)
        return JSONResponse({"id": entity["id"]}, 201)

    @entity_route("GET", "/{entity}")
    async def get(self, request: Request, user: Record, *, kind: str) -> Response:
        """Return one entity."""
        _, entity = self.get_entity(request, user, kind)
        return JSONResponse({key: value for key, value in entity.items() if key not in HIDDEN_FIELDS})

    @entity_route("PATCH", "/{entity}")
    async def patch(self, request: Request, user: Record, *, kind: str) -> Response:
        """Update an entity."""
        project, entity = self.get_entity(request, user, kind)
        body = await request.json()
        try:
            check_status(project, body)
        except ConstraintViolationError as error:
            raise ApiError(409, error.detail) from None
        has_new_status = entity["status"] != body.get("status", entity["status"])
        entity.update({key: value for key, value in body.items() if key not in {"id", "type"}})
        if has_new_status:
            self._add_entity_event(request, user, project, entity, "status_changed", value=entity["status"])
        return Response(status_code=204)

    @entity_route("DELETE", "/{entity}")
    async def delete(self, request: Request, user: Record, *, kind: str) -> Response:
        """Delete an entity."""
        project, entity = self.get_entity(request, user, kind)
        del project["entities"][entity["id"]]
        self._add_entity_event(request, user, project, entity, "deleted")
        return Response(status_code=204)

    def _add_entity_event(
        self, request: Request, user: Record, project: Record, entity: Record, verb: str, **summary: str
    ) -> None:
        topic = f"entity.{entity['type']}.{verb}"
        summary = {"entityId": entity["id"], **summary}
        self.add_event(request, user, topic, project["name"], summary=summary)
