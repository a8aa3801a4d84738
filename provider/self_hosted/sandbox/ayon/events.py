"""Events: put into the history, read, and changed by those who work on them."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.access import senders_of
from self_hosted.sandbox.ayon.answers import malformed, refused
from self_hosted.sandbox.ayon.studio import Record, Studio, is_manager, now, settled

ID = re.compile(r"[0-9a-f]{32}")
STATUSES = {"pending", "in_progress", "finished", "failed", "aborted", "restarted"}


async def create(studio: Studio, request: Request, user: Record) -> Response:
    """Put in an event; one that is not finished waits for somebody to work on it."""
    if not is_manager(user):
        raise refused(403, "Not allowed to update this event")
    body = await request.json()
    sender, kind = senders_of(request)
    event = studio.dispatch(
        body["topic"],
        body.get("project"),
        user["name"],
        body.get("sender") or sender,
        kind,
        status="finished" if body.get("finished", True) else "pending",
        description=body.get("description", ""),
        summary=body.get("summary", {}),
    )
    return JSONResponse({"id": event["id"]})


def _found(studio: Studio, request: Request) -> Record:
    event_id = request.path_params["event"]
    if not ID.fullmatch(event_id):
        raise malformed(request, {"event_id": 'string does not match regex "^[0-9a-f]{32}$"'})
    event = next((one for one in studio.events if one["id"] == event_id), None)
    if event is None:
        raise refused(404, "Event not found")
    return settled(event)


async def get(studio: Studio, request: Request, user: Record) -> Response:
    """One event, unless it is of a project that one has no access to."""
    event = _found(studio, request)
    if event["project"] and not is_manager(user) and event["project"] not in user["data"]["accessGroups"]:
        raise refused(403, "No access group assigned on this project")
    return JSONResponse(event)


async def patch(studio: Studio, request: Request, user: Record) -> Response:
    """Change an event; its status is a matter of service users."""
    event, body = _found(studio, request), await request.json()
    status = body.get("status", event["status"])
    if status not in STATUSES:
        raise malformed(request, {"status": "unexpected value"})
    if status != event["status"] and not user["data"].get("isService"):
        raise refused(403, "Not allowed to update status of this event")
    changes = {key: body[key] for key in ("description", "summary") if key in body}
    event.update({**changes, "status": status, "updatedAt": now()})
    return Response(status_code=204)
