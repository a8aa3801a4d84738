"""Information about the server: API versions, configuration, classifications, constants and terms of service."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.service_data import SERVICE_NAME
from self_hosted.sandbox.routing import route

LEVELS = {"TLP:C": "TLP:CLEAR", "TLP:G": "TLP:GREEN", "TLP:A": "TLP:AMBER", "TLP:A+S": "TLP:AMBER+STRICT"}
CLASSIFICATION_DEFINITION = {
    "RESTRICTED": "TLP:C",
    "UNRESTRICTED": "TLP:C",
    "enforce": False,
    "groups_map_stl": {"CSE": "CSE"},
    "levels_aliases": {"RESTRICTED": "TLP:A+S", "TLP:W": "TLP:C", "UNRESTRICTED": "TLP:C"},
    "levels_map_lts": {long: short for short, long in LEVELS.items()},
    "levels_map_stl": LEVELS,
}
CONSTANTS = {
    "file_types": [["*", [SERVICE_NAME]], ["text/plain", [SERVICE_NAME]]],
    "max_priority": 1500,
    "priorities": {"critical": [1000, 1500], "low": [100, 200]},
    "tag_types": [
        "av.virus_name",
        "file.name.extracted",
        "network.dynamic.domain",
        "network.dynamic.ip",
        "network.dynamic.uri",
        "network.email.address",
        "network.static.domain",
        "network.static.ip",
        "network.static.uri",
    ],
}


class ApiVersions(Resource):
    """The versions of the API. There is no state."""

    name: ClassVar[str] = "versions"
    base_path: ClassVar[str] = "/api"

    @route("GET", "/", counted=False)
    async def list_versions(self, request: Request, session: Session) -> Any:
        """Return the versions."""
        return ["v4"]


class Help(Resource):
    """The help. The state has the terms of service under ``tos``."""

    name: ClassVar[str] = "help"

    @classmethod
    def create_state(cls) -> Any:
        """Return no terms of service."""
        return {"tos": None}

    def seed(self, data: Any) -> None:
        """Set the terms of service.

        :param data: ``tos``: Markdown
        """
        self.state.update(data)

    @route("GET", "/help/configuration/", counted=False)
    async def get_configuration(self, request: Request, session: Session) -> Any:
        """Return the configuration with flat keys."""
        return self.server.configuration

    @route("GET", "/help/classification_definition/", counted=False)
    async def get_classification_definition(self, request: Request, session: Session) -> Any:
        """Return the classifications, which are not enforced."""
        return CLASSIFICATION_DEFINITION

    @route("GET", "/help/constants/", counted=False)
    async def get_constants(self, request: Request, session: Session) -> Any:
        """Return the types of files and tags."""
        return CONSTANTS

    @route("GET", "/help/tos/", counted=False)
    async def get_terms(self, request: Request, session: Session) -> Any:
        """Return the terms of service as Markdown."""
        return self.state["tos"]
