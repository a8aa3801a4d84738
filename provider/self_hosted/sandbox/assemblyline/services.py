"""The services of the stand-in: one that is there for all files, which an administrator can set."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, body_of
from self_hosted.sandbox.assemblyline.area import Area, Row

SERVICE, VERSION = "RigScan", "4.7.0.1"
CATEGORIES = (
    "Antivirus",
    "Dynamic Analysis",
    "External",
    "Extraction",
    "Filtering",
    "Internet Connected",
    "Networking",
    "Static Analysis",
)
STAGES = ("FILTER", "EXTRACT", "CORE", "SECONDARY", "POST", "REVIEW")
MEMBERS = {"Static Analysis": [SERVICE], "CORE": [SERVICE]}
CONFIGURATION = {
    "services.categories": [[name, MEMBERS.get(name, [])] for name in CATEGORIES],
    "services.stages": [[name, MEMBERS.get(name, [])] for name in STAGES],
}
LISTED = {
    "accepts": ".*",
    "category": "Static Analysis",
    "classification": "TLP:C",
    "description": "Looks for words that say what it is to find",
    "enabled": True,
    "is_external": False,
    "name": SERVICE,
    "privileged": False,
    "rejects": "empty|metadata/.*",
    "stage": "CORE",
    "version": VERSION,
}
DEFAULT = {
    **LISTED,
    "config": {},
    "docker_config": {"image": "none/none:latest", "registry_password": "", "registry_username": ""},
    "licence_count": 0,
    "submission_params": [],
    "timeout": 60,
    "update_channel": "stable",
}


class Services(Area):
    """What is kept are the service's settings, and newer images, by the service's name."""

    name: ClassVar[str] = "services"

    @classmethod
    def fresh(cls) -> Any:
        """One service, as it comes."""
        return {"services": {SERVICE: copy.deepcopy(DEFAULT)}, "updates": {}}

    def seed(self, data: Any) -> None:
        """Tell of newer images.

        :param data: ``updates``, by the name of the service: latest_tag, update_available, updating
        """
        self.kept["updates"].update(data["updates"])

    def rows(self) -> Sequence[Row]:
        """The routes below ``/service``."""
        return [
            Row("GET", "/service/all/", self.all),
            Row("GET", "/service/constants/", self.constants),
            Row("GET", "/service/updates/", self.updates, "administration"),
            Row("PUT", "/service/update/", self.update, "administration"),
            Row("GET", "/service/versions/{name}/", self.versions, "administration"),
            Row("GET", "/service/{name}/", self.service, "administration"),
            Row("POST", "/service/{name}/", self.change, "administration"),
            Row("GET", "/service/{name}/{version}/", self.default, "administration"),
        ]

    async def all(self, request: Request, session: Session) -> Any:
        """What everybody may know of all services."""
        return [{name: one[name] for name in LISTED} for one in self.kept["services"].values()]

    async def constants(self, request: Request, session: Session) -> Any:
        """Categories and stages."""
        return {"categories": list(CATEGORIES), "stages": list(STAGES)}

    async def updates(self, request: Request, session: Session) -> Any:
        """Newer images."""
        return self.kept["updates"]

    async def update(self, request: Request, session: Session) -> Any:
        """Begin to bring a service up to date."""
        wanted = await body_of(request)
        self.kept["updates"][wanted["name"]] = {**wanted["update_data"], "updating": True}
        return {"success": True, "status": "updating"}

    async def versions(self, request: Request, session: Session) -> Any:
        """Versions of a service."""
        return [self._found(request)["version"]]

    async def service(self, request: Request, session: Session) -> Any:
        """One service, as it is set."""
        return self._found(request)

    async def default(self, request: Request, session: Session) -> Any:
        """One version of a service, as it comes."""
        if request.path_params["version"] != self._found(request)["version"]:
            raise self._missing(request)
        return DEFAULT

    async def change(self, request: Request, session: Session) -> Any:
        """Set a service: what is not sent is as it comes."""
        sent, name = await body_of(request), request.path_params["name"]
        if name not in self.kept["services"] or sent.get("version") != VERSION:
            raise Refusal(404, "The service you are trying to modify does not exist", {"success": False})
        if sent.get("name", name) != name:
            raise Refusal(400, "You cannot change the service name", {"success": False})
        self.kept["services"][name] = {**DEFAULT, **sent}
        return {"success": True, "removed_sources": {}}

    def _found(self, request: Request) -> dict[str, Any]:
        found: dict[str, Any] | None = self.kept["services"].get(request.path_params["name"])
        if found is None:
            raise self._missing(request)
        return found

    @staticmethod
    def _missing(request: Request) -> Refusal:
        return Refusal(404, f"{request.path_params['name']} service does not exist")
