"""Recovery of writes that leave a trace: if the response is lost, the trace is found and the write is not repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.recovery import poll_for_effect

T = TypeVar("T")

# Most responses are lost after the work is done, and the search index lags about a second behind. A client that stopped
# waiting, as a proxy does after a minute, may have done so while the server was still storing the file: it gets as long
# again. A submission that appears later is a duplicate, which `idempotency.end_duplicates` ends.
RECHECK_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further look for the effect of a write whose response was lost."""


def read_back(send: Callable[[], Flow[T]], find: Callable[[], Flow[T | None]]) -> Flow[tuple[T, bool]]:
    """Send a write that leaves a trace. If the response is lost, find the effect; send again only if there is none.

    :param send: returns the flow that sends the write
    :param find: returns the flow that looks for its effect
    :return: the response or the effect, and whether a response was lost
    :raises OutcomeUnknownError: if the second response is lost, too, and there is no effect
    """
    try:
        return (yield from send()), False
    except OutcomeUnknownError as lost:
        effect = yield from poll_for_effect(find, RECHECK_DELAYS_SECONDS, lost)
    try:
        return effect or (yield from send()), True
    except OutcomeUnknownError as lost:
        effect = yield from poll_for_effect(find, RECHECK_DELAYS_SECONDS, lost)
        if effect is None:
            raise
        return effect, True
