"""The product as the sandbox knows it: routes, sample data, tables, connection."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.ayon import (
    access,
    entities,
    events,
    graphql_route,
    operations,
    projects,
    reviewables,
    studio_routes,
)
from self_hosted.sandbox.ayon.seeding import seed
from self_hosted.sandbox.ayon.studio import Studio, settled
from self_hosted.sandbox.stand_in import StandIn, Table

API_KEY = "5a" * 16
EVENT_COLUMNS = ("id", "topic", "project", "status", "user", "sender", "senderType", "createdAt")
PASSWORD = "sandbox"  # noqa: S105 the stand-in's own


class Ayon(StandIn):
    """AYON, with a service user, an administrator, a manager and an artist."""

    name = "ayon"

    def routes(self) -> Sequence[BaseRoute]:
        """The table of routes."""
        p, preset = "/api/projects/{project}", "/api/anatomy/presets/{preset}"
        background = f"{p}/operations/background"
        return [
            self._public("GET", "/", studio_routes.frontend),
            self._public("GET", "/api/info", studio_routes.info),
            self._public("POST", "/api/auth/login", access.login),
            self._public("POST", "/api/auth/logout", access.logout),
            self._route("GET", "/api/users/me", access.me),
            self._route("GET", "/api/users/{user}", access.get_user),
            self._route("GET", "/api/attributes", studio_routes.attributes),
            self._route("GET", "/api/accessGroups/_", studio_routes.access_groups),
            self._route("GET", "/api/anatomy/presets", studio_routes.presets),
            self._route("GET", preset, studio_routes.get_preset),
            self._route("PUT", preset, studio_routes.put_preset),
            self._route("GET", "/api/projects", projects.listed),
            self._route("POST", "/api/projects", projects.create),
            self._route("GET", p, projects.get),
            self._route("PATCH", p, projects.patch),
            self._route("DELETE", p, projects.delete),
            self._route("GET", f"{p}/anatomy", projects.get_anatomy),
            self._route("POST", f"{p}/anatomy", projects.set_anatomy),
            self._route("GET", f"{p}/users", projects.users),
            self._route("PATCH", f"{p}/users/{{user}}", projects.set_user),
            self._route("POST", background, operations.start),
            self._route("GET", f"{background}/{{task}}", operations.get),
            self._route("GET", f"{p}/versions/{{entity}}/reviewables", reviewables.listed),
            self._route("POST", f"{p}/versions/{{entity}}/reviewables", reviewables.upload),
            *(route for kind in entities.ENTITY_TYPES for route in self._entity_routes(f"{p}/{kind}s", kind)),
            self._route("POST", "/api/events", events.create),
            self._route("GET", "/api/events/{event}", events.get),
            self._route("PATCH", "/api/events/{event}", events.patch),
            self._route("POST", "/graphql", graphql_route.graphql),
            self._public("GET", "/api/{rest:path}", studio_routes.unknown),
        ]

    def _route(self, method: str, path: str, handler: access.Handler) -> Route:
        return Route(path, access.guarded(lambda: self.studio, handler), methods=[method])

    def _entity_routes(self, path: str, kind: str) -> Sequence[Route]:
        one = f"{path}/{{entity}}"
        return [
            self._route("POST", path, partial(entities.create, kind=kind)),
            self._route("GET", one, partial(entities.get, kind=kind)),
            self._route("PATCH", one, partial(entities.patch, kind=kind)),
            self._route("DELETE", one, partial(entities.delete, kind=kind)),
        ]

    def _public(self, method: str, path: str, handler: Any) -> Route:
        return Route(path, access.public(lambda: self.studio, handler), methods=[method])

    def reset(self) -> None:
        """Forget everything but the sample users."""
        self.studio = Studio()
        self.studio.add_user("airflow", data={"isService": True}, api_key=API_KEY)
        self.studio.add_user("admin", data={"isAdmin": True}, password=PASSWORD)
        self.studio.add_user("boss", data={"isManager": True}, password=PASSWORD)
        self.studio.add_user(
            "anna", data={"defaultAccessGroups": ["artist"]}, password=PASSWORD, full_name="Anna Artist"
        )

    def seed(self, data: dict[str, Any]) -> None:
        """Add what a test or a demo needs.

        :param data: {projects: [{name, code, ...}], presets: {name: anatomy}, primaryPreset, users: [{name, data,
            password, apiKey}], attributes: [{name, type, scope, asleep}], rivals: [project that somebody else creates
            during the next creation], entities: [{project, type, id, name, status, ...}], events: [{id, topic,
            project, status, ...}], operations: [background operation, see `operations.add_task`], reviewables:
            [{project, version, activityId, availability, processing: {status, description}, ...}]}. Entities, events
            and reviewables may change: {..., becomes: {"status": "finished"}, after: so many seconds}
        """
        seed(self.studio, data)

    def end_sessions(self) -> None:
        """Forget all tokens, as a restart of Redis does; API keys go on working."""
        self.studio.sessions.clear()

    def tables(self) -> dict[str, Table]:
        """Projects, what is in them, and events."""
        users = self.studio.users.values()
        rows = [
            {
                "name": project["name"],
                "code": project["code"],
                "label": project["label"] or "",
                "library": project["library"],
                "active": project["active"],
                "fps": project["anatomy"]["attributes"]["fps"],
                "users": [user["name"] for user in users if project["name"] in user["data"]["accessGroups"]],
                "created": project["createdAt"],
            }
            for project in self.studio.projects.values()
        ]
        entities_ = [
            {"project": project["name"], **{key: one[key] for key in ("type", "id", "status")}}
            for project in self.studio.projects.values()
            for one in map(settled, project["entities"].values())
        ]
        events_ = [{key: event[key] for key in EVENT_COLUMNS} for event in map(settled, self.studio.events)]
        return {"projects": rows[::-1], "entities": entities_[::-1], "events": events_[::-1]}

    def connection(self, base_url: str) -> dict[str, Any]:
        """With the API key of the service user."""
        return {"conn_type": "ayon", "host": f"{base_url}/ayon", "extra": {"api_key": API_KEY}}
