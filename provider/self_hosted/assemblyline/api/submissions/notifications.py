"""Notification queues of ingests: reading a message removes it from its queue.

No operator of this package reads them: a message is lost if its response is lost, or if its reader fails. Use
`ingests.get_submissions`, which can be repeated, to find the submissions of ingests.
"""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.errors import API_PATH, call, call_optional
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.flow import Flow, Request, url_path
from self_hosted.core.http.shape import JsonObject


def take(queue: str) -> Flow[dict[str, Any] | None]:
    """TAKE the oldest message from a notification queue, which removes it; None if the queue is empty.

    The message: {ingest_id, score, failure, extended_scan, ingest_time, notify_time, submission, ...}. Its
    ``submission.sid`` is not the ingest's id; for a known file it is that of the earlier submission. There is no
    message for an ingest whose score is below its ``notification_threshold``. A queue that does not exist is empty.

    ``GET /api/v4/ingest/get_message/<queue>/``, which is not idempotent though it is a GET

    :param queue: its name, as in ``notification_queue``; each user has own queues
    :raises OutcomeUnknownError: if the response was lost, possibly with a message
    """
    return call_optional(Request("GET", _build_path("get_message", queue), idempotent=False), JsonObject)


def take_many(queue: str, max_items: int | None = None) -> Flow[list[dict[str, Any]]]:
    """TAKE several messages from a notification queue, oldest first; see `take`.

    ``GET /api/v4/ingest/get_message_list/<queue>/``, which is not idempotent though it is a GET

    :param queue: its name
    :param max_items: largest number of messages; None = all, which are all lost if the response is lost
    :raises ValueError: if an argument is invalid
    :raises OutcomeUnknownError: if the response was lost, possibly with messages
    """
    # the server takes 0 and less for all
    query = {"page_size": None if max_items is None else parse_int("max_items", max_items)}
    request = Request("GET", _build_path("get_message_list", queue), query, idempotent=False, long_running=True)
    return (yield from call(request, list[JsonObject]))


def _build_path(endpoint: str, queue: str) -> str:
    if not queue or "/" in queue:
        raise ValueError(f"queue must be the name of a notification queue, without a slash, not {queue!r}")
    return f"{API_PATH}{url_path('ingest', endpoint, queue)}/"
