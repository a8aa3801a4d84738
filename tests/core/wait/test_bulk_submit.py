"""Bulk submits: bounded concurrency, each submitted once, and errors that do not affect others."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConcurrencyQuotaError,
    InvalidRequestError,
    SelfHostedError,
    ServerError,
    WaitTimeoutError,
)
from self_hosted.core.http.flow import Pause, Reply, Request
from self_hosted.core.http.retries import Retries
from self_hosted.core.wait import bulk_submit
from self_hosted.core.wait.bulk_submit import (
    FIRST_POLL_SHARE,
    MAX_CONSECUTIVE_ERRORS,
    MAX_POLL_SECONDS,
    MIN_POLL_SECONDS,
    BoundedSubmitter,
)
from self_hosted.core.wait.pending import PendingWait
from tests.core.toy import JOB, Toy, ToyHook, submit_job
from tests.core.wait.poller_tasks import POLL_SECONDS, now_plus


@pytest.fixture
def make_submit(hook: ToyHook) -> Callable[..., Callable[[], str]]:
    """``make_submit("a", polls=3)`` submits a job that is done after three polls."""

    def make(name: str, polls: int = 0) -> Callable[[], str]:
        return lambda: hook.run(submit_job(name, polls, "done"))

    return make


def make_submitter(hook: ToyHook, max_concurrency: int = 5, **arguments: Any) -> BoundedSubmitter:
    return BoundedSubmitter(
        hook, max_concurrency, **{"deadline": now_plus(), "wait_spec": JOB, "poll_interval": POLL_SECONDS, **arguments}
    )


@pytest.fixture(autouse=True)
def _short_idle_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_submit, "IDLE_SECONDS", 0.05)


def count_running(toy: Toy) -> int:
    return sum(job["polls"] >= 0 and job["state"] != "cancelled" for job in toy.jobs.values())


def read_quota(error: SelfHostedError) -> int:
    return int(error.message.rpartition(" ")[2])


def test_all_are_submitted_and_max_concurrency_is_never_exceeded(hook, toy, make_submit):
    counts = []

    def make(name: str) -> Callable[[], str]:
        def submit() -> str:
            job = make_submit(name, 1)()
            counts.append(count_running(toy))
            return str(job)

        return submit

    submitter = make_submitter(hook, max_concurrency=3)
    submitter.run({name: make(name) for name in "abcdefgh"})
    assert set(submitter.keys) == set("abcdefgh")
    assert len(set(submitter.keys.values())) == 8
    assert max(counts) <= 3
    assert submitter.errors == {}


def test_run_returns_once_all_are_submitted(hook, toy, make_submit):
    submitter = make_submitter(hook)
    submitter.run({"a": make_submit("a", 10_000), "b": make_submit("b", 10_000)})
    assert count_running(toy) == 2
    assert [thread.name for thread in threading.enumerate() if "bulk-submit" in thread.name] == []


def test_without_a_wait_spec_a_place_is_free_after_the_submit(hook, toy, make_submit):
    submitter = make_submitter(hook, max_concurrency=2, wait_spec=None)
    submitter.run({name: make_submit(name, 10_000) for name in "abcdef"})
    assert count_running(toy) == 6
    assert toy.count_requests("GET", "/jobs") == 0


def test_a_failed_submit_does_not_affect_others(hook, toy, make_submit):
    def unreadable() -> str:
        raise OSError("no such file")

    submitter = make_submitter(hook, max_concurrency=1)
    submitter.run({"a": make_submit("a"), "b": unreadable, "c": make_submit("c")})
    assert set(submitter.keys) == {"a", "c"}
    assert isinstance(submitter.errors["b"], OSError)


def test_a_rejected_submit_waits_for_a_place_with_few_attempts(hook, toy, make_submit):
    rejected: list[str] = []
    lock = threading.Lock()

    def make(name: str) -> Callable[[], str]:
        def submit() -> str:
            with lock:
                if count_running(toy) >= 2:
                    rejected.append(name)
                    raise ConcurrencyQuotaError("quota of 2")
                return str(make_submit(name, 2)())

        return submit

    submitter = make_submitter(hook, max_concurrency=5, quota_of=read_quota)
    submitter.run({name: make(name) for name in "abcdefghij"})
    assert len(submitter.keys) == 10
    assert submitter.max_concurrency == 2
    assert len(rejected) <= 5


def test_places_of_other_work_are_retried_with_growing_pauses(hook, toy, make_submit, monkeypatch):
    monkeypatch.setattr(bulk_submit, "MIN_PAUSE_SECONDS", 0.1)
    attempts: list[float] = []

    def submit() -> str:
        attempts.append(time.monotonic())
        if len(attempts) < 4:
            raise ConcurrencyQuotaError("other work occupies the quota")
        return str(make_submit("a")())

    submitter = make_submitter(hook)
    submitter.run({"a": submit})
    assert set(submitter.keys) == {"a"}
    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2


@pytest.mark.parametrize("error", [AuthenticationError("no"), ServerError("failed")])
def test_a_shared_error_stops_further_submits(hook, toy, error):
    attempts: list[str] = []

    def make(name: str) -> Callable[[], str]:
        def submit() -> str:
            attempts.append(name)
            raise error

        return submit

    submitter = make_submitter(hook, max_concurrency=1)
    submitter.run({f"job {number}": make(f"job {number}") for number in range(100)})
    assert len(submitter.errors) == 100
    assert len(attempts) <= MAX_CONSECUTIVE_ERRORS + 1


def test_each_failed_submit_has_its_own_error(hook, toy):
    def submit() -> str:
        raise InvalidRequestError("invalid name")

    submitter = make_submitter(hook)
    submitter.run({f"job {number}": submit for number in range(30)})
    assert {type(error) for error in submitter.errors.values()} == {InvalidRequestError}
    assert len(submitter.errors) == 30


def test_nothing_is_submitted_after_the_deadline(hook, toy, make_submit):
    submitter = make_submitter(hook, max_concurrency=1)

    def submit_until_deadline() -> str:
        submitter.deadline = 0  # reached during this submit
        return str(make_submit("a", 10_000)())

    submitter.run({"a": submit_until_deadline, "b": make_submit("b")})
    assert set(submitter.keys) == {"a"}
    assert isinstance(submitter.errors["b"], WaitTimeoutError)


def test_running_work_of_an_earlier_try_occupies_places(hook, toy, make_submit):
    first = make_submit("old", 3)()
    submitter = make_submitter(hook, max_concurrency=1)
    counts = []

    def submit() -> str:
        counts.append(count_running(toy))
        return str(make_submit("new")())

    submitter.run({"new": submit}, running={"old": first})
    assert counts == [0]
    assert submitter.keys["old"] == first


def test_stop_submits_nothing_more_and_returns_the_running_ids(hook, toy, make_submit):
    submitter = make_submitter(hook, max_concurrency=2)
    thread = threading.Thread(target=submitter.run, args=({name: make_submit(name, 10_000) for name in "abcdef"},))
    thread.start()
    while count_running(toy) < 2:
        time.sleep(0.01)
    keys = submitter.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert sorted(keys) == sorted(submitter.keys.values())
    assert len(toy.jobs) == 2
    assert len(submitter.errors) == 4


def test_stop_returns_submits_that_were_in_flight(hook, toy, make_submit):
    has_begun, may_continue = threading.Event(), threading.Event()

    def slow_submit() -> str:
        has_begun.set()
        may_continue.wait(60)
        return str(make_submit("a", 10_000)())

    submitter = make_submitter(hook)
    thread = threading.Thread(target=submitter.run, args=({"a": slow_submit},))
    thread.start()
    has_begun.wait(60)
    threading.Timer(0.2, may_continue.set).start()
    keys = submitter.stop()
    thread.join(60)
    assert len(toy.jobs) == 1
    assert set(keys) | set(submitter.keys.values()) == {"job-1"}


def test_a_signal_may_stop_the_run_while_results_are_collected(hook, toy, make_submit, monkeypatch):
    submitter = make_submitter(hook)

    def wait_then_stop(*arguments: Any) -> Any:
        monkeypatch.undo()
        results = futures.wait(*arguments)
        submitter.stop()  # as a signal handler does at any point of the main thread
        return results

    monkeypatch.setattr(bulk_submit, "wait", wait_then_stop)
    submitter.run({"a": make_submit("a", 10_000)})
    assert submitter.keys == {"a": "job-1"}
    assert submitter.errors == {}


def test_the_first_poll_is_timed_by_the_shortest_of_the_last_durations(hook, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    submitter = make_submitter(hook, deadline=2000.0)
    submitter.durations.extend([0.6, 0.5])
    submitter._add("a", "job-1")
    [pending] = submitter.pending_waits
    assert pending.schedule.due == pytest.approx(1000 + FIRST_POLL_SHARE * 0.5)


@pytest.mark.parametrize(
    ("durations", "spacing"), [([0.0, 0.0], MIN_POLL_SECONDS), ([1.0, 2.0], 0.67), ([0.0, 600.0], MAX_POLL_SECONDS)]
)
def test_polls_are_less_frequent_after_long_durations(hook, durations, spacing):
    submitter = make_submitter(hook, max_concurrency=1, poll_interval=60)
    submitter.durations.extend(durations)
    assert submitter._poll_spacing == pytest.approx(spacing, abs=0.01)


def test_polls_become_less_frequent_while_an_object_takes_longer(hook):
    submitter = make_submitter(hook, max_concurrency=1, poll_interval=60)
    pending = PendingWait("a", now_plus(), 0)
    submitter.pending_waits.add(pending)
    spacings = []
    for seconds in (0, 1, 2, 600):
        pending.since = now_plus(-seconds)
        spacings.append(submitter._poll_spacing)
    assert spacings == pytest.approx([MIN_POLL_SECONDS, 0.55, 0.77, MAX_POLL_SECONDS], abs=0.05)


def test_polls_are_never_further_apart_than_the_poll_interval(hook):
    submitter = make_submitter(hook, max_concurrency=1, poll_interval=0.3)
    submitter.durations.append(600.0)
    assert submitter._poll_spacing == pytest.approx(0.3)


def test_a_permanent_error_of_a_poll_ends_the_run_and_its_threads(hook, toy, served, make_submit):
    served.fail("status", status=401, method="GET", path="/jobs", times=9)
    submitter = make_submitter(hook, max_concurrency=1)
    with pytest.raises(AuthenticationError):
        submitter.run({name: make_submit(name, 5) for name in "abc"})
    assert len(toy.jobs) == 1
    assert [thread.name for thread in threading.enumerate() if "bulk-submit" in thread.name] == []


@pytest.mark.parametrize(("fail_fast_on_quota", "is_raised"), [(True, True), (False, False)])
def test_fail_fast_on_quota_raises_the_error_without_retries(fail_fast_on_quota, is_raised):
    request = Request("POST", "/jobs", fail_fast_on_quota=fail_fast_on_quota)
    flow = Retries(lambda reply: ConcurrencyQuotaError("full"), timeout=60).send(request)
    next(flow)
    if is_raised:
        with pytest.raises(ConcurrencyQuotaError):
            flow.send(Reply(503, {}, b"", request))
    else:
        assert isinstance(flow.send(Reply(503, {}, b"", request)), Pause)


def test_progress_and_a_full_quota_are_logged_once_per_minute(hook, make_submit, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(bulk_submit, "SECONDS_BETWEEN_LINES", 0.0)  # so that the first line is due at once
    rejections = iter([ConcurrencyQuotaError("quota of 1")] * 3)

    def submit() -> str:
        for rejection in rejections:
            raise rejection
        return str(make_submit("a")())

    monkeypatch.setattr(bulk_submit, "MIN_PAUSE_SECONDS", 0.01)
    make_submitter(hook).run({"a": submit, "b": make_submit("b")})
    lines = [record.getMessage() for record in caplog.records if record.name == "self_hosted.core.wait.bulk_submit"]
    assert sorted(line.partition(" with")[0] for line in lines) == [
        "0 are submitted, of which 0 are running; 0 failed; 2 are left",
        "quota of 1; continuing",
    ]
