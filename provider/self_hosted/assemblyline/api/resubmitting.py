"""Submitting anew what the server has: with the same params, for dynamic analysis, or with a profile.

The server copies the metadata of the old submission, so that nothing in the new one can tell whose it is: when an
answer is lost nobody can find out what came of it, and the error says so (`Uncertain`). What must be done once is
submitted by its hash, with `submit_once`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.account import submission_profile
from self_hosted.assemblyline.api.checks import SUBMISSION_PARAMS
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.submissions import submission
from self_hosted.assemblyline.api.tagging import TAG
from self_hosted.core.flow import Flow, Request, url_path

DYNAMIC = "Dynamic Analysis"
OF_ONE_SUBMISSION = {TAG, "ingest_id", "ts", "type"}  # metadata that the provider or the ingester wrote


def resubmit(sid: str) -> Flow[dict[str, Any]]:
    """Submit a submission's files anew, with its params and metadata: the new submission's document.

    ``GET /api/v4/submit/resubmit/<sid>/``, which is never repeated though it is a GET.

    :param sid: id of the submission
    :raises NotFound: when there is no such submission
    :raises Uncertain: when the answer was lost: there may be a new submission
    """
    path = f"{API}{url_path('submit', 'resubmit', sid)}/"
    return asked(Request("GET", path, repeatable=False))


def resubmit_for_dynamic(sha256: str, copy_sid: str | None = None, name: str | None = None) -> Flow[dict[str, Any]]:
    """Submit a file anew for dynamic analysis: the new submission's document.

    ``GET /api/v4/submit/dynamic/<sha256>/``, which is never repeated though it is a GET.

    :param sha256: of a file that the server has
    :param copy_sid: id of a submission whose params and metadata are taken over; by default those of none, and only
        Dynamic Analysis is done
    :param name: of the file; by default its SHA-256
    :raises NotFound: when there is no such file or submission
    :raises Uncertain: when the answer was lost: there may be a new submission
    """
    yield from _check_copied(copy_sid)
    path = f"{API}{url_path('submit', 'dynamic', sha256.lower())}/"
    document: dict[str, Any] = yield from asked(
        Request("GET", path, {"copy_sid": copy_sid, "name": name}, repeatable=False)
    )
    return document


def resubmit_with_profile(
    profile: str, sha256: str, copy_sid: str | None = None, name: str | None = None
) -> Flow[dict[str, Any]]:
    """Submit a file anew with a profile: the new submission's document.

    ``PUT /api/v4/submit/<profile>/<sha256>/``

    :param profile: "static", "static_with_dynamic", ...
    :param sha256: of a file that the server has
    :param copy_sid: id of a submission whose metadata and other params are taken over; by default those of none
    :param name: of the file; by default its SHA-256
    :raises ValueError: for "default", which `submission_profile` knows and this call does not
    :raises Invalid: naming the profiles there are, when there is no such one
    :raises NotFound: when there is no such file or submission
    :raises Uncertain: when the answer was lost: there may be a new submission
    """
    if profile == "default":
        raise ValueError("profile must be one of the server's; default is the user's own settings, and is refused")
    yield from submission_profile(profile)
    yield from _check_copied(copy_sid)
    path = f"{API}{url_path('submit', profile, sha256.lower())}/"
    document: dict[str, Any] = yield from asked(Request("PUT", path, {"copy_sid": copy_sid, "name": name}))
    return document


def copied_options(document: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a submission of the same file by `submit_once` equal to an earlier one: name, metadata and params.

    Without what is the earlier one's alone: its tag, the id of its ingest, and what the server wrote into its params.

    :param document: the earlier submission's
    :raises ValueError: when it has several files, of which only one can be submitted
    """
    if len(document["files"]) != 1:
        raise ValueError(f"submission {document['sid']} has {len(document['files'])} files; submit each by its sha256")
    params = {name: value for name, value in document["params"].items() if name in SUBMISSION_PARAMS}
    given = {name: value for name, value in params.items() if value not in (None, "", [], {}) and name != "description"}
    metadata = {name: value for name, value in document["metadata"].items() if name not in OF_ONE_SUBMISSION}
    return {"name": document["files"][0]["name"], "metadata": metadata, "params": given}


def for_dynamic_analysis(params: Mapping[str, Any]) -> dict[str, Any]:
    """The same params, with dynamic analysis among the services.

    :param params: as a submit takes them
    """
    services = params.get("services") or {}
    selected = [one for one in services.get("selected") or [] if one != DYNAMIC]
    return {**params, "services": {**services, "selected": [*selected, DYNAMIC]}}


def _check_copied(copy_sid: str | None) -> Flow[None]:
    """Look for the submission that is copied from: the server would go on without it."""
    if copy_sid:
        yield from submission(copy_sid)
