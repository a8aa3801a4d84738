"""Recovery after a lost response: look for the effect of a write before anything is sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")
RECHECK_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0)  # the server may still be carrying out the write


def poll_for_effect(
    find: Callable[[], Flow[T | None]], delays: Sequence[float] | None = None, lost: SelfHostedError | None = None
) -> Flow[T | None]:
    """Return the effect of a write, or None if it does not appear while the server may still work on it.

    :param find: returns a flow that looks once; its result is the effect or None
    :param delays: seconds before each further look; default `RECHECK_DELAYS_SECONDS`, 15 in all
    :param lost: the error of the lost response; default: an earlier attempt may have been interrupted
    """
    found = yield from find()
    for delay in RECHECK_DELAYS_SECONDS if delays is None else delays:
        if found is not None:
            break
        subject = lost or "an earlier attempt may still be in progress"
        yield Pause(delay, reason=f"{subject}: looking for its effect again in {delay:g} s")
        found = yield from find()
    if lost:
        log_lost(lost, is_done=found is not None)
    return found


def log_lost(lost: SelfHostedError, *, is_done: bool) -> None:
    """Log what is known about a write whose response was lost.

    :param lost: the error of the lost response
    :param is_done: whether its effect was found
    """
    log.warning("%s; %s", lost, "its effect was found" if is_done else "no effect was found")
