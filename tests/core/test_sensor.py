"""Waiting for what others started: in a worker slot, rescheduled, deferred."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from self_hosted.core.errors import Broken, ProductError
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.wait import Seen, imported
from tests.core.toy import JobSensor, Toy, ToyHook


def sensor(**arguments: Any) -> JobSensor:
    return JobSensor(**{"task_id": "wait", "job_id": "a", "poke_interval": 0.05, "deferrable": False, **arguments})


def job(toy: Toy, looks: int, state: str = "done") -> None:
    toy.seed({"jobs": {"a": {"looks": looks, "state": state}}})


def executed(waiting: JobSensor, context: Any) -> Any:
    """Execute to the end, deferral included."""
    try:
        return waiting.execute(context)
    except TaskDeferred as deferral:
        return waiting.execute_complete(context, event=event_of(deferral))


def event_of(deferral: TaskDeferred) -> Any:
    async def event() -> Any:
        path, arguments = deferral.trigger.serialize()
        return [event async for event in imported(path)(**arguments).run()]

    [only] = asyncio.run(event())
    return only.payload


@pytest.fixture(params=[False, True], ids=["poke", "deferred"])
def deferrable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_it_waits_until_it_is_done_and_returns_the_result(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=2)
    waiting = sensor(deferrable=deferrable)
    assert executed(waiting, context_of(waiting)) == {"state": "done"}
    assert toy.times("GET", "/jobs") == 3


def test_however_often_it_looks_it_signs_in_once(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=3)
    waiting = sensor(deferrable=deferrable)
    executed(waiting, context_of(waiting))
    assert toy.times("GET", "/jobs") == 4
    assert toy.times("POST", "/login") == 1


def test_arguments_are_checked_before_anything_is_sent(hook: ToyHook, toy: Toy, context_of, deferrable):
    waiting = sensor(job_id="", deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="job_id must be the id of a job, not ''"):
        waiting.execute(context_of(waiting))
    assert toy.asked == []


def test_in_reschedule_mode_it_gives_its_slot_back_between_two_looks(hook: ToyHook, toy: Toy, context_of):
    job(toy, looks=1)
    waiting = sensor(mode="reschedule", poke_interval=60)
    with pytest.raises(AirflowRescheduleException):
        waiting.execute(context_of(waiting))
    assert waiting.execute(context_of(waiting)) == {"state": "done"}


def test_in_reschedule_mode_the_timeout_counts_from_the_first_look(hook: ToyHook, toy: Toy, context_of):
    job(toy, looks=10_000)
    waiting = sensor(mode="reschedule", timeout=20)
    with pytest.raises(AirflowSensorTimeout):
        waiting.execute(context_of(waiting))


def test_what_is_not_known_yet_is_waited_for(hook: ToyHook, context_of, deferrable):
    waiting = sensor(timeout=0.2, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout):
        executed(waiting, context_of(waiting))


def test_the_timeout_is_airflows_own_error_which_ends_the_task(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=10_000)
    waiting = sensor(timeout=0.2, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout):
        executed(waiting, context_of(waiting))


def test_a_deferred_timeout_says_what_was_seen_last(hook: ToyHook, toy: Toy, context_of):
    job(toy, looks=10_000)
    waiting = sensor(timeout=0.2, deferrable=True)
    with pytest.raises(AirflowSensorTimeout, match="waited in vain for job a: its last seen state is 'running'"):
        executed(waiting, context_of(waiting))


def test_a_result_that_is_a_failure_fails_the_task_at_once(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=0, state="broken")
    waiting = sensor(deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="job a is broken"):
        executed(waiting, context_of(waiting))


def test_a_refusal_of_the_product_fails_the_task_at_once(hook: ToyHook, served, context_of, deferrable):
    served.fail("status", status=403, path="/jobs")
    waiting = sensor(deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="HTTP 403"):
        executed(waiting, context_of(waiting))


def test_a_failure_that_may_pass_is_left_to_the_retries_of_the_task(hook: ToyHook, served, context_of, deferrable):
    served.fail("status", status=500, path="/jobs")
    waiting = sensor(deferrable=deferrable)
    with pytest.raises(ProductError, match="HTTP 500"):
        executed(waiting, context_of(waiting))


@pytest.mark.parametrize("fault", ["timeout", "refusal", "broken"])
def test_with_soft_fail_the_task_is_skipped_instead(hook: ToyHook, toy: Toy, served, context_of, deferrable, fault):
    job(toy, looks=10_000 if fault == "timeout" else 0, state="broken")
    if fault == "refusal":
        served.fail("status", status=403, path="/jobs")
    waiting = sensor(timeout=0.2, soft_fail=True, deferrable=deferrable)
    with pytest.raises(AirflowSkipException):
        executed(waiting, context_of(waiting))


def test_with_never_fail_a_final_error_skips_the_task(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=0, state="broken")
    waiting = sensor(never_fail=True, deferrable=deferrable)
    with pytest.raises(AirflowSkipException):
        executed(waiting, context_of(waiting))


def test_with_silent_fail_a_failure_that_may_pass_is_waited_out(hook: ToyHook, toy: Toy, served, context_of):
    job(toy, looks=0)
    served.fail("status", status=500, path="/jobs")
    waiting = sensor(silent_fail=True)
    assert executed(waiting, context_of(waiting)) == {"state": "done"}


def test_with_silent_fail_a_final_error_still_fails(hook: ToyHook, served, context_of):
    served.fail("status", status=403, path="/jobs")
    waiting = sensor(silent_fail=True)
    with pytest.raises(AirflowFailException):
        executed(waiting, context_of(waiting))


def test_a_trigger_that_ends_without_a_word_is_a_failure(context_of):
    waiting = sensor(deferrable=True)
    with pytest.raises(Broken, match="an event that nobody knows"):
        waiting.execute_complete(context_of(waiting), event=None)


def test_the_trigger_has_the_timeout_as_an_absolute_deadline_and_never_cancels(hook: ToyHook, context_of):
    waiting = sensor(deferrable=True, timeout=60, poke_interval=7, toy_conn_id="toy_default")
    with pytest.raises(TaskDeferred) as deferral:
        waiting.execute(context_of(waiting))
    _, arguments = deferral.value.trigger.serialize()
    assert arguments.pop("deadline") == pytest.approx(time.time() + 60, abs=5)
    assert arguments == {
        "question": "tests.core.toy.JOB",
        "conn_id": "toy_default",
        "key": "a",
        "poll_interval": 7.0,
        "cancel_on_kill": False,
        "started": None,
    }


@pytest.mark.parametrize("default", [True, False])
def test_whether_to_defer_is_airflows_default_unless_said(monkeypatch, default):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", str(default))
    assert JobSensor(task_id="wait", job_id="a").deferrable is default
    assert JobSensor(task_id="wait", job_id="a", deferrable=not default).deferrable is not default


def test_a_product_must_fill_the_holes():
    hollow = ProductSensor(task_id="wait")
    with pytest.raises(NotImplementedError):
        hollow.key()
    with pytest.raises(NotImplementedError):
        hollow.finish(Seen("done", done=True))
    hollow.check()
