"""What came of a submission: its results, tags and files, and the report on it; and whose submissions there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path

WINDOW = 10_000
"""How far a search of the server's can look without deep paging."""

# the server puts the name of a user or a group into a query as it is
NAME = re.compile(r"[\w.@-]+")


def full_submission(sid: str, *, full_tree: bool = False) -> Flow[dict[str, Any]]:
    """A submission with all results, errors and files in it, which can be many megabytes.

    The document of `submission`, where ``results`` and ``errors`` are by their keys, and ``file_infos`` and
    ``file_tree`` by SHA-256. What the server cannot find, after looking for some 8 seconds, it names in
    ``missing_result_keys``, ``missing_error_keys`` and ``missing_file_keys``.

    ``GET /api/v4/submission/full/<sid>/``

    :param sid: its id
    :param full_tree: whether a file that is found twice is shown with all its children twice
    :raises NotFound: when there is no such submission
    """
    query = {"get_full_tree": True} if full_tree else {}
    return asked(Request("GET", _path("full", sid), query, slow=True))


def submission_summary(sid: str) -> Flow[dict[str, Any]]:
    """What was found in all files of a submission, taken together.

    {tags: {"attribution" | "behavior" | "ioc": {type: [[value, kind, safelisted, classification]]}}, attack_matrix:
    {category: [[id, name, kind]]}, heuristics: {kind: [[id, name]]}, partial, filtered, ...}, where a ``kind`` is
    malicious, suspicious, info or safe. One technique is listed once for each kind.

    ``GET /api/v4/submission/summary/<sid>/``

    :param sid: its id
    :raises NotFound: when there is no such submission
    """
    return asked(Request("GET", _path("summary", sid), slow=True))


def submission_tree(sid: str) -> Flow[dict[str, Any]]:
    """The files of a submission and what was extracted from them: {tree, supplementary, classification, ...}.

    ``tree`` is {sha256: {name: [...], type, size, score, truncated, children: {sha256: ...}}}.

    ``GET /api/v4/submission/tree/<sid>/``

    :param sid: its id
    :raises NotFound: when there is no such submission
    """
    return asked(Request("GET", _path("tree", sid), slow=True))


def submission_report(sid: str) -> Flow[dict[str, Any]]:
    """The report on a submission: its document, with tags, techniques and heuristics, each with the files it is of.

    ``GET /api/v4/submission/report/<sid>/``

    :param sid: its id
    :raises Busy: when the submission is not completed; told only after the connection's retries, which it may need
    :raises NotFound: when there is no such submission
    """
    return asked(Request("GET", _path("report", sid), slow=True))


def submission_file(
    sid: str, sha256: str, extra_results: Sequence[str] = (), extra_errors: Sequence[str] = ()
) -> Flow[dict[str, Any]]:
    """What a submission says of one of its files: {file_info, results, errors, tags, heuristics, attack_matrix, ...}.

    ``GET /api/v4/submission/<sid>/file/<sha256>/``, or POST with extra keys

    :param sid: the submission's id
    :param sha256: the file's
    :param extra_results: keys of results that a running submission does not list yet
    :param extra_errors: keys of errors that a running submission does not list yet
    :raises NotFound: when there is no such submission or file
    """
    path = f"{API}{url_path('submission', sid, 'file', sha256.lower())}/"
    if not extra_results and not extra_errors:
        return asked(Request("GET", path, slow=True))
    extra = {"extra_result_keys": [*extra_results], "extra_error_keys": [*extra_errors]}
    return asked(Request("POST", path, json=extra, slow=True, repeatable=True))


def user_submissions(user: str, query: str | None = None, offset: int = 0, rows: int = 100) -> Flow[dict[str, Any]]:
    """Submissions of a user, newest first: {items, total, offset, rows}.

    ``GET /api/v4/submission/list/user/<user>/``

    :param user: the own name; an administrator may give any
    :param query: a Lucene query that they must match, too
    :param offset: how many to pass over
    :param rows: how many at most; with ``offset``, 10,000 at most
    :raises ValueError: for what can be no name, and more rows
    :raises Forbidden: for the name of somebody else
    """
    return _listed("user", user, query, offset, rows)


def group_submissions(
    group: str = "ALL", query: str | None = None, offset: int = 0, rows: int = 100
) -> Flow[dict[str, Any]]:
    """Submissions of a group, newest first: {items, total, offset, rows}; none when there is no such group.

    ``GET /api/v4/submission/list/group/<group>/``

    :param group: its name; "ALL" for all submissions that the user may see
    :param query: a Lucene query that they must match, too
    :param offset: how many to pass over
    :param rows: how many at most; with ``offset``, 10,000 at most
    :raises ValueError: for what can be no name, and more rows
    """
    return _listed("group", group, query, offset, rows)


def _listed(whose: str, name: str, query: str | None, offset: int, rows: int) -> Flow[dict[str, Any]]:
    if not NAME.fullmatch(name):
        raise ValueError(f"{whose} must be a name of letters, digits and _.@-, not {name!r}")
    if offset + rows > WINDOW:
        raise ValueError(f"offset and rows must be {WINDOW} together at most; search the submissions to see more")
    path = f"{API}{url_path('submission', 'list', whose, name)}/"
    return asked(Request("GET", path, {"query": query, "offset": offset, "rows": rows}))


def _path(what: str, sid: str) -> str:
    return f"{API}{url_path('submission', what, sid)}/"
