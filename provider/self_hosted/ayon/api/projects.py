"""Projects, as AYON's endpoints take and give them. Those that make one are in `creation`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from self_hosted.core.flow import Flow, Request, url_path

PAGE = 500


def project(name: str) -> Flow[dict[str, Any]]:
    """One project: ``GET /api/projects/{name}``, which ignores the case of the name.

    :param name: its name
    :return: {name, code, label, library, folderTypes, taskTypes, statuses, tags, config, attrib, data, active, ...}
    """
    return (yield Request("GET", _path(name))).json()  # type: ignore[no-any-return]


def projects(
    *, name: str | None = None, library: bool | None = None, active: bool | None = None, skeleton: bool = False
) -> Flow[list[dict[str, Any]]]:
    """The projects one may see, page by page: ``GET /api/projects``.

    :param name: only those of this name, in any case; each "_" in it stands for any character
    :param library: only library projects, or only others
    :param active: only active projects, or only others
    :param skeleton: projects of which only a skeleton exists as well
    :return: [{name, code, label, color, active, library, skeleton, createdAt, updatedAt}, ...]
    """
    wanted = {"name": name, "library": library, "active": active, "skeleton": skeleton}
    found: list[dict[str, Any]] = []
    page, count = 1, 1
    # by pages, and not until an empty one: who sees only some of the projects gets pages with gaps
    while (page - 1) * PAGE < count:
        query = {**wanted, "order": "name", "length": PAGE, "page": page}
        answer = (yield Request("GET", "/api/projects", query=query)).json()
        found += answer["projects"]
        page, count = page + 1, answer["count"]
    return found


def find_project(name: str) -> Flow[dict[str, Any] | None]:
    """The project of this name in any case, be it a skeleton, or None; in the short form of `projects`.

    :param name: its name
    """
    # not `project`: it forbids what is missing, to all but managers
    alike = yield from projects(name=name, skeleton=True)
    return next((one for one in alike if one["name"].lower() == name.lower()), None)


def update_project(name: str, changes: dict[str, Any]) -> Flow[None]:
    """Change a project: ``PATCH /api/projects/{name}``; managers only.

    :param name: the project's
    :param changes: ``attrib`` and ``data`` are merged, lists are replaced, None changes nothing
    """
    yield Request("PATCH", _path(name), json=changes, repeatable=True)


def project_anatomy(name: str) -> Flow[dict[str, Any]]:
    """A project's anatomy: ``GET /api/projects/{name}/anatomy``.

    :param name: the project's
    """
    return (yield Request("GET", _path(name, "anatomy"))).json()  # type: ignore[no-any-return]


def set_project_anatomy(name: str, anatomy: dict[str, Any]) -> Flow[None]:
    """Replace a project's anatomy: ``POST /api/projects/{name}/anatomy``.

    :param name: the project's
    :param anatomy: all of it, attributes too: what is left out falls back to AYON's defaults
    """
    yield Request("POST", _path(name, "anatomy"), json=anatomy, repeatable=True)


def project_users(name: str) -> Flow[dict[str, list[str]]]:
    """Users and their access groups in a project: ``GET /api/projects/{name}/users``.

    :param name: the project's
    """
    return (yield Request("GET", _path(name, "users"))).json()  # type: ignore[no-any-return]


def set_project_user(name: str, user: str, groups: Sequence[str]) -> Flow[None]:
    """Give a user access to a project: ``PATCH /api/projects/{name}/users/{user}``.

    :param name: the project's
    :param user: the user's name
    :param groups: the access groups, all of them; none takes the access away; AYON drops unknown ones silently
    """
    yield Request("PATCH", _path(name, "users", user), json=list(groups), repeatable=True)


def project_url(base_url: str, name: str) -> str:
    """A project's page in AYON.

    :param base_url: AYON's address
    :param name: the project's
    """
    return f"{base_url}/projects/{quote(name)}/overview"


def _path(*segments: str) -> str:
    return f"/api{url_path('projects', *segments)}"
