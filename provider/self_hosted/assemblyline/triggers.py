"""What Assemblyline is asked while tasks wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from self_hosted.assemblyline import api
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow
from self_hosted.core.question import GONE, Question, Seen

HOOK = "self_hosted.assemblyline.hook.AssemblylineHook"
NOBODY_DISPATCHES = "the server's dispatcher is paused and takes up nothing that waits"
NOBODY_INGESTS = "the server's ingester is paused and takes up nothing that waits"


def look_at_submissions(sids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where submissions stand, by one search for all, since each request counts toward the daily quota.

    :param sids: their ids
    """
    if not sids:
        return {}
    found: dict[str, Mapping[str, Any] | None] = {one["sid"]: one for one in (yield from api.submissions(sids))}
    for sid in sids:
        if sid not in found:  # either it is too young for the search index, or there is none
            found[sid] = yield from api.submission_if_any(sid)
    bands = yield from _bands(found.values())
    return {sid: _seen(document, bands) for sid, document in found.items()}


def look_at_ingests(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where ingests stand, by one search for all, and two more where some made no submission.

    :param keys: see `api.ingest_key`; one with a SHA-256 may be answered by the submission that the ingester reused
    """
    if not keys:
        return {}
    parts = {key: api.ingest_parts(key) for key in keys}
    made = yield from api.ingested_submissions([ingest_id for ingest_id, _ in parts.values()])
    files = sorted({sha256 for ingest_id, sha256 in parts.values() if sha256 and ingest_id not in made})
    reused = (yield from api.reused_submissions(files)) if files else {}
    bands = yield from _bands([*made.values(), *reused.values()])
    seen = {}
    for key, (ingest_id, sha256) in parts.items():
        document = made.get(ingest_id) or reused.get(sha256)
        if document:
            seen[key] = _seen(document, bands, sid=document["sid"], deduplicated=ingest_id not in made)
    return seen


def _bands(documents: Iterable[Mapping[str, Any] | None]) -> Flow[Mapping[str, int]]:
    """The bands of scores, where there is a score to judge."""
    completed = any(document and document["state"] == "completed" for document in documents)
    return (yield from api.verdict_bands()) if completed else {}


def _seen(document: Mapping[str, Any] | None, bands: Mapping[str, int], **more: Any) -> Seen:
    if document is None or api.is_ghost(document):
        return GONE
    if document["state"] == "submitted":
        return Seen("submitted", done=False, facts=more)
    facts = {**more, **{name: document[name] for name in ("max_score", "file_count", "error_count")}}
    if document["state"] == "completed":
        facts["verdict"] = api.verdict_of(document["max_score"], bands)
    return Seen(document["state"], done=True, facts=facts)


def held_up_submissions(sids: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Why submissions will not move: the dispatcher is paused, and has not taken them up before.

    :param sids: their ids
    """
    try:
        paused = yield from api.paused_components()
        return (yield from _not_taken_up({sid: sid for sid in sids})) if api.DISPATCHER in paused else {}
    except (Forbidden, NotFound):  # who may not ask, or asks a server that knows no such question, waits on
        return {}


def held_up_ingests(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Why ingests will not move: the ingester or, for those that have become submissions, the dispatcher is paused.

    :param keys: see `api.ingest_key`
    """
    try:
        paused = yield from api.paused_components()
        if not paused & {api.INGESTER, api.DISPATCHER}:
            return {}
        seen = yield from look_at_ingests(keys)
        waiting = set(keys) - set(seen) if api.INGESTER in paused else ()
        running = {key: one.facts["sid"] for key, one in seen.items() if not one.done}
        stuck = (yield from _not_taken_up(running)) if api.DISPATCHER in paused else {}
        return {**dict.fromkeys(waiting, NOBODY_INGESTS), **stuck}
    except (Forbidden, NotFound):
        return {}


def _not_taken_up(sids: Mapping[str, str]) -> Flow[dict[str, str]]:
    """The reason for those that wait for the dispatcher; what it took up before it was paused it brings to an end."""
    reasons = {}
    for key, sid in sids.items():
        try:
            taken_up = yield from api.is_taken_up(sid)
        except Forbidden:  # whatever becomes of it
            continue
        if not taken_up:
            reasons[key] = NOBODY_DISPATCHES
    return reasons


SUBMISSION = Question(
    hook=HOOK,
    thing="submission",
    ask=look_at_submissions,
    cancel=api.cancel_submission,
    stalled=held_up_submissions,
    chunk=500,  # Elasticsearch takes 1024 terms in a query
)

INGEST = Question(hook=HOOK, thing="ingest", ask=look_at_ingests, stalled=held_up_ingests, chunk=100)
