"""Waits: how the state of submissions, ingests, alerts, ... is queried while tasks wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.alerts import feed as alert_feed
from self_hosted.assemblyline.api.retrohunts import retrohunts
from self_hosted.assemblyline.api.search import documents
from self_hosted.assemblyline.api.signatures import fetches
from self_hosted.assemblyline.api.submissions import activity, ingests, submissions, verdicts
from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec

HOOK_CLASS = "self_hosted.assemblyline.hook.AssemblylineHook"
DISPATCHER_PAUSED = "the server's dispatcher is paused and starts no submissions"
INGESTER_PAUSED = "the server's ingester is paused and takes up no ingests"
EPOCH = datetime.fromtimestamp(0, UTC)
NOT_RAISED = Observation("not raised", done=False)
INDEX_LAG_SECONDS = 2.0  # until a search finds a new submission, with a margin
MAX_SINGLE_REQUESTS = 2
FETCH_RETRY_SECONDS = 60.0  # within which the updater tries a failed source again
MAX_MESSAGE_CHARACTERS = 200

Document = Mapping[str, Any]


# Submissions


def refresh_submissions(sids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe submissions by one search for all, since each request counts toward the daily quota.

    :param sids: ids of submissions
    """
    documents = yield from _search(sids)
    documents.update((yield from _get_each([sid for sid in sids if sid not in documents])))
    bands = yield from _get_bands(documents.values())
    return {sid: _observe(document, bands) for sid, document in documents.items()}


def refresh_places(sids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe which submissions still occupy the user's quota. Verdicts are left out: they cost a request.

    One or two are queried by id: a search costs about the same and shows the end up to a second later. Of more, those
    that are not in the index yet are left out, unless the search finds none.

    :param sids: ids of submissions
    """
    documents = (yield from _search(sids)) if len(sids) > MAX_SINGLE_REQUESTS else {}
    documents = documents or (yield from _get_each(sids))
    return {sid: _observe(document) for sid, document in documents.items()}


def _search(sids: Sequence[str]) -> Flow[dict[str, Document | None]]:
    return {document["sid"]: document for document in (yield from submissions.get_many(sids))}


def _get_each(sids: Sequence[str]) -> Flow[dict[str, Document | None]]:
    """Return submissions that a search did not find: they are not in the index yet, or do not exist."""
    documents: dict[str, Document | None] = {}
    for sid in sids:
        documents[sid] = yield from submissions.get_outcome(sid)
    return documents


def _get_bands(documents: Iterable[Document | None]) -> Flow[Mapping[str, int]]:
    """Return the score bands if there is a score to classify."""
    has_score = any(document and document["state"] == "completed" for document in documents)
    return (yield from verdicts.get_bands()) if has_score else {}


def _observe(document: Document | None, bands: Mapping[str, int] | None = None, **details: Any) -> Observation:
    if document is None or submissions.is_marked_deleted(document):
        return MISSING
    if document["state"] == "submitted":
        return Observation("submitted", done=False, details=details)
    outcome = {**details, **{name: document[name] for name in ("max_score", "file_count", "error_count")}}
    outcome["sha256"] = submissions.get_sha256(document)
    if document["state"] == "completed" and bands:
        outcome["verdict"] = verdicts.classify(document["max_score"], bands)
    return Observation(document["state"], done=True, details=outcome)


def explain_stalled_submissions(sids: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why submissions cannot proceed: the dispatcher is paused, and had not started them before.

    :param sids: ids of submissions
    """
    try:
        paused = yield from server.list_paused_components()
        is_paused = server.DISPATCHER in paused
        return (yield from _explain_undispatched({sid: sid for sid in sids})) if is_paused else {}
    except (PermissionDeniedError, NotFoundError):
        return {}  # without the permission, or on a server without the call, waits go on


def _explain_undispatched(sids: Mapping[str, str]) -> Flow[dict[str, str]]:
    """Return the reason for submissions that wait for the dispatcher; it completes those it started before its pause.

    :param sids: ids of submissions by key
    """
    reasons = {}
    for key, sid in sids.items():
        try:
            is_dispatched = yield from activity.is_dispatched(sid)
        except PermissionDeniedError:  # the next poll finds out why
            continue
        if not is_dispatched:
            reasons[key] = DISPATCHER_PAUSED
    return reasons


SUBMISSION = WaitSpec(
    hook_class=HOOK_CLASS,
    label="submission",
    refresh=refresh_submissions,
    cancel=submissions.cancel,
    stall_reasons=explain_stalled_submissions,
    batch_size=1000,  # Elasticsearch accepts 1024 terms in a query
)

PLACE = SUBMISSION._replace(refresh=refresh_places)


# Ingests


def build_ingest_key(ingest_id: str, sha256: str | None = None) -> str:
    """Return the key of a wait for an ingest.

    >>> build_ingest_key("3vfIpcfpMsHbsZnGHQYr34", "AB12")
    '["3vfIpcfpMsHbsZnGHQYr34", "ab12"]'

    :param ingest_id: id of the ingest
    :param sha256: SHA-256 of a file that the server may know: the wait then also ends with the submission that the
        ingester reused
    """
    return WaitKey(ingest_id, (sha256.lower(),)).to_text() if sha256 else ingest_id


def parse_ingest_key(key: str) -> tuple[str, str]:
    """Return id and SHA-256 of an ingest; "" for no SHA-256.

    :param key: see `build_ingest_key`
    """
    ingest_id, condition = WaitKey.from_text(key)
    return ingest_id, "".join(condition)


def refresh_ingests(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe ingests by one search for all, and two more if some created no submission.

    :param keys: see `build_ingest_key`
    """
    parsed = {key: parse_ingest_key(key) for key in keys}
    created = yield from ingests.get_submissions([ingest_id for ingest_id, _ in parsed.values()])
    sha256s = sorted({sha256 for ingest_id, sha256 in parsed.values() if sha256 and ingest_id not in created})
    reused = yield from ingests.get_reused_submissions(sha256s)
    bands = yield from _get_bands([*created.values(), *reused.values()])
    observations = {}
    for key, (ingest_id, sha256) in parsed.items():
        document = created.get(ingest_id) or reused.get(sha256)
        if document:
            is_reused = ingest_id not in created
            observations[key] = _observe(document, bands, sid=document["sid"], deduplicated=is_reused)
    return observations


def explain_stalled_ingests(keys: Sequence[str]) -> Flow[Mapping[str, str]]:
    """Return why ingests cannot proceed: the ingester is paused or, for those that are submissions, the dispatcher.

    :param keys: see `build_ingest_key`
    """
    try:
        paused = yield from server.list_paused_components()
        if not paused & {server.INGESTER, server.DISPATCHER}:
            return {}
        observations = yield from refresh_ingests(keys)
        waiting = set(keys) - set(observations) if server.INGESTER in paused else ()
        running = {key: seen.details["sid"] for key, seen in observations.items() if not seen.done}
        stalled = (yield from _explain_undispatched(running)) if server.DISPATCHER in paused else {}
        return {**dict.fromkeys(waiting, INGESTER_PAUSED), **stalled}
    except (PermissionDeniedError, NotFoundError):
        return {}


INGEST = WaitSpec(
    hook_class=HOOK_CLASS,
    label="ingest",
    refresh=refresh_ingests,
    stall_reasons=explain_stalled_ingests,
    batch_size=100,
)


# The end of all activity


def build_idle_key(query: str, idle_seconds: int) -> str:
    """Return the key of a wait until no submissions are active.

    >>> build_idle_key("*", 60)
    '["*", "60"]'

    :param query: see `activity.count_active`
    :param idle_seconds: see `activity.count_active`
    """
    return WaitKey(query, (str(idle_seconds),)).to_text()


def refresh_idle(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe whether submissions are active. A query that the server rejects does not affect others.

    :param keys: see `build_idle_key`
    """
    observations = {}
    for key in keys:
        observations[key] = yield from _observe_idle(key)
    if any(seen.done for seen in observations.values()):
        yield Pause(INDEX_LAG_SECONDS)
        for key in [key for key, seen in observations.items() if seen.state == "idle"]:
            observations[key] = yield from _observe_idle(key)
    return observations


def _observe_idle(key: str) -> Flow[Observation]:
    query, [idle_seconds] = WaitKey.from_text(key)
    try:
        active = yield from activity.count_active(query, int(idle_seconds))
    except InvalidRequestError as error:
        return Observation("rejected", done=True, details={"message": error.message})
    return Observation("busy" if active else "idle", done=not active, details={"active": active})


IDLE = WaitSpec(hook_class=HOOK_CLASS, label="end of the submissions matching", refresh=refresh_idle, batch_size=20)


# Alerts


def refresh_alerts(queries: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe the oldest alert that each query finds: by a search which, unlike a list, has no delay.

    :param queries: Lucene queries; waits with the same query share its search
    """
    observations = {}
    for query in queries:
        items = yield from alert_feed.read_page(EPOCH, 0, 1, query)
        details = dict(items[0].payload or {}) if items else {}
        observations[query] = Observation("raised", done=True, details=details) if items else NOT_RAISED
    return observations


# one query per batch, so that a query that the server rejects does not affect others
ALERT = WaitSpec(hook_class=HOOK_CLASS, label="alert", refresh=refresh_alerts, batch_size=1)


# Retrohunts


def refresh_retrohunts(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe retrohunts by one search for all. The server reports no progress, only the end.

    :param keys: keys of retrohunts
    """
    documents = yield from retrohunts.get_many(keys)
    observations = {key: _observe_retrohunt(document) for key, document in documents.items()}
    for key in keys:
        if key not in documents:
            observations[key] = yield from _observe_unindexed_retrohunt(key)
    return observations


def _observe_retrohunt(document: Document) -> Observation:
    details = {"total_hits": document["total_hits"], "truncated": bool(document.get("truncated"))}
    is_finished = bool(document["finished"])
    return Observation("finished" if is_finished else "running", done=is_finished, details=details)


def _observe_unindexed_retrohunt(key: str) -> Flow[Observation]:
    """Observe a retrohunt that a search did not find: it is not in the index yet, or does not exist."""
    try:
        yield from retrohunts.get(key)
    except NotFoundError:
        return MISSING
    return Observation("started", done=False)


# a retrohunt cannot be cancelled
RETROHUNT = WaitSpec(hook_class=HOOK_CLASS, label="retrohunt", refresh=refresh_retrohunts, batch_size=100)


# Fetches of signatures


def build_fetch_key(service: str, sources: Sequence[str]) -> str:
    """Return the key of a wait for a fetch of signatures.

    >>> build_fetch_key("YARA", ["own"])
    '["YARA", "own"]'

    :param service: name of the service
    :param sources: names of the sources
    """
    return WaitKey(service, tuple(sources)).to_text()


def refresh_fetches(keys: Sequence[str]) -> Flow[Mapping[str, Observation]]:
    """Observe fetches of signatures by one request for all.

    :param keys: see `build_fetch_key`
    """
    statuses = (yield from fetches.get_statuses()) if keys else {}
    parsed = {key: WaitKey.from_text(key) for key in keys}
    return {key: _observe_fetch(statuses.get(service, {}), names) for key, (service, names) in parsed.items()}


def _observe_fetch(statuses: Mapping[str, fetches.SourceStatus], names: Sequence[str]) -> Observation:
    if not set(names) <= set(statuses):
        return MISSING
    messages = {name: statuses[name]["message"][:MAX_MESSAGE_CHARACTERS] for name in names}
    running = [name for name in names if not _is_fetched(statuses[name])]
    if running:
        return Observation(f"{running[0]}: {messages[running[0]] or statuses[running[0]]['state']}", done=False)
    failed = {name: messages[name] for name in names if statuses[name]["state"] == "ERROR"}
    return Observation("ERROR" if failed else "DONE", done=True, details={"sources": messages, "failed": failed})


def _is_fetched(status: fetches.SourceStatus) -> bool:
    """Whether a fetch has ended: after an error, the updater soon tries again."""
    if status["state"] != "ERROR" or not status["ts"]:
        return status["state"] in {"DONE", "ERROR"}
    age = datetime.now(UTC) - documents.read_time("status.ts", status["ts"])
    return age.total_seconds() >= FETCH_RETRY_SECONDS


# the updater cannot be stopped
SIGNATURE_FETCH = WaitSpec(
    hook_class=HOOK_CLASS, label="fetch of the signatures of", refresh=refresh_fetches, batch_size=500
)
