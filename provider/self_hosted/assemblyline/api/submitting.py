"""Submitting a file, exactly once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from self_hosted.assemblyline.api.account import configuration, submission_profile
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.submissions import phrase, search_submissions, submission_if_any
from self_hosted.core.errors import Uncertain
from self_hosted.core.flow import Flow, Pause, Request, Upload

TAG = "airflow_task"
"""The metadata key that says which piece of work of which task a submission belongs to."""

LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each look for a submission whose answer was lost: the search index lags about a second behind."""

# the server ignores what it does not know, so a misspelt name would go unnoticed
SUBMISSION_PARAMS = frozenset({
    "auto_archive",
    "classification",
    "deep_scan",
    "default_external_sources",
    "delete_after_archive",
    "description",
    "filetype_override",
    "generate_alert",
    "groups",
    "ignore_cache",
    "ignore_filtering",
    "ignore_recursion_prevention",
    "ignore_size",
    "initial_data",
    "malicious",
    "max_extracted",
    "max_supplementary",
    "never_drop",
    "priority",
    "psid",
    "service_spec",
    "services",
    "trace",
    "ttl",
    "type",
    "use_archive_alternate_dtl",
})


def submit_file(upload: Upload, options: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Submit a file: its submission's document, as it is at the beginning. Each call makes a new submission.

    ``POST /api/v4/submit/``

    :param upload: the file
    :param options: name, metadata, params, submission_profile; each may be absent
    """
    parts: dict[str, str | Upload] = {"json": json.dumps(options), "bin": upload}
    return asked(Request("POST", f"{API}/submit/", parts=parts, slow=True))


def submit_file_once(upload: Upload, options: Mapping[str, Any], tag: str) -> Flow[dict[str, Any]]:
    """As `submit_file`, but what was submitted under this tag before is found again and returned instead.

    Size and profile are checked first, since the server finds the one out only after the upload and, for most users,
    ignores an unknown other.

    :param upload: the file
    :param options: as for `submit_file`
    :param tag: what tells this piece of work from all others
    :raises ValueError: when the file is larger than the server takes
    """
    found = yield from tagged_submission(tag)
    if found:
        return found
    yield from _check(upload, options)
    tagged = {**options, "metadata": {**options.get("metadata", {}), TAG: tag}}
    try:
        return (yield from _submitted(upload, tagged, tag))
    except Uncertain:  # there is no trace of it
        return (yield from _submitted(upload, tagged, tag))


def _submitted(upload: Upload, options: Mapping[str, Any], tag: str) -> Flow[dict[str, Any]]:
    """Submit; when the answer is lost, find the submission that came of it."""
    try:
        return (yield from submit_file(upload, options))
    except Uncertain:
        found = yield from _looked_for(tag)
        if found:
            return found
        raise


def tagged_submission(tag: str) -> Flow[dict[str, Any] | None]:
    """The first submission that carries a tag and still exists, or None.

    :param tag: see `submit_file_once`
    """
    for found in (yield from search_submissions(f"metadata.{TAG}:{phrase(tag)}", fields="sid")):
        # the index may still hold what was deleted a moment ago
        document = yield from submission_if_any(found["sid"])
        if document:
            return document
    return None


def _looked_for(tag: str) -> Flow[dict[str, Any] | None]:
    """The submission with this tag, given the time to appear."""
    for seconds in LOOKS:
        yield Pause(seconds)
        found = yield from tagged_submission(tag)
        if found:
            return found
    return None


def _check(upload: Upload, options: Mapping[str, Any]) -> Flow[None]:
    limit = (yield from configuration())["submission.max_file_size"]
    if upload.size > limit and not options.get("params", {}).get("ignore_size"):
        raise ValueError(f"{upload.filename} has {upload.size} bytes, and this server takes {limit} at most")
    if "submission_profile" in options:
        yield from submission_profile(options["submission_profile"])
