"""The one wait: loop by hand, one poller for many, triggers and their events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from self_hosted.core.errors import Broken, Final, LoginRefused, Overdue, ProductError
from self_hosted.core.flow import Pause, Reply, Request
from self_hosted.core.trigger import GATHERING, SETTLING, Poller, WaitTrigger, seen_in
from self_hosted.core.wait import Seen, Waiter, imported, overdue, poll, wait
from tests.core.toy import API_KEY, JOB, PASSWORD, SMALL, Toy, ToyHook

JOB_PATH, SMALL_PATH = "tests.core.toy.JOB", "tests.core.toy.SMALL"
SOON = 0.05  # seconds between two looks in these tests


def later(seconds: float = 30) -> float:
    return time.time() + seconds


def jobs(toy: Toy, **looks: int) -> None:
    """Jobs by name, with the number of looks before they are done."""
    toy.seed({"jobs": {name: {"looks": count} for name, count in looks.items()}})


def waiting(key: str, deadline: float | None = None, question: str = JOB_PATH) -> asyncio.Task[Seen | None]:
    waiter = Waiter(key, deadline or later(), SOON)
    return asyncio.ensure_future(Poller.wait(question, "toy_default", waiter))


def trigger(key: str = "a", **changes: Any) -> WaitTrigger:
    given = {"question": JOB_PATH, "conn_id": "toy_default", "key": key, "deadline": later(), "poll_interval": SOON}
    return WaitTrigger(**{**given, **changes})


async def event_of(waiting: WaitTrigger) -> dict[str, Any]:
    events = [event async for event in waiting.run()]
    assert len(events) == 1
    assert isinstance(events[0], TriggerEvent)
    return dict(events[0].payload)


# the loop, by hand


def asked_ids(step: Any) -> Sequence[str]:
    assert isinstance(step, Request)
    return list(step.query["id"])


def states(**known: str) -> Reply:
    return Reply(200, {}, json.dumps(known).encode(), Request("GET", "/jobs"))


def test_the_loop_asks_for_all_pauses_and_asks_for_those_who_are_left():
    a, b = Waiter("a", later(), 0), Waiter("b", later(), 0)
    flow = poll(JOB, {a, b})
    assert asked_ids(next(flow)) == ["a", "b"]
    pause = flow.send(states(a="done", b="running"))
    assert isinstance(pause, Pause)
    assert pause.may_end_early
    assert a.seen == Seen("done", done=True, facts={"id": "a"})
    assert asked_ids(flow.send(states())) == ["b"]
    with pytest.raises(StopIteration):
        flow.send(states(b="failed"))
    assert b.seen is not None
    assert b.seen.state == "failed"


def test_two_who_wait_for_the_same_are_asked_for_once():
    pair = {Waiter("a", later(), 30), Waiter("a", later(), 30)}
    flow = poll(JOB, pair)
    assert asked_ids(next(flow)) == ["a"]
    with pytest.raises(StopIteration):
        flow.send(states(a="done"))


def test_many_ids_are_asked_for_in_chunks():
    flow = poll(SMALL, {Waiter(key, later(), 30) for key in "abcde"})
    assert asked_ids(next(flow)) == ["a", "b"]
    assert asked_ids(flow.send(states(a="done", b="done"))) == ["c", "d"]
    assert asked_ids(flow.send(states(c="done", d="done"))) == ["e"]


def test_what_was_seen_once_is_not_forgotten_when_an_answer_leaves_it_out():
    waiter = Waiter("a", later(), 0)
    flow = poll(JOB, {waiter})
    next(flow)
    flow.send(states(a="running"))
    flow.send(states())
    flow.send(states())
    assert waiter.seen == Seen("running", done=False, facts={"id": "a"})


def test_who_is_overdue_leaves_with_what_was_seen_last():
    waiter = Waiter("a", later(-1), 30)
    flow = poll(JOB, {waiter})
    next(flow)
    with pytest.raises(StopIteration):
        flow.send(states(a="running"))
    assert waiter.seen is not None
    assert not waiter.finished


def planned(waiter: Waiter) -> float:
    waiter.plan()
    return waiter.due - time.time()


def test_looks_become_rarer_up_to_the_interval_and_vary():
    waiter = Waiter("a", later(1000), 5)
    pauses = [planned(waiter) for _ in range(8)]
    assert 0.79 <= pauses[0] <= 1.0
    assert 1.19 <= pauses[1] <= 1.5
    assert all(3.9 <= pause <= 5 for pause in pauses[5:])
    assert len(set(pauses)) == len(pauses)


def test_the_second_look_is_not_later_than_the_interval():
    assert planned(Waiter("a", later(), 0.01)) <= 0.01


def test_a_look_is_never_planned_past_the_deadline():
    assert planned(Waiter("a", later(0.2), 30)) <= 0.2
    assert planned(Waiter("a", later(-5), 30)) <= 0


def test_who_was_looked_at_just_now_is_left_alone_when_another_one_joins():
    waiters = {Waiter("a", later(), 30)}
    flow = poll(JOB, waiters)
    assert asked_ids(next(flow)) == ["a"]
    flow.send(states(a="running"))
    waiters.add(Waiter("b", later(), 30))
    assert asked_ids(flow.send(states())) == ["b"]


def test_who_is_half_way_to_its_next_look_comes_along(monkeypatch):
    waiters = {Waiter("a", later(), 30)}
    flow = poll(JOB, waiters)
    next(flow)
    flow.send(states(a="running"))
    waiters.add(Waiter("b", later(), 30))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 0.6)
    assert asked_ids(flow.send(states())) == ["a", "b"]


def test_a_thousand_tasks_that_begin_within_a_minute_cost_a_handful_of_requests_a_round(monkeypatch):
    """Ten minutes on a clock of the test's own; nobody is looked at less often than its interval says."""
    clock, requests = [0.0], 0
    monkeypatch.setattr(time, "time", lambda: clock[0])
    waiters = {Waiter("first", 10_000, 30)}
    joining = [(0.06 * number, Waiter(f"job{number}", 10_000, 30)) for number in range(1000)]
    looked: dict[str, float] = {}
    flow = poll(JOB, waiters)
    step = next(flow)
    while clock[0] < 600:
        if isinstance(step, Request):
            requests += 1
            for key in asked_ids(step):
                assert clock[0] - looked.get(key, clock[0]) <= 30
                looked[key] = clock[0]
            step = flow.send(states())
        else:
            assert isinstance(step, Pause)
            wakes = joining[0][0] + GATHERING if joining else 10_000
            clock[0] = max(clock[0], min(clock[0] + step.seconds, wakes))
            while joining and joining[0][0] <= clock[0]:
                waiters.add(joining.pop(0)[1])
            step = flow.send(states())
    assert len(looked) == 1001
    assert requests < 1000


def test_a_first_look_may_be_put_off_but_not_past_interval_and_deadline():
    pause = next(poll(JOB, {Waiter("a", later(1000), 30, first_look=6)}))
    assert isinstance(pause, Pause)
    assert 5 < pause.seconds <= 6
    assert Waiter("a", later(1000), 0.05, first_look=6).due <= later(0.05)
    assert Waiter("a", later(2), 30, first_look=6).due <= later(2)


def test_a_deferred_wait_is_never_over_before_airflow_knows_that_it_began():
    assert SETTLING > 5


def test_nobody_waiting_is_nothing_to_ask():
    assert list(poll(JOB, set())) == []


# in a worker


def test_a_worker_waits_until_it_is_done(hook: ToyHook, toy: Toy):
    jobs(toy, a=3)
    seen = wait(hook, JOB, "a", deadline=later(), poll_interval=SOON)
    assert seen == Seen("done", done=True, facts={"id": "a"})
    assert toy.times("GET", "/jobs") == 4


def test_what_was_finished_before_the_wait_is_seen_at_once(hook: ToyHook, toy: Toy):
    jobs(toy, a=0)
    began = time.monotonic()
    assert wait(hook, JOB, "a", deadline=later(), poll_interval=30) is not None
    assert time.monotonic() - began < 1
    assert toy.times("GET", "/jobs") == 1


def test_a_worker_gives_up_at_the_deadline_with_what_it_saw(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    began = time.monotonic()
    seen = wait(hook, JOB, "a", deadline=later(0.5), poll_interval=0.1)
    assert seen == Seen("running", done=False, facts={"id": "a"})
    assert time.monotonic() - began < 2


def test_what_was_never_seen_is_nothing(hook: ToyHook):
    assert wait(hook, JOB, "unknown", deadline=later(0.2), poll_interval=0.1) is None


def test_the_error_of_a_wait_in_vain_says_what_was_seen_last():
    assert str(overdue(JOB, "a", Seen("running", done=False))) == (
        "waited in vain for job a: its last seen state is 'running'"
    )
    assert str(overdue(JOB, "a", None)) == "waited in vain for job a: it was never seen"
    assert isinstance(overdue(JOB, "a", None), Overdue)


# one poller for many


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
    assert await waiting("quick") is not None
    assert not slow.done()
    slow.cancel()


async def test_who_joins_late_gets_its_first_look_early(hook: ToyHook, toy: Toy):
    jobs(toy, slow=10_000, quick=0)
    first = Waiter("slow", later(), 60)
    first.pause = 60  # it waits for long already, and is looked at rarely
    slow = asyncio.ensure_future(Poller.wait(JOB_PATH, "toy_default", first))
    while first.seen is None:
        await asyncio.sleep(0.01)
    began = time.monotonic()
    assert await Poller.wait(JOB_PATH, "toy_default", Waiter("quick", later(), 60)) is not None
    assert time.monotonic() - began < 2
    slow.cancel()


async def test_those_who_come_one_by_one_do_not_make_all_the_others_be_asked_for_again(hook: ToyHook, toy: Toy):
    jobs(toy, **{f"job{number}": 10_000 for number in range(60)})
    tasks = []
    for number in range(60):
        waiter = Waiter(f"job{number}", later(), 60)
        tasks.append(asyncio.ensure_future(Poller.wait(SMALL_PATH, "toy_default", waiter)))
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
    seen = await staying
    assert seen is not None
    assert seen.done


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
    other = asyncio.ensure_future(Poller.wait(JOB_PATH, "toy_other", Waiter("b", later(), SOON)))
    small = waiting("a", question=SMALL_PATH)
    one = waiting("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(Poller.running) == 3
    assert all(await asyncio.gather(other, small, one))


async def test_a_question_that_fails_fails_all_and_the_next_one_gets_a_fresh_poller(hook: ToyHook, toy: Toy, served):
    jobs(toy, a=2, b=2, c=0)
    served.fail("status", status=403, path="/jobs")
    failed = await asyncio.gather(waiting("a"), waiting("b"), return_exceptions=True)
    assert [str(error) for error in failed] == ["GET /jobs: refused without a reason (HTTP 403)"] * 2
    assert await waiting("c") is not None
    assert Poller.running == {}


async def test_a_connection_that_is_missing_fails_all(hook: ToyHook, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    failed = await asyncio.gather(waiting("a"), waiting("b"), return_exceptions=True)
    assert all("toy_default" in str(error) for error in failed)
    assert Poller.running == {}


async def test_a_question_that_does_not_exist_fails_too(hook: ToyHook):
    with pytest.raises(AttributeError):
        await waiting("a", question="tests.core.toy.NO_QUESTION")


async def test_one_who_is_overdue_gets_what_was_seen_last(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    assert await waiting("a", later(0.3)) == Seen("running", done=False, facts={"id": "a"})


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


# triggers


def test_a_trigger_survives_the_metadata_database_and_holds_no_secret(served, connect):
    connect("toy_default", served.connection(extra={"api_key": API_KEY}))
    stored = json.loads(json.dumps(trigger("a", cancel_on_kill=True).serialize()))
    assert not any(secret in json.dumps(stored) for secret in (API_KEY, PASSWORD))
    path, arguments = stored
    restored = imported(path)(**arguments)
    assert restored.serialize() == (path, arguments)


async def test_the_event_tells_what_was_seen(hook: ToyHook, toy: Toy):
    jobs(toy, a=2)
    event = await event_of(trigger())
    assert event == {"seen": {"state": "done", "done": True, "facts": {"id": "a"}}, "started": None}
    assert seen_in(json.loads(json.dumps(event))) == Seen("done", done=True, facts={"id": "a"})


async def test_the_event_of_a_wait_in_vain_tells_what_was_seen_last(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    event = await event_of(trigger(deadline=later(0.2)))
    assert event["seen"]["done"] is False
    assert await event_of(trigger("unknown", deadline=later(0.2))) == {"seen": None, "started": None}
    assert seen_in({"seen": None}) is None


async def test_the_deadline_is_absolute_so_that_a_restarted_triggerer_does_not_wait_anew(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    _, arguments = trigger(deadline=later(1)).serialize()
    await asyncio.sleep(1)
    began = time.monotonic()
    await event_of(WaitTrigger(**arguments))
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize(("status", "final"), [(403, True), (500, False)])
async def test_the_event_of_an_error_tells_whether_trying_again_may_help(hook: ToyHook, served, status, final):
    served.fail("status", status=status, path="/jobs")
    event = await event_of(trigger())
    assert event == {"error": f"GET /jobs: refused without a reason (HTTP {status})", "final": final, "started": None}
    with pytest.raises(Final if final else ProductError, match=f"HTTP {status}") as error:
        seen_in(event)
    assert isinstance(error.value, Final) is final


async def test_a_bad_connection_is_final(served, connect):
    connect("toy_default", served.connection(login=None))
    event = await event_of(trigger())
    assert event["final"] is True
    assert "the connection needs an API key" in event["error"]


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}])
def test_an_event_that_is_missing_or_unknown_is_a_failure(event):
    with pytest.raises(Broken, match="an event that nobody knows"):
        seen_in(event)


async def test_a_person_who_ends_the_task_ends_the_remote_work(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    await trigger(cancel_on_kill=True).on_kill()
    assert toy.jobs["a"]["state"] == "cancelled"


@pytest.mark.parametrize("changes", [{"cancel_on_kill": False}, {"question": "tests.core.toy.STUBBORN"}])
async def test_the_remote_work_goes_on_when_it_shall_or_cannot_be_cancelled(hook: ToyHook, toy: Toy, changes):
    jobs(toy, a=10_000)
    await trigger(**{"cancel_on_kill": True, **changes}).on_kill()
    assert toy.jobs["a"]["state"] == "done"
    assert toy.asked == []


async def test_a_triggerer_that_stops_does_not_end_the_remote_work(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    stopping = trigger(cancel_on_kill=True)
    running = asyncio.ensure_future(event_of(stopping))
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await stopping.cleanup()
    assert toy.jobs["a"]["state"] == "done"
    assert toy.times("POST", "/jobs/a/cancel") == 0
