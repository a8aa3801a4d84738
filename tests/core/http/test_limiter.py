"""Limits on concurrent requests and on requests per second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Pause, Reply, Request
from self_hosted.core.http.limiter import RequestLimiter
from tests.conftest import Served
from tests.core.toy import Toy, ToyHook, count_bricks

REQUEST = Request("GET", "/")
REPLY = Reply(200, {}, b"", REQUEST)


def test_a_request_waits_for_a_free_place():
    limiter = RequestLimiter(max_concurrency=1, max_per_second=0)
    first, second = limiter.send(REQUEST), limiter.send(REQUEST)
    assert next(first) is REQUEST
    assert isinstance(next(second), Pause)
    assert isinstance(second.send(REPLY), Pause)
    with pytest.raises(StopIteration) as end:
        first.send(REPLY)
    assert end.value.value is REPLY
    assert second.send(REPLY) is REQUEST


def test_requests_are_first_in_first_out_and_closed_flows_leave_the_queue():
    limiter = RequestLimiter(max_concurrency=1, max_per_second=0)
    first, second, third, fourth = (limiter.send(REQUEST) for _ in range(4))
    next(first)
    assert all(isinstance(next(flow), Pause) for flow in (second, third, fourth))
    with pytest.raises(StopIteration):
        first.send(REPLY)
    assert isinstance(third.send(REPLY), Pause), "the second is first in the queue"
    second.close()
    assert third.send(REPLY) is REQUEST
    assert isinstance(fourth.send(REPLY), Pause)


def test_pauses_grow_with_the_position_in_the_queue():
    limiter = RequestLimiter(max_concurrency=2, max_per_second=0)
    steps = [next(limit_flow) for limit_flow in [limiter.send(REQUEST) for _ in range(202)]]
    pauses = [step.seconds for step in steps if isinstance(step, Pause)]
    assert len(pauses) == 200
    assert pauses[0] == pytest.approx(0.05)
    assert pauses[-1] == pytest.approx(0.5, rel=0.05)


def test_errors_and_closed_flows_free_their_place():
    limiter = RequestLimiter(max_concurrency=1, max_per_second=0)
    failing = limiter.send(REQUEST)
    next(failing)
    with pytest.raises(ServerError):
        failing.throw(ServerError("no"))
    closed = limiter.send(REQUEST)
    next(closed)
    closed.close()
    assert next(limiter.send(REQUEST)) is REQUEST


def test_simultaneous_requests_are_spread_over_the_second(monkeypatch: pytest.MonkeyPatch):
    limiter = RequestLimiter(max_concurrency=0, max_per_second=4)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    steps = [next(limiter.send(REQUEST)) for _ in range(5)]
    assert steps[0] is REQUEST
    pauses = [step.seconds for step in steps[1:] if isinstance(step, Pause)]
    assert pauses == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_zero_means_no_limit():
    limiter = RequestLimiter(max_concurrency=0, max_per_second=0)
    assert [next(limiter.send(REQUEST)) for _ in range(50)] == [REQUEST] * 50


@pytest.mark.parametrize("in_worker", [True, False], ids=["threads of a worker", "triggerer"])
def test_concurrent_requests_stay_within_the_limit(
    make_hook: Callable[..., ToyHook], toy: Toy, served: Served, in_worker
):
    hook = make_hook(max_concurrent_requests=2)
    served.fail("slow", seconds=0.3, path="/whoami", times=6)
    start = time.monotonic()
    if in_worker:
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda _: hook.count_bricks("bo"), range(6)))
    else:
        asyncio.run(count_six_times(hook))
    assert time.monotonic() - start > 0.85  # three rounds of two requests, 0.3 seconds each
    assert toy.count_requests("GET", "/whoami") == 6


async def count_six_times(hook: ToyHook) -> None:
    async with hook.async_client() as client:
        await asyncio.gather(*(client(count_bricks("bo")) for _ in range(6)))


def test_waiting_in_the_queue_does_not_count_as_retry_time(make_hook: Callable[..., ToyHook], served: Served):
    hook = make_hook(max_requests_per_second=2, retry_timeout=0)
    start = time.monotonic()
    for _ in range(3):
        hook.count_bricks("bo")
    assert time.monotonic() - start >= 0.9
