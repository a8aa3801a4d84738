"""What the server says of itself, for everybody; none of it counts toward the daily quota."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path


def component_status(component: str) -> Flow[bool]:
    """Whether an administrator lets a component work. It says nothing of whether it does, or exists.

    ``GET /api/v4/system/status/<component>/``

    :param component: "ingester" or "dispatcher"; of any other name the server says False
    """
    found = yield from asked(Request("GET", f"{API}{url_path('system', 'status', component)}/"))
    return bool(found[component])


def classification_definition() -> Flow[dict[str, Any]]:
    """The levels, groups and aliases of classifications, and in ``enforce`` whether they count on this server.

    ``GET /api/v4/help/classification_definition/``
    """
    return asked(Request("GET", f"{API}/help/classification_definition/"))


def constants() -> Flow[dict[str, Any]]:
    """The file types, with the services that take them, the tag types and the priorities the server knows.

    ``GET /api/v4/help/constants/``
    """
    return asked(Request("GET", f"{API}/help/constants/"))


def terms_of_service() -> Flow[str | None]:
    """The terms of service, as Markdown; None where there are none.

    ``GET /api/v4/help/tos/``
    """
    return asked(Request("GET", f"{API}/help/tos/"))
