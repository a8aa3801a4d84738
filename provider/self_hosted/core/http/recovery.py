"""Recovery after a lost response: look for the effect of a write before anything is sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from self_hosted.core.http.flow import Flow, Pause

T = TypeVar("T")
RECHECK_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0)  # the server may still be carrying out the write


def poll_for_effect(find: Callable[[], Flow[T | None]], delays: Sequence[float] | None = None) -> Flow[T | None]:
    """Return the effect of a write, or None if it does not appear while the server may still work on it.

    :param find: returns a flow that looks once; its result is the effect or None
    :param delays: seconds before each further look; default `RECHECK_DELAYS_SECONDS`, 15 in all
    """
    found = yield from find()
    for delay in RECHECK_DELAYS_SECONDS if delays is None else delays:
        if found is not None:
            break
        yield Pause(delay)
        found = yield from find()
    return found
