"""Activity: submissions that are dispatched, and the number of active ones."""

from __future__ import annotations

from typing_extensions import TypedDict

from self_hosted.assemblyline.errors import API_PATH, call
from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Request, url_path


class _Queue(TypedDict):
    wq_id: str


class _Total(TypedDict):
    total: int


def is_dispatched(sid: str) -> Flow[bool]:
    """Return whether a dispatcher works on a submission; False before it starts, and after it is completed.

    ``GET /api/v4/live/setup_watch_queue/<sid>/``, the only call that tells. It leaves a message queue behind, which
    expires unread. (``live/outstanding_services`` waits for minutes if the dispatcher is down.)

    :param sid: id of the submission
    :raises PermissionDeniedError: also if the submission does not exist
    """
    try:
        yield from call(Request("GET", f"{API_PATH}{url_path('live', 'setup_watch_queue', sid)}/"), _Queue)
    except NotFoundError:
        return False
    return True


def count_active(query: str = "*", idle_seconds: int = 0) -> Flow[int]:
    """Return how many submissions are not completed, or were completed a moment ago.

    Ingests count once they are submissions: the server does not tell how many ingests are waiting.

    ``POST /api/v4/search/submission/``

    :param query: a Lucene query, such as ``params.submitter:"airflow"``
    :param idle_seconds: submissions that were completed within this time also count
    """
    active = yield from _count(query, "state:submitted")
    if active or not idle_seconds:
        return active
    return (yield from _count(query, f"times.completed:[now-{idle_seconds}s TO *]"))


def _count(query: str, filter_query: str) -> Flow[int]:
    arguments = {"query": query, "filters": [filter_query], "rows": 0, "track_total_hits": True}
    response = yield from call(
        Request("POST", f"{API_PATH}/search/submission/", json=arguments, idempotent=True), _Total
    )
    return response["total"]
