"""The fake AYON server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.ayon.anatomies import Anatomies
from self_hosted.sandbox.ayon.entities import Entities
from self_hosted.sandbox.ayon.events import Events
from self_hosted.sandbox.ayon.graphql import GraphQL
from self_hosted.sandbox.ayon.middleware import with_middleware
from self_hosted.sandbox.ayon.operations import BackgroundOperations
from self_hosted.sandbox.ayon.presets import Presets
from self_hosted.sandbox.ayon.project_creation import ProjectCreation
from self_hosted.sandbox.ayon.project_users import ProjectUsers
from self_hosted.sandbox.ayon.projects import Projects
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.reviewables import Reviewables
from self_hosted.sandbox.ayon.seeding import seed
from self_hosted.sandbox.ayon.state import State
from self_hosted.sandbox.ayon.studio import Studio, UnknownPaths
from self_hosted.sandbox.ayon.tables import build_tables
from self_hosted.sandbox.ayon.users import Users
from self_hosted.sandbox.fake_server import FakeServer, Table
from self_hosted.sandbox.routing import Handler, RouteSpec

SERVICE_USER, API_KEY = "airflow", "5a" * 16
PASSWORD = "sandbox"  # noqa: S105 the password of the sample users
# the first matching route wins, so the fallback comes last
RESOURCES: tuple[type[Resource], ...] = (
    Studio,
    Users,
    Presets,
    Projects,
    ProjectCreation,
    Anatomies,
    ProjectUsers,
    BackgroundOperations,
    Reviewables,
    Entities,
    Events,
    GraphQL,
    UnknownPaths,
)


class Ayon(FakeServer):
    """AYON, with a service user, an administrator, a manager and an artist."""

    name: ClassVar[str] = "ayon"

    def resources(self) -> Sequence[object]:
        """Return the resources."""
        return [resource(self) for resource in RESOURCES]

    def build_route(self, resource: object, spec: RouteSpec, handler: Handler) -> BaseRoute:
        """Return the route of a handler, with middleware."""
        return Route(spec.path, with_middleware(self, handler, **spec.options), methods=list(spec.methods))

    def reset(self) -> None:
        """Restore the sample users."""
        self.state = State()
        self.state.add_user(SERVICE_USER, data={"isService": True}, api_key=API_KEY)
        self.state.add_user("admin", data={"isAdmin": True}, password=PASSWORD)
        self.state.add_user("boss", data={"isManager": True}, password=PASSWORD)
        self.state.add_user(
            "anna", data={"defaultAccessGroups": ["artist"]}, password=PASSWORD, full_name="Anna Artist"
        )

    def seed(self, data: dict[str, Any]) -> None:
        """Add users, projects, entities, events and more.

        :param data: any of these keys:

            - ``users``: [{``name``, ``data``, ``password``, ``apiKey``}]
            - ``attributes``: [{``name``, ``type``, ``scope``, ``needs_restart``: whether it is not active yet}]
            - ``presets``: {name: anatomy}, and ``primaryPreset``: name
            - ``projects``: [{``name``, ``code``, ...}]
            - ``concurrent_projects``: [project that another client creates during the next creation]
            - ``entities``: [{``project``, ``type``, ``id``, ``name``, ``status``, ...}]
            - ``reviewables``: [{``project``, ``version`` (id), ``activityId``, ``availability``, ``processing``:
              {``status``, ``description``}, ...}]
            - ``events``: [{``id``, ``topic``, ``project``, ``status``, ...}]
            - ``operations``: [{``project``, ...}], see `operations.add_background_operation`
            - ``advance_seconds``: how far to advance the server's clock

            Entities, reviewables and events may change later: {..., ``changes``: {fields}, ``after_seconds``: delay}.
        """
        seed(self.state, data)

    def end_sessions(self) -> None:
        """Invalidate all session tokens, as a restart of Redis does. API keys stay valid."""
        self.state.sessions.clear()

    def add_credential(self, credential: str) -> None:
        """Add another API key of the service user."""
        self.state.api_keys[credential] = SERVICE_USER

    def revoke_former_credentials(self) -> None:
        """Make the former API keys of the service user invalid."""
        for key in self._list_keys()[:-1]:
            del self.state.api_keys[key]

    def _list_keys(self) -> list[str]:
        return [key for key, user in self.state.api_keys.items() if user == SERVICE_USER]

    def tables(self) -> dict[str, Table]:
        """Return projects, their entities, and events."""
        self.state.apply_due_changes()
        return build_tables(self.state)

    def connection(self, base_url: str) -> dict[str, Any]:
        """Return a connection with the API key of the service user."""
        return {"conn_type": "ayon", "host": f"{base_url}/ayon", "extra": {"api_key": self._list_keys()[-1]}}
