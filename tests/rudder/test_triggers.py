"""Tests of rudder/triggers.py: how change requests are looked at."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from self_hosted.core.flow import Flow, Request
from self_hosted.core.trigger import WaitTrigger
from self_hosted.core.wait import Seen, imported
from self_hosted.rudder import api
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.triggers import CHANGE_REQUEST, decisions
from tests.conftest import Served
from tests.rudder.conftest import SHARE, success

QUESTION = "self_hosted.rudder.triggers.CHANGE_REQUEST"


def opened(hook: RudderHook, number: int) -> list[str]:
    """That many change requests."""
    updates = [hook.update_rule(SHARE, {"displayName": f"Name {count}"}, reason="test") for count in range(number)]
    return [str(update["change_request_id"]) for update in updates]


def paths(flow: Flow[Any], answers: list[Any]) -> list[str]:
    """The addresses that a flow asks, given the answers."""
    step, asked = next(flow), []
    for answer in answers:
        assert isinstance(step, Request)
        asked.append(step.target)
        try:
            step = flow.send(success(step, answer))
        except StopIteration:
            break
    return asked


def test_one_change_request_costs_one_request() -> None:
    assert paths(decisions(["7"]), [{"changeRequests": [{"status": "Deployed"}]}]) == ["/changeRequests/7"]


def test_many_that_are_open_cost_one_request() -> None:
    listed = [{"id": number, "status": "Pending validation"} for number in range(100)]
    assert paths(decisions([str(number) for number in range(100)]), [listed]) == ["/changeRequests?status=open"]


def test_those_that_left_the_list_are_looked_at() -> None:
    listed = [{"id": 1, "status": "Pending validation"}]
    answers = [listed, {"changeRequests": [{"status": "Cancelled"}]}]
    assert paths(decisions(["1", "2"]), answers) == ["/changeRequests?status=open", "/changeRequests/2"]


def test_the_statuses_are_told_apart(served: Served, hook: RudderHook) -> None:
    served.seed({"validation": True})
    ids = opened(hook, 4)
    served.seed({"decisions": {"2": "Pending deployment", "3": "Deployed", "4": "Cancelled"}})
    seen = hook.run(decisions([*ids, "99"]))
    assert {number: seen[number] for number in [*ids, "99"]} == {
        "1": Seen("Pending validation", done=False),
        "2": Seen("Pending deployment", done=False),
        "3": Seen("Deployed", done=True),
        "4": Seen("Cancelled", done=True),
        "99": Seen("missing", done=True),
    }


def test_a_single_one_that_is_missing_is_done(served: Served, hook: RudderHook) -> None:
    served.seed({"validation": True})
    assert hook.run(decisions(["99"])) == {"99": Seen("missing", done=True)}


@pytest.mark.parametrize("seed", [{"plugin": False}, {"validation": False}])
@pytest.mark.parametrize("ids", [["1"], ["1", "2"]])
def test_nothing_is_called_missing_where_nothing_can_be_seen(
    served: Served, hook: RudderHook, seed: dict[str, Any], ids: list[str]
) -> None:
    served.seed(seed)
    with pytest.raises(api.NotOffered):
        hook.run(decisions(ids))


def test_tasks_that_wait_together_are_answered_each(served: Served, hook: RudderHook) -> None:
    served.seed({"validation": True})
    ids = opened(hook, 3)
    served.seed({"decisions": {"1": "Deployed", "2": "Cancelled", "3": "Deployed"}})

    async def event(number: str) -> Any:
        deadline = time.time() + 30
        waiter = WaitTrigger(question=QUESTION, conn_id=hook.conn_id, key=number, deadline=deadline, poll_interval=0.02)
        return (await anext(waiter.run())).payload["seen"]["state"]

    async def events() -> list[Any]:
        return await asyncio.gather(*map(event, ids))

    assert asyncio.run(events()) == ["Deployed", "Cancelled", "Deployed"]


def test_the_question_is_found_by_its_path_and_cancels_nothing() -> None:
    assert imported(QUESTION) is CHANGE_REQUEST
    assert CHANGE_REQUEST.cancel is None
