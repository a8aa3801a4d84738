"""What Assemblyline is asked while tasks wait, and the events a DAG can be scheduled on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from self_hosted.assemblyline import api
from self_hosted.core.errors import Forbidden, Invalid, NotFound
from self_hosted.core.event_trigger import FeedTrigger
from self_hosted.core.feed import Feed, Item
from self_hosted.core.flow import Flow, Pause
from self_hosted.core.question import GONE, Question, Seen

HOOK = "self_hosted.assemblyline.hook.AssemblylineHook"
NOBODY_DISPATCHES = "the server's dispatcher is paused and takes up nothing that waits"
EVER = datetime.fromtimestamp(0, UTC)
NOT_RAISED = Seen("not raised", done=False)
INDEX_LAG = 2.0  # seconds until a search finds what was submitted, with some to spare
FEW = 2
NOBODY_INGESTS = "the server's ingester is paused and takes up nothing that waits"


def look_at_submissions(sids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where submissions stand, by one search for all, since each request counts toward the daily quota.

    :param sids: their ids
    """
    found = yield from _indexed(sids)
    found.update((yield from _one_by_one([sid for sid in sids if sid not in found])))
    bands = yield from _bands(found.values())
    return {sid: _seen(document, bands) for sid, document in found.items()}


def look_at_places(sids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Which submissions still hold a place, of the few that a user may have at once; no verdicts, which cost a request.

    One or two are asked for by themselves: a search costs hardly less, and shows an end up to a second later. Of more
    than that, a search leaves out those that are too young for it, unless it finds none.

    :param sids: their ids
    """
    found = (yield from _indexed(sids)) if len(sids) > FEW else {}
    found = found or (yield from _one_by_one(sids))
    return {sid: _seen(document) for sid, document in found.items()}


def _indexed(sids: Sequence[str]) -> Flow[dict[str, Mapping[str, Any] | None]]:
    return {one["sid"]: one for one in (yield from api.submissions(sids))}


def _one_by_one(sids: Sequence[str]) -> Flow[dict[str, Mapping[str, Any] | None]]:
    """Those that a search does not find: either they are too young for the index, or there are none."""
    found: dict[str, Mapping[str, Any] | None] = {}
    for sid in sids:
        found[sid] = yield from api.submission_if_any(sid)
    return found


def look_at_ingests(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where ingests stand, by one search for all, and two more where some made no submission.

    :param keys: see `api.ingest_key`; one with a SHA-256 may be answered by the submission that the ingester reused
    """
    parts = {key: api.ingest_parts(key) for key in keys}
    made = yield from api.ingested_submissions([ingest_id for ingest_id, _ in parts.values()])
    files = sorted({sha256 for ingest_id, sha256 in parts.values() if sha256 and ingest_id not in made})
    reused = yield from api.reused_submissions(files)
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


def _seen(document: Mapping[str, Any] | None, bands: Mapping[str, int] | None = None, **more: Any) -> Seen:
    if document is None or api.is_ghost(document):
        return GONE
    if document["state"] == "submitted":
        return Seen("submitted", done=False, facts=more)
    facts = {**more, **{name: document[name] for name in ("max_score", "file_count", "error_count")}}
    if document["state"] == "completed" and bands:
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

PLACE = SUBMISSION._replace(ask=look_at_places)

INGEST = Question(hook=HOOK, thing="ingest", ask=look_at_ingests, stalled=held_up_ingests, chunk=100)


class AssemblylineAlertTrigger(FeedTrigger):
    """Tells of each alert that is raised; ``POST /api/v4/search/alert/``.

    :param query: a Lucene query that the alert must match, such as ``priority:(HIGH OR CRITICAL)``
    :param poll_interval: seconds between two looks
    :param since: a moment in ISO 8601; alerts raised then or later are told of. None: from the first look on
    :param assemblyline_conn_id: the connection

    The payload of an event is ``{news: [...]}``, and each of them ``{alert_id, sid, type, priority, status,
    extended_scan, reporting_ts, name, sha256, score, labels, url, again}``; ``again`` says that it may have been told
    before (see docs/events.md).

    :raises ValueError: for wrong arguments, when the DAG is read
    """

    feed = Feed(hook=HOOK, thing="alert", read=api.raised_alerts, newest=api.newest_alert)

    def __init__(
        self,
        *,
        query: str = "*",
        poll_interval: float = 60,
        since: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
    ) -> None:
        super().__init__()
        self.query, self.poll_interval, self.since = query, poll_interval, since
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        super().check()
        api.check_watched(self.query)

    def arguments(self) -> dict[str, Any]:
        """What to look for."""
        return {"query": self.query}

    def event(self, item: Item, base_url: str) -> dict[str, Any]:
        """The alert, with its page."""
        told = super().event(item, base_url)
        return {**told, "url": api.alert_url(base_url, told["alert_id"])}


class AssemblylineSubmissionTrigger(FeedTrigger):
    """Tells of each submission that is completed, whoever made it; ``POST /api/v4/search/submission/``.

    :param query: a Lucene query that the submission must match, such as ``params.submitter:"mail-gateway"``
    :param verdict: only those whose verdict is this or worse: info, suspicious, highly_suspicious, malicious. The bands
        are the server's own
    :param min_score: only those whose ``max_score`` is this or more
    :param poll_interval: seconds between two looks
    :param since: a moment in ISO 8601; submissions completed then or later are told of. None: from the first look on
    :param assemblyline_conn_id: the connection

    The payload of an event is ``{news: [...]}``, and each of them ``{sid, state, max_score, verdict, file_count,
    error_count, url, files, again}``; ``files`` is a list of ``{name, sha256}``, and ``again`` says that it may have
    been told before (see docs/events.md).

    :raises ValueError: for wrong arguments, when the DAG is read
    """

    feed = Feed(hook=HOOK, thing="submission", read=api.completed_submissions, newest=api.newest_submission)

    def __init__(
        self,
        *,
        query: str = "*",
        verdict: str | None = None,
        min_score: int | None = None,
        poll_interval: float = 60,
        since: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
    ) -> None:
        super().__init__()
        self.query, self.verdict, self.min_score = query, verdict, min_score
        self.poll_interval, self.since, self.assemblyline_conn_id = poll_interval, since, assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        super().check()
        api.check_watched(self.query, self.verdict, self.min_score)

    def arguments(self) -> dict[str, Any]:
        """What to look for."""
        return {"query": self.query, "verdict": self.verdict, "min_score": self.min_score}

    def event(self, item: Item, base_url: str) -> dict[str, Any]:
        """The submission as the operators tell it, with its files."""
        told = super().event(item, base_url)
        return {**api.judged(told, api.submission_url(base_url, told["sid"])), "files": told["files"]}


def look_whether_quiet(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Whether nothing is analysed, or was a moment ago; a query that the server refuses disturbs no other.

    :param keys: see `api.quiet_key`
    """
    seen = {}
    for key in keys:
        seen[key] = yield from _quiet(key)
    if any(one.done for one in seen.values()):
        yield Pause(INDEX_LAG)
        for key in [key for key, one in seen.items() if one.state == "quiet"]:
            seen[key] = yield from _quiet(key)
    return seen


def _quiet(key: str) -> Flow[Seen]:
    quiet_for, query = api.quiet_parts(key)
    try:
        running = yield from api.running_submissions(query, quiet_for)
    except Invalid as refusal:
        return Seen("refused", done=True, facts={"words": refusal.words})
    return Seen("busy" if running else "quiet", done=not running, facts={"running": running})


QUIET = Question(hook=HOOK, thing="quiet among the submissions", ask=look_whether_quiet, chunk=20)


def look_at_alerts(queries: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """The oldest alert that each query finds, however young: by a search, which unlike a list hides none.

    :param queries: Lucene queries; those who wait with the same one share its search
    """
    seen = {}
    for query in queries:
        found = yield from api.raised_alerts(EVER, 0, 1, query)
        seen[query] = Seen("raised", done=True, facts=dict(found[0].payload or {})) if found else NOT_RAISED
    return seen


# one at a time, so that a query that the server refuses disturbs no other
ALERT = Question(hook=HOOK, thing="alert", ask=look_at_alerts, chunk=1)


def look_at_retrohunts(keys: Sequence[str]) -> Flow[Mapping[str, Seen]]:
    """Where retrohunts stand, by one search for all. The server tells no progress but that one is finished.

    :param keys: theirs
    """
    found = yield from api.retrohunts(keys)
    seen = {}
    for key in keys:
        if key in found:
            facts = {"total_hits": found[key]["total_hits"], "truncated": bool(found[key].get("truncated"))}
            finished = bool(found[key]["finished"])
            seen[key] = Seen("finished" if finished else "running", done=finished, facts=facts)
        else:
            seen[key] = yield from _young_retrohunt(key)
    return seen


def _young_retrohunt(key: str) -> Flow[Seen]:
    """One that the search does not find: either it is too young for the index, or there is none."""
    try:
        yield from api.retrohunt(key)
    except NotFound:
        return GONE
    return Seen("started", done=False)


RETROHUNT = Question(hook=HOOK, thing="retrohunt", ask=look_at_retrohunts, chunk=100)  # and nothing can stop one
