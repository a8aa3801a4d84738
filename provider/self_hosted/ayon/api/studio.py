"""The server, and settings of the studio that apply to all projects."""

from __future__ import annotations

from typing import Any

from self_hosted.ayon.api.shapes import AttributeList, Named, ServerInfo, read_object
from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.http.shape import check_shape


def get_info() -> Flow[dict[str, Any]]:
    """Return information about the server (``GET /api/info``). It needs no credential, so it proves none.

    :return: AYON's JSON: ``{version, ...}``, and with a valid credential ``{attributes, sites, ...}``
    """
    reply = yield Request("GET", "/api/info")
    return read_object(reply, ServerInfo)


def list_attributes() -> Flow[list[dict[str, Any]]]:
    """Return the attributes of entities (``GET /api/attributes``).

    :return: AYON's JSON: ``[{name, scope: ["project", ...], data: {type, ...}}, ...]``
    """
    reply = yield Request("GET", "/api/attributes")
    return check_shape(reply, reply.json(), AttributeList)["attributes"]  # type: ignore[return-value]


def list_access_groups() -> Flow[list[str]]:
    """Return the names of the studio's access groups (``GET /api/accessGroups/_``).

    :raises PermissionDeniedError: unless the user is a manager
    """
    reply = yield Request("GET", "/api/accessGroups/_")
    return [group["name"] for group in check_shape(reply, reply.json(), list[Named])]
