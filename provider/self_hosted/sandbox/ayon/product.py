"""The product as the sandbox knows it: routes, sample data, tables, connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.routing import BaseRoute, Route

from self_hosted.sandbox.ayon import access, defaults, projects, studio_routes
from self_hosted.sandbox.ayon.studio import Studio
from self_hosted.sandbox.stand_in import StandIn, Table

API_KEY = "5a" * 16
PASSWORD = "sandbox"  # noqa: S105 the stand-in's own


class Ayon(StandIn):
    """AYON, with a service user, an administrator, a manager and an artist."""

    name = "ayon"

    def routes(self) -> Sequence[BaseRoute]:
        """The table of routes."""
        p, preset = "/api/projects/{project}", "/api/anatomy/presets/{preset}"
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
            self._route("POST", "/graphql", studio_routes.graphql),
            self._public("GET", "/api/{rest:path}", studio_routes.unknown),
        ]

    def _route(self, method: str, path: str, handler: access.Handler) -> Route:
        return Route(path, access.guarded(lambda: self.studio, handler), methods=[method])

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
            during the next creation]}
        """
        for project in data.get("projects", []):
            self.studio.add_project(project, skeleton=project.get("skeleton", False))
        for name, anatomy in data.get("presets", {}).items():
            self.studio.presets[name] = defaults.anatomy(anatomy)
        self.studio.primary_preset = data.get("primaryPreset", self.studio.primary_preset)
        for user in data.get("users", []):
            credential = {"password": user.get("password", ""), "api_key": user.get("apiKey", "")}
            self.studio.add_user(user["name"], data=user.get("data"), **credential)
        for given in data.get("attributes", []):
            attribute = defaults.attribute(given["name"], given["type"], given["scope"], builtin=False)
            self.studio.attributes.append(attribute)
            if not given.get("asleep"):
                self.studio.attributes_in_force.append(attribute)
        self.studio.rivals += data.get("rivals", [])

    def end_sessions(self) -> None:
        """Forget all tokens, as a restart of Redis does; API keys go on working."""
        self.studio.sessions.clear()

    def tables(self) -> dict[str, Table]:
        """Projects and events."""
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
        return {"projects": rows[::-1], "events": self.studio.events[::-1]}

    def connection(self, base_url: str) -> dict[str, Any]:
        """With the API key of the service user."""
        return {"conn_type": "ayon", "host": f"{base_url}/ayon", "extra": {"api_key": API_KEY}}
