"""The fake Assemblyline server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.assemblyline.authentication import Authentication
from self_hosted.sandbox.assemblyline.configuration import DEFAULT_CONFIGURATION
from self_hosted.sandbox.assemblyline.discovery import find_resource_classes
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.middleware import respond_to_unknown_path, with_middleware
from self_hosted.sandbox.assemblyline.quotas import Quotas
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.responses import envelope
from self_hosted.sandbox.assemblyline.submissions.store import SubmissionStore
from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.routing import Handler, RouteSpec, route

ALL_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
SESSION_SECONDS = 3600


class Assemblyline(FakeServer):
    """Assemblyline 4.7."""

    name: ClassVar[str] = "assemblyline"

    def __init__(self) -> None:
        self._resources = [resource_class(self) for resource_class in find_resource_classes()]
        super().__init__()

    def reset(self) -> None:
        """Remove all submissions, and restore the settings of a fresh server."""
        self.authentication, self.quotas = Authentication(), Quotas()
        self.configuration: dict[str, Any] = dict(DEFAULT_CONFIGURATION)
        self.store = SubmissionStore()
        self.state: dict[str, Any] = {resource.name: resource.create_state() for resource in self._resources}

    def seed(self, data: dict[str, Any]) -> None:
        """Change settings, and add data to resources.

        :param data: any of these keys, and names of resources with the data that their `seed` documents:

            - ``configuration``: {flat key: value}
            - ``quotas``: see `Quotas.limits`
            - ``delay``: duration of an analysis, in seconds
            - ``index_lag``: seconds until searches find a new submission
            - ``paused``: [component that processes nothing: "ingester" or "dispatcher"]
        """
        self.configuration.update(data.get("configuration", {}))
        self.quotas.limits.update(data.get("quotas", {}))
        self.store.delay = data.get("delay", self.store.delay)
        self.store.index_lag = data.get("index_lag", self.store.index_lag)
        self.store.paused = set(data.get("paused", self.store.paused))
        for resource in self._resources:
            if resource.name in data:
                resource.seed(data[resource.name])
        self.store.process_queues()

    def end_sessions(self) -> None:
        """Remove all sessions; API keys remain valid."""
        self.authentication.sessions.clear()

    def add_credential(self, credential: str) -> None:
        """Add another API key."""
        self.authentication.add_key(credential)

    def revoke_former_credentials(self) -> None:
        """Make the former API keys and all sessions invalid."""
        self.authentication.revoke_former_keys()

    def resources(self) -> Sequence[object]:
        """Return the resources of the API, and the server for paths outside of them."""
        return [*self._resources, self]

    def build_route(self, resource: object, spec: RouteSpec, handler: Handler) -> BaseRoute:
        """Return the route of a handler, with middleware for the handlers of resources."""
        if not isinstance(resource, Resource):
            return super().build_route(resource, spec, handler)
        endpoint = with_middleware(self, resource, spec, handler)
        return Route(f"{resource.base_path}{spec.path}", endpoint, methods=list(spec.methods))

    def routes(self) -> Sequence[BaseRoute]:
        """Return all routes, the one for unknown paths last."""
        self._routes = super().routes()
        return self._routes

    @route("POST", "/api/v4/auth/login/")
    async def log_in(self, request: Request) -> Response:
        """Return a session for a password or an API key."""
        try:
            session_id, session = self.authentication.log_in(json.loads(await request.body()))
        except ApiError as error:
            return envelope(error.response, error.status, error.message)
        roles_limit = None if session.xsrf_token else session.roles
        response = envelope({"roles_limit": roles_limit, "session_duration": SESSION_SECONDS, "username": session.user})
        response.set_cookie("XSRF-TOKEN", session.xsrf_token or "")
        response.set_cookie("session", session_id, httponly=True, samesite="none")
        return response

    @route(ALL_METHODS, "/{path:path}")
    async def reject_unknown(self, request: Request) -> Response:
        """Reject an unknown path, a wrong method, or a path without its final slash."""
        return respond_to_unknown_path(request, self._routes[:-1])

    def tables(self) -> dict[str, Table]:
        """Return submissions, sessions, and the tables of the resources."""
        tables = {resource.name: resource.build_table() for resource in self._resources}
        return {
            "submissions": [submission.build_row() for submission in reversed(self.store.list_existing())],
            "sessions": [{"user": session.user} for session in self.authentication.sessions.values()],
            **{name: table for name, table in tables.items() if table is not None},
        }

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return a connection with an API key."""
        user, key = self.authentication.connection_key
        return {
            "conn_type": "assemblyline",
            "host": f"{base_url}/{self.name}",
            "login": user,
            "extra": {"api_key": key},
        }

    def get_documents(self, index: str) -> list[dict[str, Any]]:
        """Return the documents of an index that searches find.

        :param index: name of the index
        """
        # others build their documents of all submissions, which takes as long as a search
        for resource in sorted(self._resources, key=lambda resource: not resource.name.startswith(index)):
            documents = resource.get_documents()
            if index in documents:
                return documents[index]
        return []
