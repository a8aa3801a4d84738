"""The base class of the resources of the API."""

from __future__ import annotations

import re
from typing import Any, Protocol

from starlette.requests import Request

from self_hosted.sandbox.ayon.errors import ApiError
from self_hosted.sandbox.ayon.state import Record, State, is_manager

SENDER = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.\-]*[a-zA-Z0-9_])?")


class HasState(Protocol):
    """The part of the fake server that resources and middleware use. A reset replaces the state."""

    state: State


class Resource:
    """A group of handlers. The options of their `route` decorators are the keyword arguments of `with_middleware`.

    :param server: owner of the state
    """

    def __init__(self, server: HasState) -> None:
        self._server = server

    @property
    def state(self) -> State:
        """The state of the server."""
        return self._server.state

    def get_project(self, request: Request, user: Record) -> Record:
        """Return the project in the path.

        :raises ApiError: if the user has no access to the project, or the project is missing. Without access, the
            error does not depend on whether the project exists.
        """
        name = request.path_params["project"]
        project = self.state.projects.get(name.lower())
        stored_name = project["name"] if project else name
        if not is_manager(user) and stored_name not in user["data"]["accessGroups"]:
            raise ApiError(403, "No access group assigned on this project")
        if project is None:
            raise ApiError(404, f"Project {name} not found")
        return project

    def add_event(self, request: Request, user: Record, topic: str, project: str | None, **fields: Any) -> Record:
        """Store an event with the user and the sender of the request."""
        sender = {
            "sender": _validate_sender(request.headers.get("x-sender")) or None,
            "senderType": _validate_sender(request.headers.get("x-sender-type")) or "api",
        }
        return self.state.add_event(topic, **{"project": project, "user": user["name"], **sender, **fields})


def _validate_sender(value: str | None) -> str:
    """Return the value, or an empty string if it is malformed: the server ignores malformed headers."""
    return value if value and SENDER.fullmatch(value) else ""
