"""Users, and the user of the connection. Their JSON may contain password hashes: keep it out of logs."""

from __future__ import annotations

from typing import Any

from self_hosted.ayon.api.shapes import User, read_object
from self_hosted.core.arguments import check_id
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Request, url_path

WITHOUT_AS_USER = {"X-as-user": ""}  # an empty name acts as the user of the credential


def get_current(*, ignore_as_user: bool = False) -> Flow[dict[str, Any]]:
    """Return the user that requests act as (``GET /api/users/me``).

    :param ignore_as_user: return the user of the credential, even if requests act as another user
    :return: AYON's JSON: ``{name, attrib, data: {isService, isManager, ...}, ...}``
    """
    headers = WITHOUT_AS_USER if ignore_as_user else {}
    reply = yield Request("GET", "/api/users/me", headers=headers)
    return read_object(reply, User)


def get(name: str) -> Flow[dict[str, Any]]:
    """Return one user (``GET /api/users/{name}``).

    :param name: its name
    :return: AYON's JSON, as for `get_current`
    :raises NotFoundError: if there is no such user
    """
    reply = yield Request("GET", f"/api{url_path('users', check_id('name', name))}")
    return read_object(reply, User)


def verify_can_act_as(name: str) -> Flow[None]:
    """Check that requests can act as another user.

    AYON silently ignores the user's name for credentials other than those of service users, and answers an unknown name
    as it answers in an outage.

    :param name: the user to act as
    :raises ValueError: if they cannot
    """
    check_id("name", name)
    owner = yield from get_current()
    if not owner["data"].get("isService"):
        raise ValueError(f"as_user requires the API key of a service user; {owner['name']!r} is not a service user")
    try:
        yield from get(name)
    except NotFoundError:
        raise ValueError(f"as_user must be an existing user of AYON, not {name!r}") from None
