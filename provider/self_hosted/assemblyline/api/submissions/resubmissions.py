"""Resubmissions of files that the server has: with the same params, for dynamic analysis, or with a profile.

The server copies the metadata of the old submission, so the new one has no tag of its own. If the response is lost, the
new submission cannot be found (`OutcomeUnknownError`). To submit exactly once, use `intake.submit_once` with the hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import ids
from self_hosted.assemblyline.api.account import account
from self_hosted.assemblyline.api.files import files
from self_hosted.assemblyline.api.submissions import idempotency, params as server_params, submissions
from self_hosted.assemblyline.api.submissions.contents import SubmittedFile
from self_hosted.assemblyline.errors import API_PATH, call_object
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import JsonObject

log = get_logger(__name__)

DYNAMIC_ANALYSIS = "Dynamic Analysis"
# written by the provider (see `core/tasks/back_link.py`) or the ingester
ORIGIN_METADATA = {"airflow_dag_id", "airflow_task_id", "airflow_run_id", "airflow_url"}
OWN_METADATA = {idempotency.METADATA_KEY, "ingest_id", "ts", "type", *ORIGIN_METADATA}


class _Submission(typing_extensions.TypedDict):
    sid: str


class Original(typing_extensions.TypedDict):
    """The shape of a submission that is submitted again."""

    sid: str
    files: list[SubmittedFile]
    metadata: JsonObject
    params: JsonObject


class CopiedOptions(TypedDict):
    """The options of a submission that is equal to an earlier one.

    :param name: name of the file
    :param metadata: keys and values
    :param params: the server's params
    """

    name: str
    metadata: dict[str, Any]
    params: dict[str, Any]


def create(sid: str) -> Flow[dict[str, Any]]:
    """Submit a submission's files again, with its params and metadata; return the new submission's document.

    ``GET /api/v4/submit/resubmit/<sid>/``, which is not idempotent though it is a GET

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist
    :raises OutcomeUnknownError: if the response was lost: there may be a new submission
    """
    path = f"{API_PATH}{url_path('submit', 'resubmit', sid)}/"
    return (yield from _send(Request("GET", path, idempotent=False), f"submission {sid}"))


def create_for_dynamic_analysis(
    sha256: str, copy_sid: str | None = None, name: str | None = None
) -> Flow[dict[str, Any]]:
    """Submit a file again for dynamic analysis; return the new submission's document.

    ``GET /api/v4/submit/dynamic/<sha256>/``, which is not idempotent though it is a GET

    :param sha256: SHA-256 of a file that the server has
    :param copy_sid: id of a submission whose params and metadata are copied; None = only Dynamic Analysis is run
    :param name: name of the file; default: its SHA-256
    :raises NotFoundError: if the file or the submission does not exist
    :raises OutcomeUnknownError: if the response was lost: there may be a new submission
    """
    sha256 = files.parse_sha256(sha256)
    _check_copied(copy_sid)
    yield from _check_exists(copy_sid)
    path = f"{API_PATH}{url_path('submit', 'dynamic', sha256)}/"
    request = Request("GET", path, {"copy_sid": copy_sid, "name": name}, idempotent=False)
    return (yield from _send(request, f"the file {sha256}"))


def create_with_profile(
    profile: str, sha256: str, copy_sid: str | None = None, name: str | None = None
) -> Flow[dict[str, Any]]:
    """Submit a file again with a submission profile; return the new submission's document.

    ``PUT /api/v4/submit/<profile>/<sha256>/``

    :param profile: "static", "static_with_dynamic", ...
    :param sha256: SHA-256 of a file that the server has
    :param copy_sid: id of a submission whose metadata and other params are copied; None = none
    :param name: name of the file; default: its SHA-256
    :raises ValueError: for "default", which `account.get_submission_profile` knows, but not this endpoint
    :raises InvalidRequestError: if the profile does not exist; the message names the existing ones
    :raises NotFoundError: if the file or the submission does not exist
    :raises OutcomeUnknownError: if the response was lost: there may be a new submission
    """
    sha256 = files.parse_sha256(sha256)
    _check_copied(copy_sid)
    if profile == "default":
        raise ValueError("profile must be one of the server's; 'default' stands for the user's own settings")
    yield from account.get_submission_profile(profile)
    yield from _check_exists(copy_sid)
    path = f"{API_PATH}{url_path('submit', profile, sha256)}/"
    request = Request("PUT", path, {"copy_sid": copy_sid, "name": name})
    return (yield from _send(request, f"the file {sha256}"))


def get_original(sid: str) -> Flow[Original]:
    """Return the document of a submission, for `copy_options`.

    ``GET /api/v4/submission/<sid>/``

    :param sid: id of the submission
    :raises NotFoundError: if it does not exist
    """
    return submissions.read(sid, Original)


def copy_options(document: Original) -> CopiedOptions:
    """Return the options with which `intake.submit_once` submits the same file in the same way.

    Values that belong to the earlier submission alone are left out: its tag, the id of its ingest, and the server's
    additions to the params.

    :param document: of the earlier submission, see `get_original`
    :return: `CopiedOptions`
    :raises ValueError: if the submission has several files
    """
    if len(document["files"]) != 1:
        raise ValueError(f"submission {document['sid']} has {len(document['files'])} files; submit each by its sha256")
    valid = set(server_params.PARAMS) - {"description"}
    params = {
        name: value for name, value in document["params"].items() if name in valid and value not in (None, "", [], {})
    }
    metadata = {name: value for name, value in document["metadata"].items() if name not in OWN_METADATA}
    return {"name": document["files"][0]["name"], "metadata": metadata, "params": params}


def add_dynamic_analysis(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return params with dynamic analysis among the selected services.

    :param params: the server's params
    """
    services = params.get("services") or {}
    selected = [name for name in services.get("selected") or [] if name != DYNAMIC_ANALYSIS]
    return {**params, "services": {**services, "selected": [*selected, DYNAMIC_ANALYSIS]}}


def _check_copied(copy_sid: str | None) -> None:
    if copy_sid is not None:
        ids.check_segment("copy_sid", copy_sid)


def _check_exists(copy_sid: str | None) -> Flow[None]:
    """Check that the copied submission exists: the server would ignore a missing one."""
    if copy_sid:
        yield from submissions.get(copy_sid)


def _send(request: Request, original: str) -> Flow[dict[str, Any]]:
    document = yield from call_object(request, _Submission)
    log.info("Submission %s: submitted %s again", document["sid"], original)
    return document
