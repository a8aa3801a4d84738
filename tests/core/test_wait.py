"""The one wait: the loop by hand, and in a worker."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import pytest

from self_hosted.core import wait as wait_module
from self_hosted.core.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    LoginRefused,
    NotFound,
    Overdue,
    ProductError,
    QuotaSpent,
)
from self_hosted.core.flow import Flow, Pause, Reply, Request
from self_hosted.core.poller import GATHERING
from self_hosted.core.question import Question, Seen
from self_hosted.core.wait import OUTAGE, Waiter, poll, wait
from tests.conftest import AIRFLOWS_SETTLING
from tests.core.toy import JOB, SMALL, Toy, ToyHook, looked
from tests.core.waits import SOON, jobs, later

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


def test_who_is_done_goes_on_before_the_others_are_asked_for():
    waiters = {key: Waiter(key, later(), 30) for key in "abc"}
    together = set(waiters.values())
    flow = poll(SMALL, together)
    next(flow)
    assert asked_ids(flow.send(states(a="done", b="running"))) == ["c"]
    assert together == {waiters["b"], waiters["c"]}


def test_those_who_are_due_one_after_the_other_are_asked_for_together():
    waiters = {Waiter(f"{number}", later(), 30, first_look=1 + number / 100) for number in range(50)}
    for waiter in waiters:
        waiter.due -= 1  # a second later the first is due, and the others within half a second
    pause = next(poll(JOB, waiters))
    assert isinstance(pause, Pause)
    assert pause.seconds == pytest.approx(0.5)


def test_what_is_not_there_yet_is_waited_for_and_what_was_there_is_gone():
    waiter = Waiter("a", later(), 0)
    flow = poll(JOB, {waiter})
    next(flow)
    assert isinstance(flow.send(states()), Pause)
    flow.send(states())
    flow.send(states(a="running"))
    flow.send(states())
    with pytest.raises(StopIteration):
        flow.send(states())
    with pytest.raises(NotFound, match="job a is not there, or not any more"):
        waiter.outcome(JOB)


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


def test_a_first_look_may_be_put_off_but_not_past_the_deadline():
    pause = next(poll(JOB, {Waiter("a", later(1000), 1, first_look=6)}))
    assert isinstance(pause, Pause)
    assert 5 < pause.seconds <= 6
    assert Waiter("a", later(2), 30, first_look=6).due <= later(2)


def test_a_deferred_wait_is_never_over_before_airflow_knows_that_it_began():
    assert AIRFLOWS_SETTLING > 5


def test_the_error_of_a_wait_in_vain_says_for_what_how_long_and_what_was_seen_last():
    waiter = Waiter("a", later(-1), 30, since=later(-3700))
    assert waiter.told(JOB) == "for job a, for 1:01:40 hours: it was never seen"
    waiter.note(Seen("running", done=False, progress=40))
    assert waiter.told(JOB) == "for job a, for 1:01:40 hours: its last seen state is 'running' at 40 %"


def test_the_next_look_is_timed_by_the_progress_that_is_told(monkeypatch):
    waiter, now = Waiter("a", later(10_000), 600), time.time()
    waiter.pause = 500
    waiter.note(Seen("running", done=False, progress=10))
    assert 400 <= planned(waiter) <= 500  # one look tells no pace
    monkeypatch.setattr(time, "time", lambda: now + 100)
    waiter.note(Seen("running", done=False, progress=60))
    assert 64 <= planned(waiter) <= 81  # 40 percent at half a percent a second
    waiter.note(Seen("running", done=False, progress=100))
    assert 0.79 <= planned(waiter) <= 1.01


def failing(error: ProductError, spoiled: str = "") -> Question:
    """The toy's question, which fails when it is asked for the spoiled one, or always."""

    def ask(ids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
        if spoiled in ids or not spoiled:
            raise error
        return (yield from looked(ids))

    return JOB._replace(ask=ask)


def test_an_error_that_is_about_one_ends_the_wait_of_that_one_only():
    waiters = {key: Waiter(key, later(), 30) for key in "abcde"}
    flow = poll(failing(Conflict("not this one"), spoiled="d"), set(waiters.values()))
    assert asked_ids(next(flow)) == ["a", "b", "c"]
    assert asked_ids(flow.send(states(a="done", b="done", c="done"))) == ["e"]
    with pytest.raises(StopIteration):
        flow.send(states(e="done"))
    with pytest.raises(Conflict, match="not this one"):
        waiters["d"].outcome(JOB)
    assert all(waiters[key].outcome(JOB).done for key in "abce")


def test_an_error_that_turns_out_to_be_about_all_is_not_asked_for_one_by_one():
    asked: list[Sequence[str]] = []

    def ask(ids: Sequence[str]) -> Flow[Mapping[str, Seen]]:
        asked.append(ids)
        yield Pause(0)
        raise Forbidden("no right")

    flow = poll(JOB._replace(ask=ask, chunk=1000), {Waiter(f"{number}", later(), 30) for number in range(1000)})
    with pytest.raises(Forbidden, match="no right"):
        list(flow)
    assert len(asked) < 50


@pytest.mark.parametrize("error", [LoginRefused("no"), QuotaSpent("no more today")])
def test_an_error_that_is_about_all_is_not_asked_for_again_one_by_one(error):
    flow = poll(failing(error), {Waiter("a", later(), 30), Waiter("b", later(), 30)})
    with pytest.raises(type(error)):
        next(flow)


def outlasted(flow: Generator[Any, Any, Any], clock: list[float]) -> float:
    """How long a flow goes on pausing, on a clock of the test's own."""
    began = clock[0]
    with contextlib.suppress(ProductError):
        for step in flow:
            assert isinstance(step, Pause)
            clock[0] += step.seconds
    return clock[0] - began


@pytest.mark.parametrize("error", [Busy("later"), Broken("perhaps later")])
def test_a_question_that_fails_is_asked_again_with_backoff_within_a_budget(monkeypatch, error):
    clock = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    lasted = outlasted(poll(failing(error), {Waiter("a", later(10_000), 30)}), clock)
    assert OUTAGE / 2 < lasted <= OUTAGE


def test_a_deadline_holds_though_the_product_does_not_answer_and_the_error_says_so(hook: ToyHook, served):
    served.fail("status", status=500, path="/jobs", times=99)
    began = time.monotonic()
    with pytest.raises(Overdue, match=r"it was never seen; when it was looked at last: GET /jobs: .* \(HTTP 500\)"):
        wait(hook, JOB, Waiter("a", later(1), SOON))
    assert time.monotonic() - began < 5


def stalling(reasons: Mapping[str, str]) -> tuple[Question, list[Sequence[str]]]:
    asked: list[Sequence[str]] = []

    def stalled(ids: Sequence[str]) -> Flow[Mapping[str, str]]:
        asked.append(ids)
        yield Pause(0)
        return reasons

    return JOB._replace(stalled=stalled, patience=300), asked


def test_when_nothing_new_is_seen_for_long_the_product_is_asked_why_once_for_all(monkeypatch):
    question, asked = stalling({"a": "nobody serves the queue"})
    waiters, now = {key: Waiter(key, later(10_000), 30) for key in "abc"}, time.time()
    flow = poll(question, set(waiters.values()))
    next(flow)
    flow.send(states(a="queued", b="queued", c="queued"))
    assert asked == []
    monkeypatch.setattr(time, "time", lambda: now + 301)
    assert asked_ids(flow.send(states())) == ["a", "b", "c"]
    flow.send(states(a="queued", b="queued", c="running"))
    assert asked == [["a", "b"]]
    assert isinstance(flow.send(states()), Pause)
    with pytest.raises(
        Overdue, match=r"^nobody serves the queue: gave up waiting for job a, for 0:05:01 hours: its last"
    ):
        waiters["a"].outcome(question)
    flow.send(states())
    flow.send(states(b="queued", c="running"))
    assert asked == [["a", "b"]], "it was asked a moment ago"


def test_who_cannot_be_asked_why_is_waited_for(monkeypatch):
    def stalled(ids: Sequence[str]) -> Flow[Mapping[str, str]]:
        yield Pause(0)
        raise Forbidden("not for you")

    waiter, now = Waiter("a", later(10_000), 30), time.time()
    flow = poll(JOB._replace(stalled=stalled, patience=300), {waiter})
    next(flow)
    flow.send(states(a="queued"))
    monkeypatch.setattr(time, "time", lambda: now + 301)
    flow.send(states())
    assert flow.send(states(a="queued")) == Pause(0)
    assert isinstance(flow.send(states()), Pause)
    assert waiter.error is None


def test_a_question_that_cannot_say_why_lets_its_waits_go_on(monkeypatch):
    waiter, now = Waiter("a", later(10_000), 30), time.time()
    flow = poll(JOB, {waiter})
    monkeypatch.setattr(time, "time", lambda: now + 5000)
    next(flow)
    assert isinstance(flow.send(states(a="queued")), Pause)


def test_nobody_waiting_is_nothing_to_ask():
    assert list(poll(JOB, set())) == []


# in a worker


def test_a_worker_waits_until_it_is_done(hook: ToyHook, toy: Toy):
    jobs(toy, a=3)
    seen = wait(hook, JOB, Waiter("a", later(), SOON))
    assert seen == Seen("done", done=True, facts={"id": "a"})
    assert toy.times("GET", "/jobs") == 4


def test_what_was_finished_before_the_wait_is_seen_at_once(hook: ToyHook, toy: Toy):
    jobs(toy, a=0)
    began = time.monotonic()
    assert wait(hook, JOB, Waiter("a", later(), 30)).done
    assert time.monotonic() - began < 1
    assert toy.times("GET", "/jobs") == 1


def test_a_worker_gives_up_at_the_deadline_with_what_it_saw(hook: ToyHook, toy: Toy):
    jobs(toy, a=10_000)
    began = time.monotonic()
    with pytest.raises(Overdue, match="its last seen state is 'running'"):
        wait(hook, JOB, Waiter("a", later(0.5), 0.1))
    assert time.monotonic() - began < 2


def test_what_was_never_seen_is_told_as_such(hook: ToyHook):
    with pytest.raises(Overdue, match="waited in vain for job unknown, for 0:00:00 hours: it was never seen"):
        wait(hook, JOB, Waiter("unknown", later(0.2), 0.1))


def test_a_worker_waits_through_an_outage(hook: ToyHook, toy: Toy, served):
    jobs(toy, a=0)
    served.fail("status", status=500, path="/jobs", times=2)
    assert wait(hook, JOB, Waiter("a", later(), SOON)).state == "done"


def test_and_gives_up_when_it_lasts(hook: ToyHook, toy: Toy, served, monkeypatch):
    monkeypatch.setattr(wait_module, "OUTAGE", 0)
    served.fail("status", status=500, path="/jobs", times=2)
    with pytest.raises(Broken, match="HTTP 500"):
        wait(hook, JOB, Waiter("a", later(), SOON))
