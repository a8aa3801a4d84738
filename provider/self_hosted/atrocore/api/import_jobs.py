"""Jobs of import feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api import feed_jobs
from self_hosted.atrocore.api.feed_jobs import JobKey, JobType
from self_hosted.atrocore.api.identifiers import check_record_id
from self_hosted.atrocore.api.pages import Record
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import check_shape


class ImportJob(TypedDict):
    """The fields of an import job that are read."""

    id: str
    state: str
    createdAt: str
    importFeedId: NotRequired[str | None]
    parentId: NotRequired[str | None]
    message: NotRequired[str | None]
    createdCount: NotRequired[int | None]
    updatedCount: NotRequired[int | None]
    deletedCount: NotRequired[int | None]
    skippedCount: NotRequired[int | None]
    errorsCount: NotRequired[int | None]


class Counters(TypedDict):
    """The counters of an import job."""

    createdCount: int
    updatedCount: int
    deletedCount: int
    skippedCount: int
    errorsCount: int


IMPORTS = JobType("ImportJob", "importFeedId", ("id", "parentId"), "message", ImportJob)
COUNTER_FIELDS = ("createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount")


class ImportCounts(TypedDict):
    """The number of rows by result.

    :param created: created records
    :param updated: updated records
    :param deleted: deleted records
    :param skipped: rows without effect
    :param errors: failed rows
    """

    created: int
    updated: int
    deleted: int
    skipped: int
    errors: int


def find(keys: Sequence[JobKey]) -> Flow[dict[JobKey, list[Record]]]:
    """Return the import jobs of each key; keys without a job are left out (``GET /api/ImportJob``).

    :param keys: ids of jobs, and runs of feeds
    :return: by key: the job with the parts that AtroCore split it into, or all jobs of the run
    """
    return (yield from feed_jobs.find(IMPORTS, keys))


def get_baseline(feed_id: str) -> Flow[str]:
    """Return the time after which import jobs of a feed are new; call it before the run (``GET /api/ImportJob``).

    :param feed_id: id of the import feed
    :return: when its newest job was created, in UTC, such as "2026-06-01 12:30:00"; in 1970 if there is none
    """
    return (yield from feed_jobs.get_baseline(IMPORTS, feed_id))


def get_counters(job_id: str) -> Flow[Record]:
    """Return the counters of an import job (``GET /api/ImportJob/{id}``, and ``…/recordCounters`` if it lacks some).

    Servers before core 1.12.14 have only the job's fields.

    :param job_id: id of the import job
    :return: ``{id, state, createdCount, updatedCount, deletedCount, skippedCount, errorsCount}``
    :raises NotFoundError: if the job does not exist
    """
    path = url_path("api", IMPORTS.entity, check_record_id("job_id", job_id))
    reply = yield Request("GET", path)
    job = check_shape(reply, reply.json(), ImportJob)
    if _has_counters(job):
        return {name: job[name] for name in ("id", "state", *COUNTER_FIELDS)}  # type: ignore[literal-required]
    return (yield from _read_counters(job_id))


def sum_counters(jobs: Sequence[Record]) -> Flow[ImportCounts]:
    """Return the sums of import jobs' counters; counters that a job's record lacks are read separately.

    :param jobs: such as those of one run
    """
    counters: list[Mapping[str, Any]] = []
    for job in jobs:
        counters.append(job if _has_counters(job) else (yield from _read_counters(job["id"])))
    created, updated, deleted, skipped, errors = (sum(each[name] for each in counters) for name in COUNTER_FIELDS)
    return {"created": created, "updated": updated, "deleted": deleted, "skipped": skipped, "errors": errors}


def _has_counters(job: Mapping[str, Any]) -> bool:
    return all(job.get(name) is not None for name in COUNTER_FIELDS)


def _read_counters(job_id: str) -> Flow[Record]:
    """Read the counters that AtroCore adds up (``GET /api/ImportJob/{id}/recordCounters``, since core 1.12.14)."""
    reply = yield Request("GET", url_path("api", IMPORTS.entity, job_id, "recordCounters"))
    counters = reply.json()
    check_shape(reply, counters, Counters)
    return counters  # type: ignore[no-any-return]
