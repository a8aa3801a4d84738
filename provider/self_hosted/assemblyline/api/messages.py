"""Notification queues: reading a message removes it from its queue.

Nothing in this package reads them. They are for who has a queue of their own to empty: a message that gets lost on its
way, or whose reader dies, is lost for good. What became of an ingest, `ingested_submissions` tells as often as asked.
"""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.flow import Flow, Request, url_path


def take_message(queue: str) -> Flow[dict[str, Any] | None]:
    """TAKE the oldest message from a notification queue, which is gone from it then; None when there is none.

    {ingest_id, score, failure, extended_scan, ingest_time, notify_time, submission, ...}. Use ``submission.sid``, which
    is not the ingest's id; of a known file it is that of the earlier submission. There is no message of an ingest whose
    score is below its ``notification_threshold``. A queue that does not exist is an empty one.

    ``GET /api/v4/ingest/get_message/<queue>/``, which is never repeated though it is a GET.

    :param queue: its name, as given in ``notification_queue``; each user has queues of their own
    :raises Uncertain: when the answer was lost, and with it perhaps a message
    """
    return asked(Request("GET", _path("get_message", queue), repeatable=False))


def take_messages(queue: str, at_most: int | None = None) -> Flow[list[dict[str, Any]]]:
    """TAKE several messages from a notification queue, the oldest first; see `take_message`.

    ``GET /api/v4/ingest/get_message_list/<queue>/``, which is never repeated though it is a GET.

    :param queue: its name
    :param at_most: how many; by default all, which may be many and are all lost with a lost answer
    :raises Uncertain: when the answer was lost, and with it perhaps messages
    """
    if at_most is not None and at_most < 1:
        raise ValueError(f"at_most must be 1 or more, not {at_most!r}: the server takes less for all")
    request = Request("GET", _path("get_message_list", queue), {"page_size": at_most}, repeatable=False, slow=True)
    messages: list[dict[str, Any]] = yield from asked(request)
    return messages


def _path(call: str, queue: str) -> str:
    if not queue or "/" in queue:
        raise ValueError(f"queue must be the name of a notification queue, without a slash, not {queue!r}")
    return f"{API}{url_path('ingest', call, queue)}/"
