"""Who one is, and what a studio has set up for all its projects."""

from __future__ import annotations

from typing import Any

from self_hosted.ayon.api.answers import GRAPHQL, LOGIN
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, url_path

OWN_NAME = {"X-as-user": ""}  # an empty name is nobody's, so that the answer is about the credential's own user
PRIMARY_PRESET = "__primary__"  # the studio's own default, or AYON's built-in anatomy when it has none


def login(name: str, password: str) -> Flow[str]:
    """Sign in; `LoginRefused` when AYON does not want to: ``POST /api/auth/login``.

    :param name: the user's
    :param password: the user's
    :return: the session's token
    """
    reply = yield Request("POST", LOGIN, json={"name": name, "password": password}, repeatable=True)
    return str(reply.json()["token"])


def me(*, own_name: bool = False) -> Flow[dict[str, Any]]:
    """The user one acts as: ``GET /api/users/me``. Administrators see password hashes in it: keep it out of logs.

    :param own_name: the user one is signed in as, even while acting as another
    :return: {name, attrib, data: {isService, isManager, ...}, ...}
    """
    return (yield Request("GET", "/api/users/me", headers=OWN_NAME if own_name else {})).json()  # type: ignore[no-any-return]


def info() -> Flow[dict[str, Any]]:
    """The server: ``GET /api/info``. It answers anybody, so it proves no credential.

    :return: {version, ...}, and when signed in {attributes, sites, ...}
    """
    return (yield Request("GET", "/api/info")).json()  # type: ignore[no-any-return]


def user(name: str) -> Flow[dict[str, Any]]:
    """One user: ``GET /api/users/{name}``. Keep it out of logs, as with `me`.

    :param name: its name
    """
    return (yield Request("GET", f"/api{url_path('users', name)}")).json()  # type: ignore[no-any-return]


def attributes() -> Flow[list[dict[str, Any]]]:
    """What entities can be described with: ``GET /api/attributes``.

    :return: [{name, scope: ["project", ...], data: {type, ...}}, ...]
    """
    return (yield Request("GET", "/api/attributes")).json()["attributes"]  # type: ignore[no-any-return]


def access_groups() -> Flow[list[str]]:
    """Names of the studio's access groups: ``GET /api/accessGroups/_``; managers only."""
    return [group["name"] for group in (yield Request("GET", "/api/accessGroups/_")).json()]


def anatomy_presets() -> Flow[list[str]]:
    """Names of the studio's anatomy presets: ``GET /api/anatomy/presets``."""
    return [preset["name"] for preset in (yield Request("GET", "/api/anatomy/presets")).json()["presets"]]


def anatomy_preset(name: str = PRIMARY_PRESET) -> Flow[dict[str, Any]]:
    """One anatomy preset, complete with defaults: ``GET /api/anatomy/presets/{name}``.

    :param name: a preset's, ``__primary__`` or ``__builtin__``
    """
    return (yield Request("GET", f"/api{url_path('anatomy', 'presets', name)}")).json()  # type: ignore[no-any-return]


def graphql(query: str, variables: dict[str, Any]) -> Flow[dict[str, Any]]:
    """Ask, without changing anything: ``POST /graphql``.

    :param query: the question
    :param variables: values of its variables
    """
    body = {"query": query, "variables": variables}
    return (yield Request("POST", GRAPHQL, json=body, repeatable=True)).json()["data"]  # type: ignore[no-any-return]


def may_act_as(name: str) -> Flow[None]:
    """Make sure that acting as another user would work.

    AYON ignores it silently from all but service users, and an unknown name makes it fail as in an outage.

    :param name: the user to act as
    :raises ValueError: when it would not work
    """
    own = yield from me()
    if not own["data"].get("isService"):
        raise ValueError(f"as_user needs the API key of a service user, and {own['name']!r} is none")
    try:
        yield from user(name)
    except NotFound:
        raise ValueError(f"as_user names {name!r}, whom AYON does not know") from None
