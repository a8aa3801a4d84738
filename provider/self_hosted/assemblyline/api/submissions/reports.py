"""Reports on a submission: results, tags, heuristics and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from self_hosted.assemblyline.api.files import files
from self_hosted.assemblyline.errors import API_PATH, call_object
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject

Rows = list[list[Any]]


class _Submission(TypedDict):
    sid: str
    state: str


class _FullSubmission(_Submission):
    results: JsonObject
    errors: JsonObject
    file_infos: JsonObject
    file_tree: JsonObject


class _Tags(TypedDict):
    attribution: dict[str, Rows]
    behavior: dict[str, Rows]
    ioc: dict[str, Rows]


class _Summary(TypedDict):
    tags: _Tags
    attack_matrix: dict[str, Rows]
    heuristics: dict[str, Rows]
    partial: bool
    filtered: bool


class _Tree(TypedDict):
    tree: JsonObject


class _File(TypedDict):
    file_info: JsonObject
    results: list[JsonObject]
    errors: list[JsonObject]


def get(sid: str) -> Flow[dict[str, Any]]:
    """Return the report on a submission: its document, with tags, techniques and heuristics by file.

    ``GET /api/v4/submission/report/<sid>/``

    :param sid: id of the submission
    :raises UnavailableError: if the submission is not completed; only after the connection's retries
    :raises NotFoundError: if it does not exist
    """
    return call_object(Request("GET", _build_path("report", sid), long_running=True), _Submission)


def get_full(sid: str, *, full_tree: bool = False) -> Flow[dict[str, Any]]:
    """Return a submission with all its results, errors and files, which may be many megabytes.

    The document of `submissions.get`, with ``results`` and ``errors`` by their keys, and ``file_infos`` and
    ``file_tree`` by SHA-256. Parts that the server does not find within some 8 seconds are listed in
    ``missing_result_keys``, ``missing_error_keys`` and ``missing_file_keys``.

    ``GET /api/v4/submission/full/<sid>/``

    :param sid: id of the submission
    :param full_tree: whether a file that occurs twice is listed with all its children twice
    :raises NotFoundError: if it does not exist
    """
    query = {"get_full_tree": True} if full_tree else {}
    return call_object(Request("GET", _build_path("full", sid), query, long_running=True), _FullSubmission)


def get_summary(sid: str) -> Flow[dict[str, Any]]:
    """Return the findings of all files of a submission together.

    {tags: {"attribution" | "behavior" | "ioc": {type: [[value, kind, safelisted, classification]]}}, attack_matrix:
    {category: [[id, name, kind]]}, heuristics: {kind: [[id, name]]}, partial, filtered, ...}, where a ``kind`` is
    malicious, suspicious, info or safe. A technique is listed once for each of its kinds.

    ``GET /api/v4/submission/summary/<sid>/``

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist
    """
    return call_object(Request("GET", _build_path("summary", sid), long_running=True), _Summary)


def get_tree(sid: str) -> Flow[dict[str, Any]]:
    """Return the files of a submission and the files extracted from them: {tree, supplementary, classification, ...}.

    ``tree`` is {sha256: {name: [...], type, size, score, truncated, children: {sha256: ...}}}.

    ``GET /api/v4/submission/tree/<sid>/``

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist
    """
    return call_object(Request("GET", _build_path("tree", sid), long_running=True), _Tree)


def get_file(
    sid: str, sha256: str, extra_results: Sequence[str] = (), extra_errors: Sequence[str] = ()
) -> Flow[dict[str, Any]]:
    """Return a submission's findings on one file: {file_info, results, errors, tags, heuristics, attack_matrix, ...}.

    ``GET /api/v4/submission/<sid>/file/<sha256>/``, or ``POST`` with extra keys

    :param sid: id of the submission
    :param sha256: SHA-256 of the file
    :param extra_results: keys of results that a running submission does not list yet
    :param extra_errors: keys of errors that a running submission does not list yet
    :raises NotFoundError: if the submission or the file does not exist
    """
    path = f"{API_PATH}{url_path('submission', sid, 'file', files.parse_sha256(sha256))}/"
    if not extra_results and not extra_errors:
        return call_object(Request("GET", path, long_running=True), _File)
    extra = {"extra_result_keys": [*extra_results], "extra_error_keys": [*extra_errors]}
    return call_object(Request("POST", path, json=extra, long_running=True, idempotent=True), _File)


def _build_path(report: str, sid: str) -> str:
    return f"{API_PATH}{url_path('submission', report, sid)}/"
