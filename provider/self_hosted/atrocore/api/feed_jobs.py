"""The common part of import jobs and export jobs: find the jobs of a feed's run.

A feed that is run does not return its jobs, and one run may create several. So a run is identified by its feed and a
time before it. This baseline is when the feed's newest job was created, read before the run: a time of the server's
clock, which is never compared with another clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.filters import Condition, build_query, split_any_of
from self_hosted.atrocore.api.records import MAX_FILTER_LENGTH, Record
from self_hosted.core.http.flow import Flow, Pause, Request, url_path

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


@dataclass(frozen=True)
class JobType:
    """The differences between import jobs and export jobs.

    :param entity: entity of the jobs
    :param feed_field: the field with the id of the feed
    :param id_fields: the fields in which a job and its parts hold the job's id
    :param detail_fields: further fields to read
    """

    entity: str
    feed_field: str
    id_fields: tuple[str, ...]
    detail_fields: tuple[str, ...]


def find(job_type: JobType, keys: Sequence[JobKey]) -> Flow[dict[JobKey, list[Record]]]:
    """Return the jobs of each key, with as few lists as possible; keys without a job are left out.

    :param job_type: import or export jobs
    :param keys: ids of jobs, and runs of feeds
    """
    found: dict[str, Record] = {}
    fields = ("state", "createdAt", job_type.feed_field, *job_type.id_fields, *job_type.detail_fields)
    for conditions in split_any_of(_conditions(job_type, keys), MAX_FILTER_LENGTH):
        for job in (yield from records.list_all(job_type.entity, conditions, list(dict.fromkeys(fields)))):
            found[job["id"]] = job
    by_owner: dict[Any, list[Record]] = defaultdict(list)  # the owner is a job, or a feed
    for job in found.values():
        for owner in {job.get(field) for field in (job_type.feed_field, *job_type.id_fields)}:
            by_owner[owner].append(job)
    return {key: jobs for key in keys if (jobs := _jobs_of_key(key, by_owner))}


def get_baseline(job_type: JobType, feed_id: str) -> Flow[str]:
    """Return when the newest job of a feed was created; jobs of a run that begins now are created later.

    :param job_type: import or export jobs
    :param feed_id: id of the feed
    :return: in UTC, such as "2026-06-01 12:30:00"; a time in 1970 if there is no job
    """
    query = {
        **build_query([{"type": "equals", "attribute": job_type.feed_field, "value": feed_id}]),
        "select": "createdAt",
        "maxSize": 1,
        "sortBy": "createdAt",
        "asc": False,
        "collectionOnly": True,
    }
    reply = yield Request("GET", url_path("api", job_type.entity), query=query)
    yield Pause(TIMESTAMP_RESOLUTION_SECONDS)  # a job that is created in the same second would not be later
    newest = reply.json()["list"]
    return str(newest[0]["createdAt"]) if newest else BASELINE_WITHOUT_JOBS


def _jobs_of_key(key: JobKey, by_owner: Mapping[Any, list[Record]]) -> list[Record]:
    if isinstance(key, FeedRun):
        return [job for job in by_owner[key.feed_id] if job["createdAt"] > key.after]
    return by_owner[key]


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
