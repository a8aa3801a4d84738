"""What Assemblyline is asked while tasks wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline import api
from self_hosted.core.flow import Flow
from self_hosted.core.wait import Question, Seen


def look_at_submissions(sids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where submissions stand, by one search for all, since each request counts toward the daily quota.

    :param sids: their ids
    """
    found = {document["sid"]: _seen(document) for document in (yield from api.submissions(sids))}
    for sid in sids:
        if sid not in found:  # either it is too young for the search index, or there is none
            found[sid] = _seen((yield from api.submission_if_any(sid)))
    return found


def _seen(document: Mapping[str, Any] | None) -> Seen:
    if document is None or api.is_ghost(document):
        return Seen(api.GONE, done=True)
    facts = {name: document[name] for name in ("max_score", "file_count", "error_count")}
    return Seen(document["state"], document["state"] != "submitted", facts)


SUBMISSION = Question(
    hook="self_hosted.assemblyline.hook.AssemblylineHook",
    thing="submission",
    ask=look_at_submissions,
    cancel=api.cancel_submission,
    chunk=200,
)
