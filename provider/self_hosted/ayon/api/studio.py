"""The server, and settings of the studio that apply to all projects."""

from __future__ import annotations

from typing import Any

from self_hosted.core.http.flow import Flow, Request


def get_info() -> Flow[dict[str, Any]]:
    """Return information about the server (``GET /api/info``). It needs no credential, so it proves none.

    :return: AYON's JSON: ``{version, ...}``, and with a valid credential ``{attributes, sites, ...}``
    """
    return (yield Request("GET", "/api/info")).json()  # type: ignore[no-any-return]


def list_attributes() -> Flow[list[dict[str, Any]]]:
    """Return the attributes of entities (``GET /api/attributes``).

    :return: AYON's JSON: ``[{name, scope: ["project", ...], data: {type, ...}}, ...]``
    """
    return (yield Request("GET", "/api/attributes")).json()["attributes"]  # type: ignore[no-any-return]


def list_access_groups() -> Flow[list[str]]:
    """Return the names of the studio's access groups (``GET /api/accessGroups/_``).

    :raises PermissionDeniedError: unless the user is a manager
    """
    return [group["name"] for group in (yield Request("GET", "/api/accessGroups/_")).json()]
