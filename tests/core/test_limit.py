"""How much one process asks of one server at once, and per second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from self_hosted.core.errors import Broken
from self_hosted.core.flow import Pause, Reply, Request
from self_hosted.core.limit import Limit
from tests.conftest import Served
from tests.core.toy import Toy, ToyHook, bricks

REQUEST = Request("GET", "/")
REPLY = Reply(200, {}, b"", REQUEST)


def test_who_finds_no_free_place_waits_for_one():
    limit = Limit(at_once=1, per_second=0)
    first, second = limit.send(REQUEST), limit.send(REQUEST)
    assert next(first) is REQUEST
    assert isinstance(next(second), Pause)
    assert isinstance(second.send(REPLY), Pause)
    with pytest.raises(StopIteration) as end:
        first.send(REPLY)
    assert end.value.value is REPLY
    assert second.send(REPLY) is REQUEST


def test_who_came_first_is_first_and_who_gave_up_holds_up_nobody():
    limit = Limit(at_once=1, per_second=0)
    first, second, third, fourth = (limit.send(REQUEST) for _ in range(4))
    next(first)
    assert all(isinstance(next(flow), Pause) for flow in (second, third, fourth))
    with pytest.raises(StopIteration):
        first.send(REPLY)
    assert isinstance(third.send(REPLY), Pause), "it is not its turn"
    second.close()
    assert third.send(REPLY) is REQUEST
    assert isinstance(fourth.send(REPLY), Pause)


def test_the_longer_the_queue_the_rarer_one_asks():
    limit = Limit(at_once=2, per_second=0)
    steps = [next(limit_flow) for limit_flow in [limit.send(REQUEST) for _ in range(202)]]
    pauses = [step.seconds for step in steps if isinstance(step, Pause)]
    assert len(pauses) == 200
    assert pauses[0] == pytest.approx(0.05)
    assert pauses[-1] == pytest.approx(0.5, rel=0.05)


def test_a_place_is_free_again_after_an_error_and_after_a_flow_was_given_up():
    limit = Limit(at_once=1, per_second=0)
    failing = limit.send(REQUEST)
    next(failing)
    with pytest.raises(Broken):
        failing.throw(Broken("no"))
    given_up = limit.send(REQUEST)
    next(given_up)
    given_up.close()
    assert next(limit.send(REQUEST)) is REQUEST


def test_those_who_come_together_are_spread_over_the_second():
    limit = Limit(at_once=0, per_second=4)
    steps = [next(limit.send(REQUEST)) for _ in range(5)]
    assert steps[0] is REQUEST
    pauses = [step.seconds for step in steps[1:] if isinstance(step, Pause)]
    assert pauses == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=0.05)


def test_zero_is_no_limit():
    limit = Limit(at_once=0, per_second=0)
    assert [next(limit.send(REQUEST)) for _ in range(50)] == [REQUEST] * 50


def test_all_hooks_with_a_connection_share_its_limit(keyed: Callable[..., ToyHook]):
    limits = [Limit.of(keyed(max_requests_at_once=3).settings) for _ in range(2)]
    assert limits[0] is limits[1]
    assert Limit.of(keyed(max_requests_at_once=4).settings) is not limits[0]


@pytest.mark.parametrize("in_worker", [True, False], ids=["threads of a worker", "triggerer"])
def test_a_product_is_never_asked_for_more_at_once(keyed: Callable[..., ToyHook], toy: Toy, served: Served, in_worker):
    hook = keyed(max_requests_at_once=2)
    served.fail("slow", seconds=0.3, path="/whoami", times=6)
    began = time.monotonic()
    if in_worker:
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda _: hook.bricks("bo"), range(6)))
    else:
        asyncio.run(six_at_once(hook))
    assert 0.85 < time.monotonic() - began < 2.5
    assert toy.times("GET", "/whoami") == 6


async def six_at_once(hook: ToyHook) -> None:
    async with hook.asking() as ask:
        await asyncio.gather(*(ask(bricks("bo")) for _ in range(6)))


def test_a_wait_for_ones_turn_is_no_part_of_the_retry_budget(keyed: Callable[..., ToyHook], served: Served):
    hook = keyed(max_requests_per_second=2, retry_budget=0)
    began = time.monotonic()
    for _ in range(3):
        hook.bricks("bo")
    assert time.monotonic() - began >= 0.9
