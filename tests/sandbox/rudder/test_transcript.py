"""The fake server responds to each request like a real Rudder 9.1.4, whose responses were recorded."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import pytest
from starlette.routing import Match, Route

from self_hosted.sandbox.rudder import Rudder
from tests.conftest import Served
from tests.sandbox.rudder.replay import Replay, Step, load_steps, seed_start

EXCEPTIONS = {
    26: "the list of endpoints has their names as keys, and is that of a test double",
    331: "the fake server has no directives, so that no change request for one exists",
}
"""Steps of routes that the fake server has, whose responses differ nevertheless."""

EQUAL_STEPS = {
    "access": 29,
    "rules": 60,
    "rule categories": 10,
    "techniques": 0,
    "directives": 0,
    "groups": 1,
    "parameters": 13,
    "nodes": 15,
    "compliance": 13,
    "settings": 0,
    "accounts": 3,
    "archives": 0,
    "system": 5,
    "campaigns": 0,
    "rights": 4,
    "change requests": 53,
}
"""Steps with an equal response, by area. The fake server lacks the routes of the others."""


class Replayed(NamedTuple):
    """One step, and how its response differs from the recorded one."""

    step: Step
    differences: list[str]


@pytest.fixture(scope="module")
def replayed(_served: Served) -> list[Replayed]:
    """All steps that have a response."""
    steps = load_steps()
    _served.reset()
    seed_start(_served, steps)
    replay = Replay(_served)
    results = [(step, replay.run(step)) for step in steps]
    return [Replayed(step, differences) for step, differences in results if differences is not None]


def test_every_step_of_a_route_of_the_fake_server_has_an_equal_response(replayed: list[Replayed]) -> None:
    routes = [route for route in Rudder().routes() if isinstance(route, Route) and ":path}" not in route.path]
    differing = {
        item.step["step"]: [item.step["note"], *item.differences]
        for item in replayed
        if item.differences and any(matches(route, item.step) for route in routes)
    }
    assert differing.keys() == EXCEPTIONS.keys(), differing


def test_the_number_of_equal_responses_by_area(replayed: list[Replayed]) -> None:
    equal = Counter({item.step["area"]: 0 for item in replayed})
    equal.update(item.step["area"] for item in replayed if not item.differences)
    assert dict(equal) == EQUAL_STEPS


def matches(route: Route, step: Step) -> bool:
    request = step["request"]
    scope = {"type": "http", "method": request["method"], "path": request["path"]}
    return route.matches(scope)[0] is Match.FULL
