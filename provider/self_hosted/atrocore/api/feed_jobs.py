"""The common part of import jobs and export jobs: find the jobs of a feed's run.

A feed that is run does not return its jobs, and one run may create several. So a run is identified by its feed and a
time before it. This baseline is when the feed's newest job was created, read before the run: a time of the server's
clock, which is never compared with another clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from typing_extensions import TypedDict

from self_hosted.atrocore.api.filters import Condition, build_query, split_any_of
from self_hosted.atrocore.api.identifiers import check_record_id, check_timestamp, is_record_id, is_timestamp
from self_hosted.atrocore.api.pages import MAX_FILTER_LENGTH, Record, check_page, read_list
from self_hosted.core.http.flow import Flow, Pause, Reply, Request, url_path

MAX_IDS_PER_CONDITION = 10
BASELINE_WITHOUT_JOBS = "1970-01-01 00:00:00"
TIMESTAMP_RESOLUTION_SECONDS = 1.0


class FeedRun(NamedTuple):
    """All jobs of a feed that were created after a time.

    :param feed_id: id of the import or export feed
    :param after: in UTC, such as "2026-06-01 12:30:00"; see `get_baseline`
    """

    feed_id: str
    after: str


JobKey = str | FeedRun
"""The id of a job, or a run of a feed."""


class _Created(TypedDict):
    createdAt: str


@dataclass(frozen=True)
class JobType:
    """The differences between import jobs and export jobs.

    :param entity: entity of the jobs
    :param feed_field: the field with the id of the feed
    :param id_fields: the fields in which a job and its parts hold the job's id
    :param message_field: the field with the explanation of a failure
    :param shape: the shape of a job's record; its fields are read
    """

    entity: str
    feed_field: str
    id_fields: tuple[str, ...]
    message_field: str
    shape: type


def find(job_type: JobType, keys: Sequence[JobKey]) -> Flow[dict[JobKey, list[Record]]]:
    """Return the jobs of each key, with as few lists as possible; keys without a job are left out.

    :param job_type: import or export jobs
    :param keys: ids of jobs, and runs of feeds
    """
    keys = _check_keys(keys)
    found: dict[str, Record] = {}

    def take(reply: Reply, page: list[Record]) -> None:
        for job in page:
            found[job["id"]] = _read_job(reply, job_type, job)

    fields = [name for name in job_type.shape.__annotations__ if name != "id"]
    for conditions in split_any_of(_conditions(job_type, keys), MAX_FILTER_LENGTH):
        yield from read_list(job_type.entity, conditions, ["id", *fields], take, job_type.shape)
    by_job, by_feed = _group(job_type, found.values())
    return {key: jobs for key in keys if (jobs := _jobs_of_key(key, by_job, by_feed))}


def get_baseline(job_type: JobType, feed_id: str) -> Flow[str]:
    """Return when the newest job of a feed was created; jobs of a run that begins now are created later.

    :param job_type: import or export jobs
    :param feed_id: id of the feed
    :return: in UTC, such as "2026-06-01 12:30:00"; a time in 1970 if there is no job
    """
    feed_id = check_record_id("feed_id", feed_id)
    query = {
        **build_query([{"type": "equals", "attribute": job_type.feed_field, "value": feed_id}]),
        "select": "createdAt",
        "maxSize": 1,
        "sortBy": "createdAt",
        "asc": False,
        "collectionOnly": True,
    }
    reply = yield Request("GET", url_path("api", job_type.entity), query=query)
    newest = check_page(reply, _Created)
    if newest:
        _require_timestamp(reply, newest[0]["createdAt"])
    yield Pause(TIMESTAMP_RESOLUTION_SECONDS)  # a job that is created in the same second would not be later
    return str(newest[0]["createdAt"]) if newest else BASELINE_WITHOUT_JOBS


def _check_keys(keys: Sequence[JobKey]) -> list[JobKey]:
    if isinstance(keys, str | FeedRun):
        raise ValueError(f"keys must be a list, not {keys!r}")
    return [
        FeedRun(check_record_id("feed_id", key.feed_id), check_timestamp("after", key.after))
        if isinstance(key, FeedRun)
        else check_record_id("keys", key)
        for key in keys
    ]


def _read_job(reply: Reply, job_type: JobType, job: Record) -> Record:
    """Return a job with texts that are fit for messages.

    :raises ServerError: if it cannot be compared with a run, or its id cannot be used in a path
    """
    _require_timestamp(reply, job["createdAt"])
    if not is_record_id(job["id"]):
        raise reply.malformed(f"unexpected response: list[].id: {job['id'][:80]!r} is no id")
    texts = {name: reply.clean(job[name]) for name in ("state", job_type.message_field) if job.get(name)}
    return {**job, **texts}


def _require_timestamp(reply: Reply, created_at: str) -> None:
    if not is_timestamp(created_at):
        raise reply.malformed(f"unexpected response: list[].createdAt: {created_at[:80]!r} is no timestamp")


Jobs = Mapping[str | None, list[Record]]


def _group(job_type: JobType, jobs: Iterable[Record]) -> tuple[Jobs, Jobs]:
    """Return the jobs by the id of a job, and by the id of their feed: a job and a feed may have the same id."""
    by_job: dict[str | None, list[Record]] = defaultdict(list)
    by_feed: dict[str | None, list[Record]] = defaultdict(list)
    for job in jobs:
        by_feed[job.get(job_type.feed_field)].append(job)
        for job_id in {job.get(field) for field in job_type.id_fields}:
            by_job[job_id].append(job)
    return by_job, by_feed


def _jobs_of_key(key: JobKey, by_job: Jobs, by_feed: Jobs) -> list[Record]:
    if isinstance(key, FeedRun):
        return [job for job in by_feed.get(key.feed_id, ()) if job["createdAt"] > key.after]
    return list(by_job.get(key, ()))


def _conditions(job_type: JobType, keys: Sequence[JobKey]) -> Iterator[Condition]:
    """Yield conditions; each job of the keys meets at least one."""
    runs: dict[str, str] = {}
    for feed_id, after in (key for key in keys if isinstance(key, FeedRun)):
        runs[feed_id] = min(after, runs.get(feed_id, after))
    ids = [key for key in keys if not isinstance(key, FeedRun)]
    for start in range(0, len(ids), MAX_IDS_PER_CONDITION):
        for field in job_type.id_fields:
            yield {"type": "in", "attribute": field, "value": ids[start : start + MAX_IDS_PER_CONDITION]}
    for feed_id, after in runs.items():
        of_feed = {"type": "equals", "attribute": job_type.feed_field, "value": feed_id}
        yield {"type": "and", "value": [of_feed, {"type": "greaterThan", "attribute": "createdAt", "value": after}]}
