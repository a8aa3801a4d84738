"""Submitting a file, exactly once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.account import configuration, submission_profile
from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.assemblyline.api.tagging import LOOKS, RESUBMITTED, read_back, tagged, tagged_submission
from self_hosted.core.errors import ProductError, QuotaInUse
from self_hosted.core.flow import Flow, Request, Upload
from self_hosted.core.lost_answers import looked_for

# The server ignores what it does not know, so a misspelt name would go unnoticed. Its `psid` is not here: by that are
# known the submissions that the server made anew from others.
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


def submit_file_once(
    upload: Upload, options: Mapping[str, Any], tag: str, patience: float = 0, *, interrupted: bool = False
) -> Flow[dict[str, Any]]:
    """Submit a file, unless it was submitted under this tag before: {sid, doubtful}.

    Size, params and profile are checked first, since the server finds the first out only after the upload, and ignores
    unknown ones of the others. ``doubtful`` says that an answer was lost, now or in an earlier try, so that another
    submission with this tag may come to light: `end_duplicates` ends it.

    :param upload: the file
    :param options: as for `submit_file`
    :param tag: what tells this piece of work from all others
    :param patience: seconds to wait while as many submissions of the user run as may at once, after the connection's
        own retries; 0 = no longer
    :param interrupted: whether an earlier submit under this tag may be under way still, its client being gone: it is
        then looked for as after a lost answer
    :raises ValueError: when the file is larger than the server takes, or it has no such params
    :raises QuotaInUse: when no place became free
    """
    found, doubtful = (yield from looked_for(partial(tagged_submission, tag), LOOKS if interrupted else ())), True
    if found is None:
        yield from check_upload(upload, options)
        submit = partial(_submitted, upload, tagged(options, tag), patience)
        found, doubtful = yield from read_back(submit, partial(tagged_submission, tag))
    return {"sid": found["sid"], "doubtful": doubtful or interrupted}


def _submitted(upload: Upload, options: Mapping[str, Any], patience: float) -> Flow[dict[str, Any]]:
    """Submit as soon as there is a place for one more submission."""
    from self_hosted.core.transport import persistent  # slow, and only who submits needs it

    return (yield from persistent(lambda: submit_file(upload, options), _is_about_submissions, patience))


def _is_about_submissions(error: ProductError) -> bool:
    # the quota of API calls at once frees up in a moment: the transport's own retries are enough for it
    return isinstance(error, QuotaInUse) and "submission" in error.words


def check_upload(upload: Upload, options: Mapping[str, Any]) -> Flow[None]:
    """Ask the server whether it will take a file, before it is sent.

    :param upload: the file
    :param options: as for `submit_file`
    :raises ValueError: when the file is larger than the server takes, or it has no such params
    :raises Invalid: when it has no such profile
    """
    params = options.get("params", {})
    check_params("params", params)
    limit = (yield from configuration())["submission.max_file_size"]
    if upload.size > limit and not params.get("ignore_size"):
        raise ValueError(f"{upload.filename} has {upload.size} bytes, and this server takes {limit} at most")
    if "submission_profile" in options:
        yield from submission_profile(options["submission_profile"])


def check_params(argument: str, params: Mapping[str, Any]) -> None:
    """Validate Assemblyline's params.

    :param argument: what a DAG author calls them
    :param params: by name
    :raises ValueError: naming the argument
    """
    unknown = sorted(set(params) - SUBMISSION_PARAMS)
    if unknown:
        known = ", ".join(sorted(SUBMISSION_PARAMS))
        raise ValueError(f"{argument}: Assemblyline takes no {', '.join(unknown)}; it takes {known}")
    if str(params.get("description")).startswith(RESUBMITTED):
        raise ValueError(f"{argument}: description must not begin with {RESUBMITTED!r}, as the server's own do")
