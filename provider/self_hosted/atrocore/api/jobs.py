"""Jobs of AtroCore's queue, what became of them, and whether anybody serves it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.atrocore.api.records import Record, records_by
from self_hosted.core.errors import Forbidden, NotFound
from self_hosted.core.flow import Flow, Request

PENDING, SUCCESS = "Pending", "Success"
UNDER_WAY = frozenset({PENDING, "Running", "Awaiting"})
SAMPLE = 20  # failures that are told
LONGEST_MESSAGE = 500


def jobs(job_ids: Sequence[str]) -> Flow[dict[str, Record]]:
    """Jobs of the queue (``GET /api/Job``, core 1.12 and later).

    :param job_ids: their ids, such as the ``jobId`` in the answer of ``upsertAsync``
    :return: id to ``{id, status, type, message}``; one that is not there is missing
    """
    # not the payload, which holds all that an upsert was given
    found = yield from records_by("Job", "id", job_ids, ["status", "type", "message"])
    return {job_id: job for job_id, [job] in found.items()}


def job_facts(job: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a job that has ended: ``failure``, or of an upsert ``items`` and ``failures``, or ``message``."""
    message = str(job.get("message") or "")
    if job["status"] != SUCCESS:
        return {"failure": reason_told(message)}
    return _items(message) if job.get("type") == "Upsert" else {"message": message[:LONGEST_MESSAGE]}


def reason_told(message: Any) -> str:
    """A job's own words for why it failed; some have none, and SQL texts have no end."""
    return str(message or "no reason is told")[:LONGEST_MESSAGE]


def _items(message: str) -> dict[str, Any]:
    """What became of the items of an upsert: its job is a success even when not one of them was read."""
    try:
        items = json.loads(message)
        counts = Counter(str(item["status"]) for item in items)
    except (ValueError, TypeError, KeyError):
        return {"failure": reason_told(message)}
    failures = [
        {"item": number, "message": reason_told(item.get("message"))}
        for number, item in enumerate(items)
        if item["status"] == "Failed"
    ]
    return {"items": dict(counts), "failures": failures[:SAMPLE]}


def background_processing_runs() -> Flow[bool | None]:
    """Whether cron or the daemon serves the queue (``GET /api/checkBackgroundProcessing``, which takes 2.5 s).

    None where the server does not tell: it tells administrators only, and since core 2.3.14.
    """
    try:
        reply = yield Request("GET", "/api/checkBackgroundProcessing")
    except (Forbidden, NotFound):
        return None
    return bool(reply.json())
