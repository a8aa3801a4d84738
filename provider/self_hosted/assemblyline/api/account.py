"""Who the credential belongs to, and how the server is set up."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path


def whoami() -> Flow[dict[str, Any]]:
    """Who the credential belongs to: username, roles and the server's version.

    ``GET /api/v4/user/whoami/``
    """
    reply = yield Request("GET", f"{API}/user/whoami/")
    body = reply.json()
    user = body["api_response"]
    return {"username": user["username"], "roles": user["roles"], "version": body["api_server_version"]}


def configuration() -> Flow[dict[str, Any]]:
    """The server's settings, flat: "submission.max_file_size" and so on. Does not count toward the daily quota.

    ``GET /api/v4/help/configuration/``
    """
    return asked(Request("GET", f"{API}/help/configuration/"))


def submission_profile(name: str) -> Flow[dict[str, Any]]:
    """What a submission profile sets. Does not count toward the daily quota.

    ``GET /api/v4/user/submission_params/<user>/<profile>/``

    :param name: "static", "static_with_dynamic", ...
    :raises Invalid: naming the profiles there are, when there is no such one
    """
    path = f"{API}/user/submission_params/__CURRENT__{url_path(name)}/"
    return asked(Request("GET", path))
