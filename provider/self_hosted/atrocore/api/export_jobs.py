"""Jobs of export feeds."""

from __future__ import annotations

from collections.abc import Sequence

from self_hosted.atrocore.api import feed_jobs, records
from self_hosted.atrocore.api.feed_jobs import JobKey, JobType
from self_hosted.atrocore.api.filters import Condition
from self_hosted.atrocore.api.jobs import UNFINISHED_STATES
from self_hosted.atrocore.api.records import Record
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow, Request, url_path

EXPORTS = JobType("ExportJob", "exportFeedId", ("id",), ("stateMessage", "fileId", "count"))


def find(keys: Sequence[JobKey]) -> Flow[dict[JobKey, list[Record]]]:
    """Return the export jobs of each key; keys without a job are left out (``GET /api/ExportJob``).

    :param keys: ids of jobs, and runs of feeds
    :return: by key: the job, or all jobs of the run
    """
    return (yield from feed_jobs.find(EXPORTS, keys))


def get_baseline(feed_id: str) -> Flow[str]:
    """Return the time after which export jobs of a feed are new; call it before the run (``GET /api/ExportJob``).

    :param feed_id: id of the export feed
    :return: when its newest job was created, in UTC, such as "2026-06-01 12:30:00"; in 1970 if there is none
    """
    return (yield from feed_jobs.get_baseline(EXPORTS, feed_id))


def list_feeds_creating_jobs() -> Flow[set[str]]:
    """Return the ids of export feeds for which a background job still creates export jobs (``GET /api/Job``).

    :return: empty if the user may not see the queue
    """
    conditions: list[Condition] = [
        {"type": "equals", "attribute": "type", "value": "ExportJobCreator"},
        {"type": "in", "attribute": "status", "value": sorted(UNFINISHED_STATES)},
    ]
    try:
        creators = yield from records.list_all("Job", conditions, ["payload"])
    except (PermissionDeniedError, NotFoundError):
        return set()
    feeds = [(creator.get("payload") or {}).get("feed") or {} for creator in creators]
    return {str(feed["id"]) for feed in feeds if "id" in feed}


def cancel(job_id: str) -> Flow[bool]:
    """Cancel an export job (``POST /api/ExportJob/{id}/cancel``, since core 2.3).

    :param job_id: id of the export job
    :return: whether it was unfinished; False also after an attempt whose response was lost
    :raises NotFoundError: if the job does not exist
    """
    reply = yield Request("POST", url_path("api", EXPORTS.entity, job_id, "cancel"), idempotent=True)
    return bool(reply.json())
