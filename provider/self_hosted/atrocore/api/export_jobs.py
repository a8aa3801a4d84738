"""Jobs of export feeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api import feed_jobs
from self_hosted.atrocore.api.feed_jobs import JobKey, JobType
from self_hosted.atrocore.api.filters import Condition
from self_hosted.atrocore.api.identifiers import check_record_id
from self_hosted.atrocore.api.jobs import UNFINISHED_STATES
from self_hosted.atrocore.api.pages import Record, StoredRecord, read_list
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import check_shape

log = get_logger(__name__)


class ExportJob(TypedDict):
    """The fields of an export job that are read."""

    id: str
    state: str
    createdAt: str
    exportFeedId: NotRequired[str | None]
    stateMessage: NotRequired[str | None]
    fileId: NotRequired[str | None]
    count: NotRequired[int | None]


class _Feed(TypedDict):
    id: NotRequired[str | None]


class _Payload(TypedDict):
    feed: NotRequired[_Feed | list[Any] | None]


class _Creator(StoredRecord):
    """A background job that creates export jobs. PHP writes an empty object as an empty list."""

    payload: NotRequired[_Payload | list[Any] | None]


EXPORTS = JobType("ExportJob", "exportFeedId", ("id",), "stateMessage", ExportJob)


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
    feeds: list[Any] = []

    def take(reply: Reply, page: list[Record]) -> None:
        payloads = [creator.get("payload") for creator in page]
        feeds.extend(payload.get("feed") for payload in payloads if isinstance(payload, dict))

    try:
        yield from read_list("Job", conditions, ["payload"], take, _Creator)
    except (PermissionDeniedError, NotFoundError):
        return set()
    return {feed["id"] for feed in feeds if isinstance(feed, dict) and feed.get("id")}


def cancel(job_id: str) -> Flow[bool]:
    """Cancel an export job (``POST /api/ExportJob/{id}/cancel``, since core 2.3).

    :param job_id: id of the export job
    :return: whether it was unfinished; False also after an attempt whose response was lost
    :raises NotFoundError: if the job does not exist
    """
    path = url_path("api", EXPORTS.entity, check_record_id("job_id", job_id), "cancel")
    reply = yield Request("POST", path, idempotent=True)
    was_running = check_shape(reply, reply.json(), bool)
    log.info("Export job %s: %s", job_id, "cancelled" if was_running else "it was not running")
    return was_running
