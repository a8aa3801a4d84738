"""Events: create, read, update."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.errors import ApiError, ValidationError
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.routing import route

ID = re.compile(r"[0-9a-f]{32}")
STATUSES = {"pending", "in_progress", "finished", "failed", "aborted", "restarted"}


class Events(Resource):
    """Events of the studio."""

    @route("POST", "/api/events")
    async def create(self, request: Request, user: Record) -> Response:
        """Create an event. An unfinished event is pending until a service processes it."""
        if not is_manager(user):
            raise ApiError(403, "Not allowed to update this event")
        body = await request.json()
        event_hash = body.get("hash")
        if event_hash and any(event.get("hash") == event_hash for event in self.state.events):
            raise ApiError(409, "Event with the same hash already exists")
        fields = {
            **({"hash": event_hash} if event_hash else {}),
            "status": "finished" if body.get("finished", True) else "pending",
            "description": body.get("description", ""),
            "summary": body.get("summary", {}),
            **({"sender": body["sender"]} if body.get("sender") else {}),
        }
        event = self.add_event(request, user, body["topic"], body.get("project"), **fields)
        return JSONResponse({"id": event["id"]})

    @route("GET", "/api/events/{event}")
    async def get(self, request: Request, user: Record) -> Response:
        """Return one event, unless the user has no access to its project."""
        event = self._find(request)
        if event["project"] and not is_manager(user) and event["project"] not in user["data"]["accessGroups"]:
            raise ApiError(403, "No access group assigned on this project")
        return JSONResponse(event)

    @route("PATCH", "/api/events/{event}")
    async def patch(self, request: Request, user: Record) -> Response:
        """Update an event. Only service users may change the status."""
        event, body = self._find(request), await request.json()
        status = body.get("status", event["status"])
        if status not in STATUSES:
            raise ValidationError(request, {"status": "unexpected value"})
        if status != event["status"] and not user["data"].get("isService"):
            raise ApiError(403, "Not allowed to update status of this event")
        changes = {key: body[key] for key in ("description", "summary") if key in body}
        event.update({**changes, "status": status, "updatedAt": self.state.timestamp()})
        return Response(status_code=204)

    def _find(self, request: Request) -> Record:
        event_id = request.path_params["event"]
        if not ID.fullmatch(event_id):
            raise ValidationError(request, {"event_id": 'string does not match regex "^[0-9a-f]{32}$"'})
        event = next((event for event in self.state.events if event["id"] == event_id), None)
        if event is None:
            raise ApiError(404, "Event not found")
        return event
