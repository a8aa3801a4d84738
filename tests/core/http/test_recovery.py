"""Recovery after a lost response."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from self_hosted.core.http.flow import Flow, Pause, Request
from self_hosted.core.http.recovery import RECHECK_DELAYS_SECONDS, poll_for_effect
from tests.core.http.test_flow import reply

SEARCH = Request("GET", "/search")


def finder(results: Iterator[str | None]) -> Flow[str | None]:
    yield SEARCH
    return next(results)


def run_recovery(*results: str | None, delays: tuple[float, ...] | None = None) -> tuple[str | None, list[float]]:
    """Return the effect that was found, and the pauses."""
    remaining = iter(results)
    flow = poll_for_effect(lambda: finder(remaining), delays)
    pauses: list[float] = []
    step = next(flow)
    while True:
        pauses += [step.seconds] if isinstance(step, Pause) else []
        try:
            step = flow.send(reply())
        except StopIteration as end:
            return end.value, pauses


def test_an_effect_that_exists_is_found_without_a_pause():
    assert run_recovery("effect") == ("effect", [])


def test_the_search_is_repeated_until_the_effect_appears():
    assert run_recovery(None, None, "effect") == ("effect", list(RECHECK_DELAYS_SECONDS[:2]))


@pytest.mark.parametrize("delays", [None, (), (0.5,)])
def test_an_effect_that_never_appears_is_none(delays: tuple[float, ...] | None):
    expected = RECHECK_DELAYS_SECONDS if delays is None else delays
    assert run_recovery(*[None] * 9, delays=delays) == (None, list(expected))
