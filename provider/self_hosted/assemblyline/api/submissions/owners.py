"""Submissions by owner: those of a user or a group."""

from __future__ import annotations

import re
from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.flow import Flow, Request, url_path

MAX_WINDOW = 10_000
"""How far a list reaches: offset and rows together."""

# the server inserts the name of a user or a group into a query as it is
NAME_PATTERN = re.compile(r"[\w.@-]+")


class SubmissionPage(TypedDict):
    """A window of a list of submissions.

    :param items: documents
    :param total: how many there are
    :param offset: index of the first item
    :param rows: largest number of items in the window
    """

    items: list[dict[str, Any]]
    total: int
    offset: int
    rows: int


def list_by_user(user: str, query: str | None = None, offset: int = 0, rows: int = 100) -> Flow[SubmissionPage]:
    """Return the submissions of a user, newest first.

    ``GET /api/v4/submission/list/user/<user>/``

    :param user: the own name; for administrators, any name
    :param query: a further Lucene query that they must match
    :param offset: number of submissions to skip
    :param rows: largest number of submissions; with ``offset`` at most 10,000
    :return: `SubmissionPage`
    :raises ValueError: if an argument is invalid
    :raises PermissionDeniedError: if it is another user's name
    """
    return _list("user", user, query, offset, rows)


def list_by_group(
    group: str = "ALL", query: str | None = None, offset: int = 0, rows: int = 100
) -> Flow[SubmissionPage]:
    """Return the submissions of a group, newest first; none if the group does not exist.

    ``GET /api/v4/submission/list/group/<group>/``

    :param group: its name; "ALL" for all submissions that the user may see
    :param query: a further Lucene query that they must match
    :param offset: number of submissions to skip
    :param rows: largest number of submissions; with ``offset`` at most 10,000
    :return: `SubmissionPage`
    :raises ValueError: if an argument is invalid
    """
    return _list("group", group, query, offset, rows)


def _list(kind: str, name: str, query: str | None, offset: int, rows: int) -> Flow[SubmissionPage]:
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError(f"{kind} must be a name of letters, digits and _.@-, not {name!r}")
    offset, rows = parse_int("offset", offset, minimum=0), parse_int("rows", rows, minimum=0)
    if offset + rows > MAX_WINDOW:
        raise ValueError(f"offset and rows must be {MAX_WINDOW} at most together; use search_all to read more")
    path = f"{API_PATH}{url_path('submission', 'list', kind, name)}/"
    return call(Request("GET", path, {"query": query, "offset": offset, "rows": rows}), SubmissionPage)
