"""The spellings of classifications: the server stores short names."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.errors import call
from self_hosted.core.http.flow import Flow, Request


class _Definition(TypedDict):
    UNRESTRICTED: str
    levels_aliases: NotRequired[dict[str, str]]
    levels_map_lts: NotRequired[dict[str, str]]


def read() -> Flow[Levels]:
    """Return the spellings of the server's classifications.

    ``GET /api/v4/help/classification_definition/``
    """
    return Levels((yield from call(Request("GET", server.CLASSIFICATION_PATH), _Definition)))


class Levels:
    """The spellings of the server's classifications.

    :param definition: the server's definition
    """

    def __init__(self, definition: _Definition) -> None:
        self.lowest = definition["UNRESTRICTED"]
        self._aliases, self._short = definition.get("levels_aliases", {}), definition.get("levels_map_lts", {})

    def normalize(self, classification: str) -> str:
        """Return a classification with the short name of its level.

        :param classification: such as "TLP:AMBER//REL TO A"
        """
        level, separator, groups = classification.upper().partition("//")
        level = self._aliases.get(level, level)
        return f"{self._short.get(level, level)}{separator}{groups}"
