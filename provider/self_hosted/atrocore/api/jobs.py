"""Jobs of AtroCore's queue: state, result, and whether the queue is processed at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.records import Record
from self_hosted.core.http.errors import NotFoundError, PermissionDeniedError
from self_hosted.core.http.flow import Flow, Request

PENDING, SUCCESS = "Pending", "Success"
UNFINISHED_STATES = frozenset({PENDING, "Running", "Awaiting"})
MAX_FAILURES = 20  # in a result
MAX_MESSAGE_LENGTH = 500


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
    # without the payload, which holds the whole data of an upsert
    found = yield from records.find("Job", "id", job_ids, ["status", "type", "message"])
    return {job_id: job for job_id, [job] in found.items()}


def read_details(job: Mapping[str, Any]) -> JobDetails:
    """Return the result of a job that has ended.

    :param job: a job of `find`
    """
    message = str(job.get("message") or "")
    if job["status"] != SUCCESS:
        return {"failure": shorten_message(message)}
    return _read_items(message) if job.get("type") == "Upsert" else {"message": message[:MAX_MESSAGE_LENGTH]}


def shorten_message(message: Any) -> str:
    """Return a job's explanation of its failure: some jobs have none, and SQL statements may be very long.

    :param message: a field of the job
    """
    return str(message or "no reason given")[:MAX_MESSAGE_LENGTH]


def _read_items(message: str) -> JobDetails:
    """Read the results of an upsert's items: its job is a success even if all of them failed."""
    try:
        items = json.loads(message)
        counts = Counter(str(item["status"]) for item in items)
    except (ValueError, TypeError, KeyError):
        return {"failure": shorten_message(message)}
    failures: list[FailedItem] = [
        {"item": number, "message": shorten_message(item.get("message"))}
        for number, item in enumerate(items)
        if item["status"] == "Failed"
    ]
    return {"items": dict(counts), "failures": failures[:MAX_FAILURES]}


def check_background_processing() -> Flow[bool | None]:
    """Return whether cron or the daemon processes the queue (``GET /api/checkBackgroundProcessing``; takes 2.5 s).

    :return: None if it is unknown: only administrators may see it, and only since core 2.3.14
    """
    try:
        reply = yield Request("GET", "/api/checkBackgroundProcessing")
    except (PermissionDeniedError, NotFoundError):
        return None
    return bool(reply.json())
