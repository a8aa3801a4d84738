"""Jobs of export feeds."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api import feed_jobs
from self_hosted.atrocore.api.feed_jobs import JobKey, JobType
from self_hosted.atrocore.api.filters import Condition
from self_hosted.atrocore.api.identifiers import check_record_id
from self_hosted.atrocore.api.jobs import UNFINISHED_STATES
from self_hosted.atrocore.api.pages import Record, StoredRecord, read_list
from self_hosted.core.http.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
)
from self_hosted.core.http.flow import Flow, Reply, Request, url_path
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.shape import check_shape

log = get_logger(__name__)

CANCELED = "Canceled"
NOT_MODIFIED = 304


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
    data: NotRequired[_Payload | list[Any] | None]


class _Queue(NamedTuple):
    entity: str
    type_field: str
    payload_field: str


QUEUES = _Queue("Job", "type", "payload"), _Queue("QueueItem", "serviceName", "data")  # before core 1.12: the second
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
    found: set[str] = set()
    for queue in QUEUES:
        with contextlib.suppress(PermissionDeniedError, NotFoundError):  # without permission, or of other versions
            yield from _add_feeds(queue, found)
    return found


def _add_feeds(queue: _Queue, found: set[str]) -> Flow[None]:
    conditions: list[Condition] = [
        {"type": "equals", "attribute": queue.type_field, "value": "ExportJobCreator"},
        {"type": "in", "attribute": "status", "value": sorted(UNFINISHED_STATES)},
    ]

    def take(reply: Reply, page: list[Record]) -> None:
        payloads = [creator.get(queue.payload_field) for creator in page]
        feeds = [payload.get("feed") for payload in payloads if isinstance(payload, dict)]
        found.update(feed["id"] for feed in feeds if isinstance(feed, dict) and feed.get("id"))

    yield from read_list(queue.entity, conditions, [queue.payload_field], take, _Creator)


def cancel(job_id: str) -> Flow[bool]:
    """Cancel an export job (``POST /api/ExportJob/{id}/cancel``; before core 2.3 ``PATCH /api/ExportJob/{id}``).

    :param job_id: id of the export job
    :return: whether it was unfinished; False also after an attempt whose response was lost
    :raises NotFoundError: if the job does not exist
    """
    path = url_path("api", EXPORTS.entity, check_record_id("job_id", job_id))
    try:
        reply = yield Request("POST", f"{path}/cancel", idempotent=True)
        was_unfinished = check_shape(reply, reply.json(), bool)
    except NotFoundError:  # of the job, or of the route
        was_unfinished = yield from _set_canceled(path)
    log.info("Export job %s: %s", job_id, "cancelled" if was_unfinished else "it was not running")
    return was_unfinished


def _set_canceled(path: str) -> Flow[bool]:
    """Set the state of a job that is unfinished, and return whether it was."""
    if not (yield from _is_unfinished(path)):
        return False
    refusal: SelfHostedError
    try:
        reply = yield Request("PATCH", path, json={"state": CANCELED}, idempotent=True)
    except InvalidRequestError as error:
        refusal = error
    else:
        if reply.status != NOT_MODIFIED and check_shape(reply, reply.json(), ExportJob)["state"] == CANCELED:
            return True
        refusal = reply.error(ServerError, "the server did not cancel the job")
    if (yield from _is_unfinished(path)):
        raise refusal
    return False  # it ended in between, or a first attempt was carried out


def _is_unfinished(path: str) -> Flow[bool]:
    reply = yield Request("GET", path)
    return check_shape(reply, reply.json(), ExportJob)["state"] in UNFINISHED_STATES
