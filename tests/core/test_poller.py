"""One poller for all who wait in a triggerer with one connection for one kind of thing."""

from __future__ import annotations

import asyncio
import time

import pytest

from self_hosted.core import poller
from self_hosted.core.errors import LoginRefused, Overdue
from self_hosted.core.poller import Poller
from self_hosted.core.wait import Waiter
from tests.core.toy import JOB, Toy, ToyHook
from tests.core.waits import SMALL_PATH, jobs, later, waiting, waiting_as


async def test_two_hundred_who_wait_share_a_handful_of_requests(hook: ToyHook, toy: Toy):
    jobs(toy, **{f"job{number}": 2 for number in range(200)})
    seen = await asyncio.gather(*(waiting(f"job{number}") for number in range(200)))
    assert [one.facts["id"] for one in seen if one] == [f"job{number}" for number in range(200)]
    assert toy.times("GET", "/jobs") <= 3 * 200 / JOB.chunk
    assert toy.times("POST", "/login") == 1
    assert Poller.running == {}


async def test_each_is_woken_when_its_own_is_done(hook: ToyHook, toy: Toy):
    jobs(toy, quick=0, slow=10_000)
    slow = waiting("slow")
    assert (await waiting("quick")).done
    assert not slow.done()
    slow.cancel()


async def test_who_joins_late_gets_its_first_look_early(hook: ToyHook, toy: Toy):
    jobs(toy, slow=10_000, quick=0)
    first = Waiter("slow", later(), 60)
    first.pause = 60  # it waits for long already, and is looked at rarely
    slow = waiting_as(first)
    while first.seen is None:
        await asyncio.sleep(0.01)
    began = time.monotonic()
    assert (await waiting_as(Waiter("quick", later(), 60))).done
    assert time.monotonic() - began < 2
    slow.cancel()


async def test_those_who_come_one_by_one_do_not_make_all_the_others_be_asked_for_again(hook: ToyHook, toy: Toy):
    jobs(toy, **{f"job{number}": 10_000 for number in range(60)})
    tasks = []
    for number in range(60):
        waiter = Waiter(f"job{number}", later(), 60)
        tasks.append(waiting_as(waiter, SMALL_PATH))
        await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    assert toy.times("GET", "/jobs") <= 90


async def test_one_who_leaves_disturbs_no_other(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000, b=5)
    leaving, staying = waiting("a"), waiting("b")
    await asyncio.sleep(0.1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await staying).done


async def test_when_the_last_one_leaves_the_poller_ends(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    alone = waiting("a")
    await asyncio.sleep(0.2)
    [poller] = Poller.running.values()
    alone.cancel()
    await asyncio.wait_for(poller.task, 5)
    assert Poller.running == {}
    before = toy.times("GET", "/jobs")
    await asyncio.sleep(0.2)
    assert toy.times("GET", "/jobs") == before


async def test_two_questions_or_two_connections_have_pollers_of_their_own(hook: ToyHook, toy: Toy, connect, served):
    connect("toy_other", served.connection())
    jobs(toy, a=2, b=2)
    other = waiting("b", conn_id="toy_other")
    small = waiting("a", question=SMALL_PATH)
    one = waiting("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(Poller.running) == 3
    assert all(await asyncio.gather(other, small, one))


async def test_a_question_that_fails_fails_all_and_the_next_one_gets_a_fresh_poller(hook: ToyHook, toy: Toy, served):
    jobs(toy, a=2, b=2, c=0)
    served.fail("status", status=403, path="/jobs", times=3)
    failed = await asyncio.gather(waiting("a"), waiting("b"), return_exceptions=True)
    assert [str(error) for error in failed] == ["GET /jobs: refused without a reason (HTTP 403)"] * 2
    assert (await waiting("c")).done
    assert Poller.running == {}


async def test_a_connection_that_is_missing_fails_all(hook: ToyHook, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    failed = await asyncio.gather(waiting("a"), waiting("b"), return_exceptions=True)
    assert all("toy_default" in str(error) for error in failed)
    assert Poller.running == {}


async def test_a_question_that_does_not_exist_fails_too(hook: ToyHook):
    with pytest.raises(AttributeError):
        await waiting("a", question="tests.core.toy.NO_QUESTION")


async def test_one_who_is_overdue_is_told_what_was_seen_last(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    with pytest.raises(Overdue, match="its last seen state is 'running'"):
        await waiting("a", later(0.3))


async def test_a_deadline_holds_also_while_the_product_does_not_answer(hook: ToyHook, toy: Toy, served, monkeypatch):
    monkeypatch.setattr(poller, "GRACE", 0.1)
    jobs(toy, a=0)
    served.fail("slow", seconds=3, path="/jobs")
    began = time.monotonic()
    with pytest.raises(Overdue, match="it was never seen"):
        await waiting("a", later(0.3))
    assert time.monotonic() - began < 1.5


async def test_pauses_of_retries_are_kept_whoever_joins(hook: ToyHook, toy: Toy, served):
    jobs(toy, a=0, b=0)
    served.fail("status", headers={"Retry-After": "1"}, path="/jobs")
    began = time.monotonic()
    first = waiting("a")
    await asyncio.sleep(0.3)
    second = waiting("b")
    assert all(await asyncio.gather(first, second))
    assert time.monotonic() - began >= 1


async def test_a_login_that_is_refused_reaches_all_who_wait(toy: Toy, served, connect):
    connect("toy_default", served.connection(password="wrong"))
    failed = await asyncio.gather(waiting("a"), waiting("b"), return_exceptions=True)
    assert [type(error) for error in failed] == [LoginRefused] * 2
    assert toy.times("POST", "/login") == 1
