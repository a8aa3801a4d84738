"""What the stand-in says of itself: classifications, constants and terms of service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.services import SERVICE

LEVELS = {"TLP:C": "TLP:CLEAR", "TLP:G": "TLP:GREEN", "TLP:A": "TLP:AMBER", "TLP:A+S": "TLP:AMBER+STRICT"}
DEFINITION = {
    "RESTRICTED": "TLP:C",
    "UNRESTRICTED": "TLP:C",
    "enforce": False,
    "groups_map_stl": {"CSE": "CSE"},
    "levels_aliases": {"RESTRICTED": "TLP:A+S", "TLP:W": "TLP:C", "UNRESTRICTED": "TLP:C"},
    "levels_map_lts": {long: short for short, long in LEVELS.items()},
    "levels_map_stl": LEVELS,
}
CONSTANTS = {
    "file_types": [["*", [SERVICE]], ["text/plain", [SERVICE]]],
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


class Help(Area):
    """What is kept are the terms of service."""

    name: ClassVar[str] = "help"

    @classmethod
    def fresh(cls) -> Any:
        """There are none."""
        return {"tos": None}

    def seed(self, data: Any) -> None:
        """Set the terms.

        :param data: ``tos``
        """
        self.kept.update(data)

    def rows(self) -> Sequence[Row]:
        """The routes below ``/help``, but for the configuration."""
        return [
            Row("GET", "/help/classification_definition/", self.classification_definition),
            Row("GET", "/help/constants/", self.constants),
            Row("GET", "/help/tos/", self.tos),
        ]

    async def classification_definition(self, request: Request, session: Session) -> Any:
        """How secret things may be; none of it is enforced."""
        return DEFINITION

    async def constants(self, request: Request, session: Session) -> Any:
        """What types of files and tags are known."""
        return CONSTANTS

    async def tos(self, request: Request, session: Session) -> Any:
        """The terms, as Markdown."""
        return self.kept["tos"]
