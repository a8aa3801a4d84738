"""The services: settings, versions and updates."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.request_parsing import read_json
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.service_data import (
    CATEGORIES,
    DEFAULT_SETTINGS,
    SERVICE_NAME,
    SERVICE_VERSION,
    STAGES,
    SUMMARY,
)
from self_hosted.sandbox.routing import route

ADMIN = "administration"


class Services(Resource):
    """The services. The state has their settings, and their updates, by name of the service."""

    name: ClassVar[str] = "services"

    @classmethod
    def create_state(cls) -> Any:
        """Return the default settings of the only service."""
        return {"services": {SERVICE_NAME: copy.deepcopy(DEFAULT_SETTINGS)}, "updates": {}}

    def seed(self, data: Any) -> None:
        """Add updates.

        :param data: ``updates``: {name of the service: {``latest_tag``, ``update_available``, ``updating``}}
        """
        self.state["updates"].update(data["updates"])

    @route("GET", "/service/all/", counted=False)
    async def list_services(self, request: Request, session: Session) -> Any:
        """Return the public settings of all services."""
        return [{name: service[name] for name in SUMMARY} for service in self.state["services"].values()]

    @route("GET", "/service/constants/", counted=False)
    async def get_constants(self, request: Request, session: Session) -> Any:
        """Return categories and stages."""
        return {"categories": list(CATEGORIES), "stages": list(STAGES)}

    @route("GET", "/service/updates/", role=ADMIN, counted=False)
    async def list_updates(self, request: Request, session: Session) -> Any:
        """Return the updates of all services."""
        return self.state["updates"]

    @route("PUT", "/service/update/", role=ADMIN, counted=False)
    async def start_update(self, request: Request, session: Session) -> Any:
        """Start the update of a service."""
        body = await read_json(request)
        self.state["updates"][body["name"]] = {**body["update_data"], "updating": True}
        return {"success": True, "status": "updating"}

    @route("GET", "/service/versions/{service}/", role=ADMIN, counted=False)
    async def list_versions(self, request: Request, session: Session) -> Any:
        """Return the versions of a service."""
        return [self._find(request)["version"]]

    @route("GET", "/service/{service}/", role=ADMIN, counted=False)
    async def get_service(self, request: Request, session: Session) -> Any:
        """Return the settings of a service."""
        return self._find(request)

    @route("POST", "/service/{service}/", role=ADMIN, counted=False)
    async def change_service(self, request: Request, session: Session) -> Any:
        """Change the settings of a service. Settings that are not given get their defaults."""
        settings, name = await read_json(request), request.path_params["service"]
        if name not in self.state["services"] or settings.get("version") != SERVICE_VERSION:
            raise ApiError(404, "The service you are trying to modify does not exist", {"success": False})
        if settings.get("name", name) != name:
            raise ApiError(400, "You cannot change the service name", {"success": False})
        self.state["services"][name] = {**DEFAULT_SETTINGS, **settings}
        return {"success": True, "removed_sources": {}}

    @route("GET", "/service/{service}/{version}/", role=ADMIN, counted=False)
    async def get_default_settings(self, request: Request, session: Session) -> Any:
        """Return the default settings of a version of a service."""
        if request.path_params["version"] != self._find(request)["version"]:
            raise _not_found(request)
        return DEFAULT_SETTINGS

    def _find(self, request: Request) -> dict[str, Any]:
        service: dict[str, Any] | None = self.state["services"].get(request.path_params["service"])
        if service is None:
            raise _not_found(request)
        return service


def _not_found(request: Request) -> ApiError:
    return ApiError(404, f"{request.path_params['service']} service does not exist")
