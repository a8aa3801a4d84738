"""Concurrent flows: at the same time in a trigger, one after the other in a worker."""

from __future__ import annotations

import asyncio
import json

import pytest

from self_hosted.core.http.errors import NotFoundError, UnavailableError
from self_hosted.core.http.flow import (
    Concurrently,
    Flow,
    FlowStep,
    Reply,
    Request,
    arun,
    pipeline,
    run,
)


def fetch(path: str, log: list[str]) -> Flow[None]:
    """Send two requests, and log what happens."""
    try:
        for number in (1, 2):
            reply = yield Request("GET", f"{path}{number}")
            log.append(reply.request.path)
    finally:
        log.append(f"{path} closed")


def fetch_both(log: list[str]) -> Flow[str]:
    """Run two flows; return the error of one of them, or that there was none."""
    try:
        yield Concurrently([fetch("/a", log), fetch("/b", log)])
    except NotFoundError as error:
        return error.message
    return "no error"


def answer(step: FlowStep) -> Reply:
    assert isinstance(step, Request)
    return Reply(200, {}, b"", step)


def test_a_worker_runs_them_one_after_the_other():
    log: list[str] = []
    assert run(fetch_both(log), answer) == "no error"
    assert log == ["/a1", "/a2", "/a closed", "/b1", "/b2", "/b closed"]


async def test_a_trigger_runs_them_at_the_same_time():
    both = asyncio.Barrier(2)

    async def answer_together(step: FlowStep) -> Reply:
        await both.wait()  # returns once two requests are in flight
        return answer(step)

    log: list[str] = []
    async with asyncio.timeout(60):
        assert await arun(fetch_both(log), answer_together) == "no error"
    assert sorted(log) == ["/a closed", "/a1", "/a2", "/b closed", "/b1", "/b2"]


def reject_first(step: FlowStep) -> Reply:
    assert isinstance(step, Request)
    if step.path == "/a1":
        raise NotFoundError("gone")
    return answer(step)


def test_the_first_error_ends_the_others_in_a_worker():
    log: list[str] = []
    assert run(fetch_both(log), reject_first) == "gone"
    assert log == ["/a closed"]


async def test_the_first_error_ends_the_others_in_a_trigger():
    async def reject_first_only(step: FlowStep) -> Reply:
        reply = reject_first(step)
        await asyncio.Event().wait()  # never ends by itself
        return reply

    log: list[str] = []
    async with asyncio.timeout(60):
        assert await arun(fetch_both(log), reject_first_only) == "gone"
    assert sorted(log) == ["/a closed", "/b closed"]


async def test_an_error_that_the_flow_does_not_catch_reaches_the_caller():
    async def fail(step: FlowStep) -> Reply:
        raise UnavailableError("not now")

    with pytest.raises(UnavailableError, match=r"^not now$"):
        await arun(fetch_both([]), fail)


async def test_cancelling_the_caller_cancels_all():
    in_flight = asyncio.Barrier(3)

    async def hang(step: FlowStep) -> Reply:
        await in_flight.wait()
        await asyncio.Event().wait()
        return answer(step)

    log: list[str] = []
    running = asyncio.ensure_future(arun(fetch_both(log), hang))
    async with asyncio.timeout(60):
        await in_flight.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert sorted(log) == ["/a closed", "/b closed"]


class Numbering:
    """Middleware that adds a header with the number of the request."""

    def __init__(self) -> None:
        self.count = 0

    def send(self, request: Request) -> Flow[Reply]:
        self.count += 1
        return (yield request.with_headers({"Number": str(self.count)}))


def test_middleware_is_around_each_of_their_requests():
    sent: list[str] = []

    def record(step: FlowStep) -> Reply:
        assert isinstance(step, Request)
        sent.append(f"{step.path} {json.dumps(dict(step.headers))}")
        return answer(step)

    assert run(pipeline(fetch_both([]), [Numbering()]), record) == "no error"
    assert sent == [
        '/a1 {"Number": "1"}',
        '/a2 {"Number": "2"}',
        '/b1 {"Number": "3"}',
        '/b2 {"Number": "4"}',
    ]
