"""The wait loop: stepped by hand, and in a worker."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConflictError,
    DailyQuotaError,
    NotFoundError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
    UnavailableError,
    WaitTimeoutError,
)
from self_hosted.core.http.flow import NO_REPLY, Concurrently, Flow, Pause, Reply, Request
from self_hosted.core.wait import pending as pending_module
from self_hosted.core.wait.loop import cancel_all, poll, wait_in_worker
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import MAX_OUTAGE_SECONDS, PendingWait
from self_hosted.core.wait.poller import GATHER_SECONDS
from self_hosted.core.wait.spec import WaitSpec
from tests.conftest import AIRFLOW_MIN_DEFERRAL_SECONDS
from tests.core.toy import JOB, NOT_CANCELLABLE, SMALL_BATCHES, Toy, ToyHook, refresh_jobs
from tests.core.wait.poller_tasks import POLL_SECONDS, now_plus, seed_jobs

# stepped by hand


def queried_ids(step: Any) -> Sequence[str]:
    assert isinstance(step, Request)
    return list(step.query["id"])


def reply_with(**states: str) -> Reply:
    return Reply(200, {}, json.dumps(states).encode(), Request("GET", "/jobs"))


def test_the_loop_queries_all_then_pauses_then_queries_the_remaining():
    a, b = PendingWait("a", now_plus(), 0), PendingWait("b", now_plus(), 0)
    flow = poll(JOB, {a, b})
    assert queried_ids(next(flow)) == ["a", "b"]
    pause = flow.send(reply_with(a="done", b="running"))
    assert isinstance(pause, Pause)
    assert pause.may_end_early
    assert a.observation == Observation("done", done=True, details={"id": "a"})
    assert queried_ids(flow.send(reply_with())) == ["b"]
    with pytest.raises(StopIteration):
        flow.send(reply_with(b="failed"))
    assert b.observation is not None
    assert b.observation.state == "failed"


def in_sequence(flow: Flow[None]) -> Flow[None]:
    """Yield the steps of a flow; those of concurrent flows one after the other, as in a worker."""
    reply = None
    with contextlib.suppress(StopIteration):
        while True:
            step = flow.send(reply)  # type: ignore[arg-type]
            if isinstance(step, Concurrently):
                for each in step.flows:
                    yield from in_sequence(each)
                reply = NO_REPLY
            else:
                reply = yield step


def test_the_batches_of_a_round_are_queried_at_the_same_time_but_four_at_most():
    flow = poll(SMALL_BATCHES, {PendingWait(key, now_plus(), 30) for key in "abcdefghijk"})
    step = next(flow)
    assert isinstance(step, Concurrently)
    assert [queried_ids(next(each)) for each in step.flows] == [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    first, second, *_ = step.flows
    assert queried_ids(first.send(reply_with(a="running", b="running"))) == ["i", "j"]
    assert queried_ids(second.send(reply_with(c="running", d="running"))) == ["k"]
    assert isinstance(flow.send(NO_REPLY), Pause)


def test_two_waits_for_one_object_are_queried_once():
    pair = {PendingWait("a", now_plus(), 30), PendingWait("a", now_plus(), 30)}
    flow = poll(JOB, pair)
    assert queried_ids(next(flow)) == ["a"]
    with pytest.raises(StopIteration):
        flow.send(reply_with(a="done"))


def test_many_ids_are_queried_in_batches():
    flow = in_sequence(poll(SMALL_BATCHES, {PendingWait(key, now_plus(), 30) for key in "abcde"}))
    assert queried_ids(next(flow)) == ["a", "b"]
    assert queried_ids(flow.send(reply_with(a="done", b="done"))) == ["c", "d"]
    assert queried_ids(flow.send(reply_with(c="done", d="done"))) == ["e"]


def test_a_wait_ends_before_the_next_batch_is_queried():
    pending_waits = {key: PendingWait(key, now_plus(), 30) for key in "abc"}
    remaining = set(pending_waits.values())
    flow = in_sequence(poll(SMALL_BATCHES, remaining))
    next(flow)
    assert queried_ids(flow.send(reply_with(a="done", b="running"))) == ["c"]
    assert remaining == {pending_waits["b"], pending_waits["c"]}


def test_waits_that_are_due_shortly_after_each_other_are_queried_together():
    pending_waits = {
        PendingWait(f"{number}", now_plus(), 30, first_poll_after=1 + number / 100) for number in range(50)
    }
    for pending in pending_waits:
        pending.schedule.due -= 1  # the first is due now, the others within half a second
    pause = next(poll(JOB, pending_waits))
    assert isinstance(pause, Pause)
    assert pause.seconds == pytest.approx(0.5)


def test_a_missing_object_is_awaited_before_its_first_observation_and_an_error_after_it():
    pending = PendingWait("a", now_plus(), 0)
    flow = poll(JOB, {pending})
    next(flow)
    assert isinstance(flow.send(reply_with()), Pause)
    flow.send(reply_with())
    flow.send(reply_with(a="running"))
    flow.send(reply_with())
    with pytest.raises(StopIteration):
        flow.send(reply_with())
    with pytest.raises(NotFoundError, match="job a does not exist"):
        pending.outcome(JOB)


def test_a_joining_wait_does_not_repeat_a_recent_poll_of_others(monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    pending_waits = {PendingWait("a", now_plus(), 30)}
    flow = poll(JOB, pending_waits)
    assert queried_ids(next(flow)) == ["a"]
    flow.send(reply_with(a="running"))
    pending_waits.add(PendingWait("b", now_plus(), 30))
    assert queried_ids(flow.send(reply_with())) == ["b"]


def test_a_wait_half_way_to_its_next_poll_is_included(monkeypatch):
    pending_waits = {PendingWait("a", now_plus(), 30)}
    flow = poll(JOB, pending_waits)
    next(flow)
    flow.send(reply_with(a="running"))
    pending_waits.add(PendingWait("b", now_plus(), 30))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 0.6)
    assert queried_ids(flow.send(reply_with())) == ["a", "b"]


def test_a_thousand_waits_that_begin_within_a_minute_need_few_requests_per_round(monkeypatch):
    """Simulate ten minutes; each object is polled at least once per interval."""
    clock, requests = [0.0], 0
    monkeypatch.setattr(time, "time", lambda: clock[0])
    pending_waits = {PendingWait("first", 10_000, 30)}
    joining = [(0.06 * number, PendingWait(f"job{number}", 10_000, 30)) for number in range(1000)]
    polled_at: dict[str, float] = {}
    flow = in_sequence(poll(JOB, pending_waits))
    step = next(flow)
    while clock[0] < 600:
        if isinstance(step, Request):
            requests += 1
            for key in queried_ids(step):
                assert clock[0] - polled_at.get(key, clock[0]) <= 30
                polled_at[key] = clock[0]
            step = flow.send(reply_with())
        else:
            assert isinstance(step, Pause)
            next_join = joining[0][0] + GATHER_SECONDS if joining else 10_000
            clock[0] = max(clock[0], min(clock[0] + step.seconds, next_join))
            while joining and joining[0][0] <= clock[0]:
                pending_waits.add(joining.pop(0)[1])
            step = flow.send(reply_with())
    assert len(polled_at) == 1001
    assert requests < 1000


def test_the_first_poll_may_be_delayed(monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    pause = next(poll(JOB, {PendingWait("a", now + 1000, 1, first_poll_after=6)}))
    assert isinstance(pause, Pause)
    assert pause.seconds == pytest.approx(6)


def test_the_minimum_deferral_is_longer_than_the_heartbeat_of_airflow():
    assert AIRFLOW_MIN_DEFERRAL_SECONDS > 5


def failing(error: SelfHostedError, failing_id: str = "") -> WaitSpec:
    """Return the toy's wait spec with a query that fails for one id, or always."""

    def refresh(ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
        if failing_id in ids or not failing_id:
            raise error
        return (yield from refresh_jobs(ids))

    return JOB._replace(refresh=refresh)


def test_an_error_of_one_id_ends_only_its_own_wait():
    pending_waits = {key: PendingWait(key, now_plus(), 30) for key in "abcde"}
    flow = poll(failing(ConflictError("job d is locked"), failing_id="d"), set(pending_waits.values()))
    assert queried_ids(next(flow)) == ["a", "b", "c"]
    assert queried_ids(flow.send(reply_with(a="done", b="done", c="done"))) == ["e"]
    with pytest.raises(StopIteration):
        flow.send(reply_with(e="done"))
    with pytest.raises(ConflictError, match="job d is locked"):
        pending_waits["d"].outcome(JOB)
    assert all(pending_waits[key].outcome(JOB).done for key in "abce")


def test_an_error_of_many_ids_ends_all_waits_without_a_query_per_id():
    queries: list[Sequence[str]] = []

    def refresh(ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
        queries.append(ids)
        yield Pause(0)
        raise PermissionDeniedError("no right")

    flow = poll(
        JOB._replace(refresh=refresh, batch_size=1000),
        {PendingWait(f"{number}", now_plus(), 30) for number in range(1000)},
    )
    with pytest.raises(PermissionDeniedError, match="no right"):
        list(flow)
    assert len(queries) < 50


@pytest.mark.parametrize("error", [AuthenticationError("no"), DailyQuotaError("no more today")])
def test_a_shared_error_ends_all_waits_at_once(error):
    flow = poll(failing(error), {PendingWait("a", now_plus(), 30), PendingWait("b", now_plus(), 30)})
    with pytest.raises(type(error)):
        next(flow)


def list_pauses(flow: Generator[Any, Any, Any], clock: list[float]) -> list[float]:
    """Return the pauses of a flow until its end, in seconds, on a simulated clock."""
    pauses = []
    for step in flow:
        assert isinstance(step, Pause)
        clock[0] += step.seconds
        pauses.append(step.seconds)
    return pauses


@pytest.mark.parametrize("error", [UnavailableError("later"), ServerError("perhaps later")])
def test_a_failing_query_is_retried_with_backoff_up_to_the_outage_limit(monkeypatch, error):
    clock = [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    pending = PendingWait("a", now_plus(10_000), 3600)
    pauses = list_pauses(poll(failing(error), {pending}), clock)
    assert MAX_OUTAGE_SECONDS <= sum(pauses) < MAX_OUTAGE_SECONDS + 30
    assert len(pauses) < 20
    assert max(pauses) <= 30
    with pytest.raises(type(error)):
        pending.outcome(JOB)


def test_a_pause_after_a_failing_query_is_as_long_as_the_product_requests(monkeypatch):
    clock = [time.time()]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    flow = poll(failing(UnavailableError("later", retry_after=77)), {PendingWait("a", now_plus(10_000), 1)})
    assert next(flow).seconds == pytest.approx(77)  # type: ignore[union-attr]


def test_a_success_ends_the_outage(monkeypatch):
    clock, errors = [time.time()], [ServerError("no"), None, ServerError("no"), None]
    monkeypatch.setattr(time, "time", lambda: clock[0])

    def refresh(ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
        yield Pause(0)
        clock[0] += MAX_OUTAGE_SECONDS - 1
        if error := errors.pop(0):
            raise error
        return dict.fromkeys(ids, Observation("running", done=not errors))

    pending = PendingWait("a", now_plus(10_000), 1)
    list_pauses(poll(JOB._replace(refresh=refresh), {pending}), clock)
    assert pending.outcome(JOB).done


def test_a_timeout_during_an_outage_names_the_failing_poll(hook: ToyHook, served):
    served.fail("status", status=500, path="/jobs", times=99)
    with pytest.raises(WaitTimeoutError, match=r"it was never found; the last poll failed: GET /jobs: .* \(HTTP 500\)"):
        wait_in_worker(hook, JOB, PendingWait("a", now_plus(1), POLL_SECONDS))


def stalling(reasons: Mapping[str, str]) -> tuple[WaitSpec, list[Sequence[str]]]:
    queries: list[Sequence[str]] = []

    def find_stall_reasons(ids: Sequence[str]) -> Flow[Mapping[str, str]]:
        queries.append(ids)
        yield Pause(0)
        return reasons

    return JOB._replace(stall_reasons=find_stall_reasons, stall_after=300), queries


def test_stall_reasons_are_queried_once_for_all_unchanged_objects(monkeypatch):
    wait_spec, queries = stalling({"a": "the queue has no workers"})
    pending_waits, now = {key: PendingWait(key, now_plus(10_000), 30) for key in "abc"}, time.time()
    flow = poll(wait_spec, set(pending_waits.values()))
    next(flow)
    flow.send(reply_with(a="queued", b="queued", c="queued"))
    assert queries == []
    monkeypatch.setattr(time, "time", lambda: now + 301)
    assert queried_ids(flow.send(reply_with())) == ["a", "b", "c"]
    flow.send(reply_with(a="queued", b="queued", c="running"))
    assert queries == [["a", "b"]]
    assert isinstance(flow.send(reply_with()), Pause)
    with pytest.raises(
        WaitTimeoutError, match=r"^the queue has no workers: gave up after \d+ s waiting for job a: its last"
    ):
        pending_waits["a"].outcome(wait_spec)
    flow.send(reply_with())
    flow.send(reply_with(b="queued", c="running"))
    assert queries == [["a", "b"]], "the reasons were queried a moment ago"


def test_a_wait_continues_if_the_stall_reasons_cannot_be_queried(monkeypatch):
    def find_stall_reasons(ids: Sequence[str]) -> Flow[Mapping[str, str]]:
        yield Pause(0)
        raise PermissionDeniedError("not allowed")

    pending, now = PendingWait("a", now_plus(10_000), 30), time.time()
    flow = poll(JOB._replace(stall_reasons=find_stall_reasons, stall_after=300), {pending})
    next(flow)
    flow.send(reply_with(a="queued"))
    monkeypatch.setattr(time, "time", lambda: now + 301)
    flow.send(reply_with())
    assert flow.send(reply_with(a="queued")) == Pause(0)
    assert isinstance(flow.send(reply_with()), Pause)
    assert pending.error is None


def test_a_wait_spec_without_stall_reasons_never_ends_a_stalled_wait(monkeypatch):
    pending, now = PendingWait("a", now_plus(10_000), 30), time.time()
    flow = poll(JOB, {pending})
    monkeypatch.setattr(time, "time", lambda: now + 5000)
    next(flow)
    assert isinstance(flow.send(reply_with(a="queued")), Pause)


def test_without_waits_nothing_is_queried():
    assert list(poll(JOB, set())) == []


# in a worker


def test_a_worker_waits_until_it_is_done(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=3)
    observation = wait_in_worker(hook, JOB, PendingWait("a", now_plus(), POLL_SECONDS))
    assert observation == Observation("done", done=True, details={"id": "a"})
    assert toy.count_requests("GET", "/jobs") == 4


def test_work_that_is_already_done_needs_one_poll(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=0)
    assert wait_in_worker(hook, JOB, PendingWait("a", now_plus(60), 60)).done
    assert toy.count_requests("GET", "/jobs") == 1


def test_a_timeout_names_the_last_state(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=10_000)
    deadline = now_plus(0.5)
    with pytest.raises(WaitTimeoutError, match="its last state is 'running'"):
        wait_in_worker(hook, JOB, PendingWait("a", deadline, 0.1))
    assert time.time() >= deadline


def test_a_timeout_of_an_unknown_object_says_that_it_was_never_found(hook: ToyHook):
    with pytest.raises(WaitTimeoutError, match=r"timed out after \d+ s waiting for job unknown: it was never found"):
        wait_in_worker(hook, JOB, PendingWait("unknown", now_plus(0.2), 0.1))


def test_a_wait_continues_after_a_short_outage(hook: ToyHook, toy: Toy, served):
    seed_jobs(toy, a=0)
    served.fail("status", status=500, path="/jobs", times=2)
    assert wait_in_worker(hook, JOB, PendingWait("a", now_plus(), POLL_SECONDS)).state == "done"


def test_a_wait_fails_in_a_long_outage(hook: ToyHook, toy: Toy, served, monkeypatch):
    monkeypatch.setattr(pending_module, "MAX_OUTAGE_SECONDS", 0)
    served.fail("status", status=500, path="/jobs", times=2)
    with pytest.raises(ServerError, match="HTTP 500"):
        wait_in_worker(hook, JOB, PendingWait("a", now_plus(), POLL_SECONDS))


def test_nothing_is_sent_to_a_product_that_cannot_cancel(hook: ToyHook, toy: Toy):
    assert hook.run(cancel_all(NOT_CANCELLABLE, ["a"])) == {}
    assert toy.requests == []
