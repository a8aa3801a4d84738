"""Anatomy presets: templates for the anatomy of new projects."""

from __future__ import annotations

from typing import Any

from self_hosted.ayon.api.shapes import Anatomy, PresetList, read_object
from self_hosted.core.arguments import check_id
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import check_shape

PRIMARY = "__primary__"  # the studio's default, or AYON's built-in anatomy if it has none


def list_names() -> Flow[list[str]]:
    """Return the names of the studio's presets (``GET /api/anatomy/presets``)."""
    reply = yield Request("GET", "/api/anatomy/presets")
    return [preset["name"] for preset in check_shape(reply, reply.json(), PresetList)["presets"]]


def get(name: str = PRIMARY) -> Flow[dict[str, Any]]:
    """Return one preset, complete with defaults (``GET /api/anatomy/presets/{name}``).

    :param name: name of the preset, ``__primary__`` or ``__builtin__``
    :raises NotFoundError: if there is no such preset
    """
    reply = yield Request("GET", f"/api{url_path('anatomy', 'presets', check_id('name', name))}")
    return read_object(reply, Anatomy)
