"""Whether the server works on what waits: an administrator can pause its ingester and its dispatcher."""

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
