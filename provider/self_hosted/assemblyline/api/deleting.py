"""Deleting many submissions."""

from __future__ import annotations

from collections.abc import Sequence

from self_hosted.assemblyline.api.submissions import delete_submission, submission_if_any
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow

NAMED = 10


def delete_submissions(sids: Sequence[str]) -> Flow[dict[str, list[str]]]:
    """Delete submissions, one after the other: {deleted, absent}, ids each. What is not completed is cancelled first.

    ``DELETE /api/v4/submission/<sid>/`` for each

    :param sids: their ids
    :raises Forbidden: for submissions of other users, once all that can be are deleted
    """
    fates: dict[str, list[str]] = {"deleted": [], "absent": [], "kept": []}
    for sid in sids:
        fates[(yield from _fate(sid))].append(sid)
    kept = fates.pop("kept")
    if kept:
        told = ", ".join(kept[:NAMED])
        raise Forbidden(f"{len(kept)} of {len(sids)} submissions belong to other users and were not deleted: {told}")
    return fates


def _fate(sid: str) -> Flow[str]:
    """What became of one. The server calls what is somebody else's not found, as it does what is gone."""
    try:
        yield from delete_submission(sid)
    except NotFound:
        return "kept" if (yield from submission_if_any(sid)) else "absent"
    return "deleted"
