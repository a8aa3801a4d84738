"""Submitting anew in the stand-in: what becomes of an old submission, or of a file that is known."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.scan import Findings
from self_hosted.sandbox.assemblyline.submissions import PARAMS, Submission

TITLES = {
    "static": "Static Analysis [OFFLINE]",
    "static_with_dynamic": "Static + Dynamic Analysis [OFFLINE]",
    "static_with_internet": "Static Analysis [ONLINE]",
    "static_and_dynamic_with_internet": "Static + Dynamic Analysis [ONLINE]",
}
DYNAMIC = "Dynamic Analysis"


class Stored(NamedTuple):
    """What the server has: submissions by id, and what was found in files, by their SHA-256."""

    submissions: Mapping[str, Submission]
    files: Mapping[str, Findings]


Anew = Callable[[Request, Stored, str], Submission]


def of_submission(request: Request, stored: Stored, user: str) -> Submission:
    """One with the same file, params and metadata.

    :param request: with a ``sid``
    :param stored: what the server has
    :param user: who asks
    """
    sid = request.path_params["sid"]
    if sid not in stored.submissions:
        raise Refusal(404, f"Submission {sid} does not exists.", {})
    old = stored.submissions[sid]
    name = old.document["files"][0]["name"]
    params = {**old.params, "description": f"Resubmit {name} for analysis"}
    return Submission(name, {"metadata": old.document["metadata"], "params": params}, user, copy.deepcopy(old.findings))


def for_dynamic(request: Request, stored: Stored, user: str) -> Submission:
    """One of a file, for dynamic analysis.

    :param request: with a ``sha256``, and perhaps ``copy_sid`` and ``name``
    :param stored: what the server has
    :param user: who asks
    """
    copied = _copied(request, stored)
    services = copied.params["services"]["selected"] if copied else []
    selected = services if DYNAMIC in services else [*services, DYNAMIC]
    params = {"services": {"selected": selected}, "priority": copied.params["priority"] if copied else 500}
    return _of_file(request, stored, user, params, f"for {DYNAMIC}")


def with_profile(request: Request, stored: Stored, user: str) -> Submission:
    """One of a file, with a profile. Any but the server's own makes the server fail.

    :param request: with ``sha256`` and ``profile``, and perhaps ``copy_sid`` and ``name``
    :param stored: what the server has
    :param user: who asks
    """
    profile = request.path_params["profile"]
    if request.path_params["sha256"] in stored.files and profile not in TITLES:
        raise Refusal(500, "Internal Server Error")
    return _of_file(request, stored, user, {"services": PARAMS["services"]}, f"with {TITLES.get(profile)}")


def _copied(request: Request, stored: Stored) -> Submission | None:
    """The submission whose params and metadata are taken over; an unknown one counts as none."""
    return stored.submissions.get(request.query_params.get("copy_sid", ""))


def _of_file(request: Request, stored: Stored, user: str, params: dict[str, Any], purpose: str) -> Submission:
    sha256 = request.path_params["sha256"]
    if sha256 not in stored.files:
        words = f"File {sha256} cannot be found on the server therefore it cannot be resubmitted."
        raise Refusal(404, words, {})
    copied, name = _copied(request, stored), request.query_params.get("name", sha256)
    before, metadata = (copied.params, copied.document["metadata"]) if copied else ({}, {})
    options = {"metadata": metadata, "params": {**before, **params, "description": f"Resubmit {name} {purpose}"}}
    return Submission(name, options, user, copy.deepcopy(stored.files[sha256]))
