"""Anatomy presets: templates for the anatomy of new projects."""

from __future__ import annotations

from typing import Any

from self_hosted.core.http.flow import Flow, Request, url_path

PRIMARY = "__primary__"  # the studio's default, or AYON's built-in anatomy if it has none


def list_names() -> Flow[list[str]]:
    """Return the names of the studio's presets (``GET /api/anatomy/presets``)."""
    return [preset["name"] for preset in (yield Request("GET", "/api/anatomy/presets")).json()["presets"]]


def get(name: str = PRIMARY) -> Flow[dict[str, Any]]:
    """Return one preset, complete with defaults (``GET /api/anatomy/presets/{name}``).

    :param name: name of the preset, ``__primary__`` or ``__builtin__``
    :raises NotFoundError: if there is no such preset
    """
    return (yield Request("GET", f"/api{url_path('anatomy', 'presets', name)}")).json()  # type: ignore[no-any-return]
