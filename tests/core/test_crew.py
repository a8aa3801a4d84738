"""Many things started from one task: as many at once as may run, each once, and what goes wrong with one."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.core import crew as crew_module, wait as wait_module
from self_hosted.core.crew import MOST_IN_A_ROW, Crew
from self_hosted.core.errors import Broken, Invalid, LoginRefused, Overdue, ProductError, QuotaInUse
from self_hosted.core.flow import Pause, Reply, Request
from self_hosted.core.transport import retried
from tests.core.toy import JOB, Toy, ToyHook, started
from tests.core.waits import SOON, later


@pytest.fixture
def starting(hook: ToyHook) -> Callable[..., Callable[[], str]]:
    """``starting("a", looks=3)`` makes a start: a job that is done after so many looks."""

    def make(name: str, looks: int = 0) -> Callable[[], str]:
        return lambda: hook.run(started(name, looks, "done"))

    return make


def crew_of(hook: ToyHook, at_once: int = 5, **arguments: Any) -> Crew:
    return Crew(hook, at_once, **{"deadline": later(), "question": JOB, "poll_interval": SOON, **arguments})


def running(toy: Toy) -> int:
    return sum(job["looks"] >= 0 and job["state"] != "cancelled" for job in toy.jobs.values())


def told(error: ProductError) -> int:
    return int(error.words.rpartition(" ")[2])


def test_all_are_started_and_no_more_run_at_once_than_may(hook, toy, starting):
    most = []

    def start(name: str) -> Callable[[], str]:
        def one() -> str:
            job = starting(name, 1)()
            most.append(running(toy))
            return str(job)

        return one

    crew = crew_of(hook, at_once=3)
    crew.run({name: start(name) for name in "abcdefgh"})
    assert set(crew.keys) == set("abcdefgh")
    assert len(set(crew.keys.values())) == 8
    assert max(most) <= 3
    assert crew.errors == {}


def test_it_returns_once_all_are_started_and_leaves_the_last_to_the_operators_wait(hook, toy, starting):
    crew = crew_of(hook)
    crew.run({"a": starting("a", 10_000), "b": starting("b", 10_000)})
    assert running(toy) == 2
    assert [one.name for one in threading.enumerate() if "crew" in one.name] == []


def test_without_a_question_a_place_is_free_once_one_is_started(hook, toy, starting):
    crew = crew_of(hook, at_once=2, question=None)
    crew.run({name: starting(name, 10_000) for name in "abcdef"})
    assert running(toy) == 6
    assert toy.times("GET", "/jobs") == 0


def test_one_that_cannot_be_started_does_not_hold_up_the_others(hook, toy, starting):
    def unreadable() -> str:
        raise OSError("no such file")

    crew = crew_of(hook, at_once=1)
    crew.run({"a": starting("a"), "b": unreadable, "c": starting("c")})
    assert set(crew.keys) == {"a", "c"}
    assert isinstance(crew.errors["b"], OSError)


def test_where_the_product_refuses_more_it_waits_for_its_own_to_end_without_trying_much(hook, toy, starting):
    refused: list[str] = []
    gate = threading.Lock()

    def start(name: str) -> Callable[[], str]:
        def one() -> str:
            with gate:
                if running(toy) >= 2:
                    refused.append(name)
                    raise QuotaInUse("quota of 2")
                return str(starting(name, 2)())

        return one

    crew = crew_of(hook, at_once=5, told=told)
    crew.run({name: start(name) for name in "abcdefghij"})
    assert len(crew.keys) == 10
    assert crew.most == 2
    assert len(refused) <= 5


def test_places_that_others_hold_are_tried_for_now_and_then(hook, toy, starting, monkeypatch):
    monkeypatch.setattr(crew_module, "FIRST_PAUSE", 0.1)
    tries: list[float] = []

    def start() -> str:
        tries.append(time.monotonic())
        if len(tries) < 4:
            raise QuotaInUse("somebody else")
        return str(starting("a")())

    crew = crew_of(hook)
    crew.run({"a": start})
    assert set(crew.keys) == {"a"}
    pauses = [next_one - one for one, next_one in itertools.pairwise(tries)]
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2


@pytest.mark.parametrize("error", [LoginRefused("no"), Broken("failed")])
def test_what_concerns_all_is_not_tried_with_all(hook, toy, error):
    tries: list[str] = []

    def start(name: str) -> Callable[[], str]:
        def one() -> str:
            tries.append(name)
            raise error

        return one

    crew = crew_of(hook, at_once=1)
    crew.run({f"job {number}": start(f"job {number}") for number in range(100)})
    assert len(crew.errors) == 100
    assert len(tries) <= MOST_IN_A_ROW + 1


def test_what_is_wrong_with_each_is_told_of_each(hook, toy):
    def refused() -> str:
        raise Invalid("not this one")

    crew = crew_of(hook)
    crew.run({f"job {number}": refused for number in range(30)})
    assert {type(error) for error in crew.errors.values()} == {Invalid}
    assert len(crew.errors) == 30


def test_no_more_is_started_after_the_deadline(hook, toy, starting):
    crew = crew_of(hook, at_once=1, deadline=later(0.3))
    crew.run({"a": starting("a", 10_000), "b": starting("b")})
    assert set(crew.keys) == {"a"}
    assert isinstance(crew.errors["b"], Overdue)


def test_what_runs_already_holds_its_places(hook, toy, starting):
    first = starting("old", 3)()
    crew = crew_of(hook, at_once=1)
    most = []

    def start() -> str:
        most.append(running(toy))
        return str(starting("new")())

    crew.run({"new": start}, running={"old": first})
    assert most == [0]
    assert crew.keys["old"] == first


def test_told_to_stop_it_starts_no_more_and_tells_what_runs(hook, toy, starting):
    crew = crew_of(hook, at_once=2)
    work = threading.Thread(target=crew.run, args=({name: starting(name, 10_000) for name in "abcdef"},))
    work.start()
    while running(toy) < 2:
        time.sleep(0.01)
    keys = crew.stop()
    work.join(10)
    assert not work.is_alive()
    assert sorted(keys) == sorted(crew.keys.values())
    assert len(toy.jobs) == 2
    assert len(crew.errors) == 4


def test_what_was_just_being_started_is_known_when_it_stops(hook, toy, starting):
    entered, may_go_on = threading.Event(), threading.Event()

    def slow() -> str:
        entered.set()
        may_go_on.wait(5)
        return str(starting("a", 10_000)())

    crew = crew_of(hook)
    work = threading.Thread(target=crew.run, args=({"a": slow},))
    work.start()
    entered.wait(5)
    threading.Timer(0.2, may_go_on.set).start()
    keys = crew.stop()
    work.join(10)
    assert len(toy.jobs) == 1
    assert set(keys) | set(crew.keys.values()) == {"job/1"}


def test_the_first_look_is_timed_by_what_the_others_took(hook, toy, starting):
    crew = crew_of(hook, at_once=1)
    crew.took.extend([0.5, 0.6])
    crew.run({"a": starting("a"), "b": starting("b")})
    assert toy.times("GET", "/jobs") == 1


@pytest.mark.parametrize(("took", "least", "most"), [([0.0, 0.0], 4, 10), ([0.0, 60.0], 1, 2)], ids=["short", "long"])
def test_the_longer_the_others_took_the_rarer_are_the_looks(hook, toy, starting, took, least, most):
    crew = crew_of(hook, at_once=1, deadline=later(0.95), poll_interval=60)
    crew.took.extend(took)
    crew.run({"a": starting("a", 10_000), "b": starting("b")})
    assert least <= toy.times("GET", "/jobs") <= most


def test_one_that_takes_longer_than_the_others_did_is_looked_at_ever_more_rarely(hook, toy, starting, monkeypatch):
    looks: list[float] = []

    def noted(*given: Any) -> Any:
        looks.append(time.monotonic())
        return wait_module.look(*given)

    monkeypatch.setattr(crew_module, "look", noted)
    crew = crew_of(hook, at_once=1, deadline=later(1.6), poll_interval=60)
    crew.took.append(0.0)
    crew.run({"a": starting("a", 10_000), "b": starting("b")})
    pauses = [next_one - one for one, next_one in itertools.pairwise(looks)]
    assert pauses[-1] > 2 * pauses[0]


def test_a_question_that_fails_for_good_ends_it_and_leaves_no_thread(hook, toy, served, starting):
    served.fail("status", status=401, method="GET", path="/jobs", times=9)
    crew = crew_of(hook, at_once=1)
    with pytest.raises(LoginRefused):
        crew.run({name: starting(name, 5) for name in "abc"})
    assert len(toy.jobs) == 1
    assert [one.name for one in threading.enumerate() if "crew" in one.name] == []


@pytest.mark.parametrize(("in_turn", "refused"), [(True, True), (False, False)])
def test_who_waits_for_a_place_himself_is_told_at_once_that_there_is_none(in_turn, refused):
    request = Request("POST", "/jobs", in_turn=in_turn)
    flow = retried(request, lambda reply: QuotaInUse("full"), budget=60)
    next(flow)
    if refused:
        with pytest.raises(QuotaInUse):
            flow.send(Reply(503, {}, b"", request))
    else:
        assert isinstance(flow.send(Reply(503, {}, b"", request)), Pause)
