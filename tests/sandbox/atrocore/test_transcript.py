"""The fake server responds to each request like a real AtroCore, whose responses were recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from self_hosted.sandbox.atrocore import Atrocore
from tests.conftest import Served
from tests.sandbox.atrocore.replay import Replay, Replayed, load_steps


class Recording(NamedTuple):
    """A recorded server.

    :param version: version of the core
    :param start: what the fake server is seeded with
    :param not_sent: steps that the fake server must not receive, with the reason
    :param compared: the number of responses that are compared
    """

    version: str
    start: Mapping[str, Any]
    not_sent: Mapping[int, str]
    compared: int


RECORDINGS = [
    Recording("1.10", {"core": "1.10.30", "languages": ["de_DE"], "cron": False}, {}, 352),
    Recording(
        "2.3",
        {"core": "2.3.16", "cron": False},
        {156: "the recorded server failed to create the category, on which later responses depend"},
        225,
    ),
]


@pytest.fixture(scope="module")
def served_alone(serve: Callable[[Atrocore], Served]) -> Served:
    """A server for these tests only, because the steps depend on each other."""
    return serve(Atrocore())


@pytest.fixture(scope="module", params=RECORDINGS, ids=lambda recording: recording.version)
def recording(request: pytest.FixtureRequest) -> Recording:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def replayed(served_alone: Served, recording: Recording) -> list[Replayed]:
    """All steps that are compared."""
    steps = load_steps(recording.version)
    served_alone.reset()
    served_alone.seed(dict(recording.start))
    replay = Replay(served_alone)
    results = [(step, replay.run(step)) for step in steps if step["step"] not in recording.not_sent]
    return [Replayed(step, differences) for step, differences in results if differences is not None]


def test_every_response_is_equal(replayed: list[Replayed], recording: Recording) -> None:
    differing = {
        item.step["step"]: [item.step["area"], item.step["note"], *item.differences]
        for item in replayed
        if item.differences
    }
    assert (differing, len(replayed)) == ({}, recording.compared)
