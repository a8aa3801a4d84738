"""Records of projects, with their anatomies and users, as AYON's endpoints return and take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from self_hosted.ayon.api.shapes import Anatomy, Project, ProjectPage, read_object
from self_hosted.core.arguments import check_id, check_ids
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import describe_changes, get_logger
from self_hosted.core.http.shape import check_shape

log = get_logger(__name__)

PAGE_SIZE = 500
MAX_PROJECTS = 100_000


def get(name: str) -> Flow[dict[str, Any]]:
    """Return one project (``GET /api/projects/{name}``, which ignores the case of the name).

    :param name: name of the project
    :return: AYON's JSON: ``{name, code, label, library, folderTypes, taskTypes, statuses, tags, config, attrib, data,
        active, ...}``
    :raises NotFoundError: if there is no such project; other users than managers get `PermissionDeniedError`
    """
    reply = yield Request("GET", _path(name))
    return read_object(reply, Project)


def list_all(
    *, name: str | None = None, library: bool | None = None, active: bool | None = None, skeleton: bool = False
) -> Flow[list[dict[str, Any]]]:
    """Return all projects that are visible to the user (``GET /api/projects``, page by page).

    :param name: only projects with this name, in any case; each "_" in it matches any character
    :param library: only library projects, or only others; None = all
    :param active: only active projects, or only inactive ones; None = all
    :param skeleton: include projects of which only a skeleton exists
    :return: AYON's JSON: ``[{name, code, label, color, active, library, skeleton, createdAt, updatedAt}, ...]``
    """
    if name is not None:
        check_id("name", name)
    selection = {"name": name, "library": library, "active": active, "skeleton": skeleton}
    projects: list[dict[str, Any]] = []
    page, count = 1, 1
    # by the count, and not until an empty page: for users who see only some projects, pages have gaps
    while (page - 1) * PAGE_SIZE < count:
        query = {**selection, "order": "name", "length": PAGE_SIZE, "page": page}
        reply = yield Request("GET", "/api/projects", query=query)
        body = check_shape(reply, reply.json(), ProjectPage)
        if body["count"] > MAX_PROJECTS:
            raise reply.malformed(f"unexpected response: count is {body['count']}")
        projects += body["projects"]  # type: ignore[arg-type]
        page, count = page + 1, body["count"]
    return projects


def find(name: str) -> Flow[dict[str, Any] | None]:
    """Return the project with this name in any case, possibly a skeleton, or None; in the short form of `list_all`.

    :param name: name of the project
    """
    name = check_id("name", name)
    # not `get`, which answers 403 for a missing project unless the user is a manager
    similar = yield from list_all(name=name, skeleton=True)
    return next((project for project in similar if project["name"].lower() == name.lower()), None)


def update(name: str, changes: dict[str, Any], before: Mapping[str, Any] | None = None) -> Flow[None]:
    """Change a project (``PATCH /api/projects/{name}``).

    :param name: name of the project
    :param changes: ``attrib`` and ``data`` are merged, lists are replaced, and None changes nothing
    :param before: the present values, for the log
    :raises PermissionDeniedError: unless the user is a manager
    """
    reply = yield Request("PATCH", _path(name), json=changes, idempotent=True)
    reply.require_status(204)
    log.info("Project %s: %s", name, describe_changes(_flatten(before or {}), _flatten(changes)))


def get_anatomy(name: str) -> Flow[dict[str, Any]]:
    """Return the anatomy of a project (``GET /api/projects/{name}/anatomy``).

    :param name: name of the project
    """
    reply = yield Request("GET", _path(name, "anatomy"))
    return read_object(reply, Anatomy)


def set_anatomy(name: str, anatomy: dict[str, Any]) -> Flow[None]:
    """Replace the anatomy of a project (``POST /api/projects/{name}/anatomy``).

    :param name: name of the project
    :param anatomy: the complete anatomy, attributes included: AYON sets missing parts to its defaults
    """
    reply = yield Request("POST", _path(name, "anatomy"), json=anatomy, idempotent=True)
    reply.require_status(204)
    log.info("Project %s: anatomy set", name)


def get_users(name: str) -> Flow[dict[str, list[str]]]:
    """Return the access groups of users in a project, by user name (``GET /api/projects/{name}/users``).

    :param name: name of the project
    """
    reply = yield Request("GET", _path(name, "users"))
    return check_shape(reply, reply.json(), dict[str, list[str]])


def set_user(name: str, user: str, groups: Sequence[str]) -> Flow[None]:
    """Set the access groups of a user in a project (``PATCH /api/projects/{name}/users/{user}``).

    :param name: name of the project
    :param user: name of the user
    :param groups: all access groups; an empty list removes the access. AYON ignores unknown groups silently
    :raises NotFoundError: if there is no such user
    """
    path = _path(name, "users", check_id("user", user))
    reply = yield Request("PATCH", path, json=check_ids("groups", groups), idempotent=True)
    check_shape(reply, reply.json(), dict[str, list[str]])
    log.info("Project %s: access groups of user %s set to %s", name, user, ", ".join(groups) or "none")


def page_url(base_url: str, name: str) -> str:
    """Return the page of a project in AYON.

    :param base_url: AYON's address
    :param name: name of the project
    """
    return f"{base_url}/projects/{quote(name)}/overview"


def _path(name: str, *segments: str) -> str:
    return f"/api{url_path('projects', check_id('name', name), *segments)}"


def _flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with those of ``attrib`` and ``data`` on the same level."""
    parts = [part for part in (values.get("attrib"), values.get("data")) if isinstance(part, Mapping)]
    own = {name: value for name, value in values.items() if name not in {"attrib", "data"}}
    return {**own, **{name: value for part in parts for name, value in part.items()}}
