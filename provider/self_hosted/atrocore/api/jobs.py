"""Jobs of AtroCore's queue: state, result, and whether the queue is processed at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api.identifiers import check_record_id
from self_hosted.atrocore.api.pages import Record, StoredRecord, read_by_value
from self_hosted.core.arguments import check_ids
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow, Reply, Request
from self_hosted.core.http.redact import clean_text
from self_hosted.core.http.shape import check_shape

PENDING, SUCCESS = "Pending", "Success"
UNFINISHED_STATES = frozenset({PENDING, "Running", "Awaiting"})
MAX_FAILURES = 20  # in a result
FAILED = "Failed"
ITEM_STATUSES = frozenset({"Created", "Updated", "NotModified", FAILED})  # any other counts as failed


class QueuedJob(StoredRecord):
    """The fields of a job that are read."""

    status: str
    type: NotRequired[str | None]
    message: NotRequired[str | None]


class FailedItem(TypedDict):
    """A failed item of an upsert.

    :param item: its number, from 0
    :param message: AtroCore's explanation
    """

    item: int
    message: str


class JobDetails(TypedDict, total=False):
    """The result of a job that has ended.

    :param failure: why it failed; the other keys are absent then
    :param items: of an upsert: the number of items by status, such as ``{"Created": 3, "Failed": 1}``
    :param failures: of an upsert: the first 20 failed items
    :param message: of other jobs: AtroCore's message
    """

    failure: str
    items: dict[str, int]
    failures: list[FailedItem]
    message: str


def find(job_ids: Sequence[str]) -> Flow[dict[str, Record]]:
    """Return jobs of the queue by id, without those that do not exist (``GET /api/Job``, since core 1.12).

    :param job_ids: such as the ``jobId`` in the response of ``upsertAsync``
    :return: ``{id, status, type, message}`` by id
    """
    found: dict[str, Record] = {}

    def take(reply: Reply, page: list[Record]) -> None:
        found.update((job["id"], job) for job in page)

    yield from _read_jobs(job_ids, take)
    return found


def observe(job_ids: Sequence[str]) -> Flow[dict[str, tuple[str, JobDetails]]]:
    """Return the status of jobs by id, and the details of those that have ended; one list.

    :param job_ids: their ids
    """
    found: dict[str, tuple[str, JobDetails]] = {}

    def take(reply: Reply, page: list[Record]) -> None:
        for job in page:
            has_ended = job["status"] not in UNFINISHED_STATES
            found[job["id"]] = (
                reply.clean(job["status"]),
                read_details(job, reply.clean) if has_ended else JobDetails(),
            )

    yield from _read_jobs(job_ids, take)
    return found


def _read_jobs(job_ids: Sequence[str], take: Callable[[Reply, list[Record]], None]) -> Flow[None]:
    # without the payload, which holds the whole data of an upsert
    fields = ["status", "type", "message"]
    yield from read_by_value("Job", "id", check_ids("job_ids", job_ids, check_record_id), fields, take, QueuedJob)


def read_details(job: Mapping[str, Any], clean: Callable[[str], str] = clean_text) -> JobDetails:
    """Return the result of a job that has ended.

    :param job: a job of `find`
    :param clean: makes a text of the server fit for messages: some are SQL statements, which may be very long
    """
    message = job.get("message") or ""
    if job["status"] != SUCCESS:
        return {"failure": explain(clean(message))}
    return _read_items(message, clean) if job.get("type") == "Upsert" else {"message": clean(message)}


def explain(message: str | None) -> str:
    """Return a job's explanation of its failure: some jobs have none.

    :param message: a field of the job
    """
    return message or "no reason given"


def _read_items(message: str, clean: Callable[[str], str]) -> JobDetails:
    """Read the results of an upsert's items: its job is a success even if all of them failed."""
    try:
        items = json.loads(message)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        return {"failure": explain(clean(message))}
    statuses = [item["status"] if item["status"] in ITEM_STATUSES else FAILED for item in items]
    failed = [number for number, status in enumerate(statuses) if status == FAILED][:MAX_FAILURES]
    failures: list[FailedItem] = [
        {"item": number, "message": explain(clean(str(items[number].get("message") or "")))} for number in failed
    ]
    return {"items": dict(Counter(statuses)), "failures": failures}


def _is_item(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("status"), str)


def check_background_processing() -> Flow[bool | None]:
    """Return whether cron or the daemon processes the queue (``GET /api/checkBackgroundProcessing``; takes 2.5 s).

    :return: None if it is unknown: only administrators may see it, and only since core 2.3.14
    """
    try:
        reply = yield Request("GET", "/api/checkBackgroundProcessing")
    except (PermissionDeniedError, NotFoundError):
        return None
    return check_shape(reply, reply.json(), bool)
