"""What waits on the server, and whether it works on that: its ingester and its dispatcher can be paused."""

from __future__ import annotations

from self_hosted.assemblyline.api.envelope import API, asked
from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow, Request, url_path

INGESTER, DISPATCHER = "ingester", "dispatcher"
"""The components that take up what was ingested and what was submitted, one after the other."""


def paused_components() -> Flow[set[str]]:
    """Those that an administrator paused, or that never ran. Does not count toward the daily quota.

    One that died without a word is not among them: the server knows only the switch.

    ``GET /api/v4/system/status/ALL/``
    """
    active = yield from asked(Request("GET", f"{API}/system/status/ALL/"))
    return {component for component, is_active in active.items() if not is_active}


def is_taken_up(sid: str) -> Flow[bool]:
    """Whether a dispatcher holds a submission; not before it was its turn, nor once it is completed.

    ``GET /api/v4/live/setup_watch_queue/<sid>/``, the only call that tells. It leaves a queue of messages behind, which
    expires unread. (``live/outstanding_services`` waits minutes for a dispatcher that is down.)

    :param sid: the submission's id
    :raises Forbidden: also when there is no such submission
    """
    try:
        yield from asked(Request("GET", f"{API}{url_path('live', 'setup_watch_queue', sid)}/"))
    except NotFound:
        return False
    return True


def running_submissions(query: str = "*", quiet_for: int = 0) -> Flow[int]:
    """How many submissions are not completed, or were completed a moment ago.

    Nothing tells how much waits in the ingester: what was ingested is seen once it has become a submission.

    ``POST /api/v4/search/submission/``

    :param query: a Lucene query of those that count, such as ``params.submitter:"airflow"``
    :param quiet_for: seconds; those that were completed since then count as well
    """
    running = yield from _counted(query, "state:submitted")
    if running or not quiet_for:
        return running
    return (yield from _counted(query, f"times.completed:[now-{quiet_for}s TO *]"))


def _counted(query: str, filter_: str) -> Flow[int]:
    wanted = {"query": query, "filters": [filter_], "rows": 0, "track_total_hits": True}
    found = yield from asked(Request("POST", f"{API}/search/submission/", json=wanted, repeatable=True))
    return int(found["total"])


def quiet_key(query: str, quiet_for: int) -> str:
    """What a wait calls the quiet among submissions.

    >>> quiet_key("*", 60)
    '60 *'

    :param query: see `running_submissions`
    :param quiet_for: seconds
    """
    return f"{quiet_for} {query}"


def quiet_parts(key: str) -> tuple[int, str]:
    """Seconds and query of a `quiet_key`."""
    quiet_for, _, query = key.partition(" ")
    return int(quiet_for), query
