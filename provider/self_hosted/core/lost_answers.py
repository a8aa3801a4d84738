"""What a write did whose answer was lost: looked for, before anything is sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from self_hosted.core.flow import Flow, Pause

T = TypeVar("T")
LOOK_AGAIN = (1.0, 2.0, 4.0, 8.0)  # seconds between two looks: the server may be at work on it still


def looked_for(look: Callable[[], Flow[T | None]], pauses: Sequence[float] | None = None) -> Flow[T | None]:
    """What a write did, looked for until the server should be done with it; None when it did nothing.

    :param look: a flow that looks once
    :param pauses: seconds before each further look; by default 15 in all
    """
    found = yield from look()
    for pause in LOOK_AGAIN if pauses is None else pauses:
        if found is not None:
            break
        yield Pause(pause)
        found = yield from look()
    return found
