"""Waiting for what others started: in a worker slot, rescheduled, deferred."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    Asset,
    TaskDeferred,
)
from airflow.triggers.base import TaskSuccessEvent, TriggerEvent

from self_hosted.core import wait
from self_hosted.core.errors import Broken, Forbidden, ProductError
from self_hosted.core.flow import Flow, Pause
from self_hosted.core.question import GONE, Seen, imported
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.trigger import SensorTrigger
from tests.core import toy as toy_module
from tests.core.toy import JobSensor, Toy, ToyHook


def sensor(**arguments: Any) -> JobSensor:
    return JobSensor(**{"task_id": "wait", "job_id": "a", "poke_interval": 0.05, "deferrable": False, **arguments})


def done(hook: ToyHook) -> dict[str, str]:
    return {"state": "done", "url": f"{hook.settings.address.base_url}/jobs/a"}


def job(toy: Toy, looks: int, state: str = "done") -> None:
    toy.seed({"jobs": {"a": {"looks": looks, "state": state}}})


def executed(waiting: JobSensor, context: Any) -> Any:
    """Execute to the end, deferral included: in the trigger, or where it sends the task back, in a worker."""
    try:
        return waiting.execute(context)
    except TaskDeferred as deferral:
        event = event_of(deferral.trigger)
        if isinstance(event, TaskSuccessEvent):
            return (event.xcoms or {})["return_value"]
        return waiting.execute_complete(context, event=event.payload)


def event_of(trigger: Any) -> TriggerEvent:
    path, arguments = trigger.serialize()
    [only] = asyncio.run(events_of(imported(path)(**json.loads(json.dumps(arguments)))))
    return only


async def events_of(trigger: Any) -> list[TriggerEvent]:
    return [event async for event in trigger.run()]


@pytest.fixture(params=[False, True], ids=["poke", "deferred"])
def deferrable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_it_waits_until_it_is_done_and_returns_the_result(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=2)
    waiting = sensor(deferrable=deferrable)
    assert executed(waiting, context_of(waiting)) == done(hook)
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
    assert waiting.execute(context_of(waiting)) == done(hook)


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


def test_the_timeout_says_for_what_how_long_and_what_was_seen_last(hook: ToyHook, toy: Toy, context_of, deferrable):
    job(toy, looks=10_000)
    waiting = sensor(timeout=0.2, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout, match=r"in vain for job a, for 0:00:00 hours: its last .* is 'running'"):
        executed(waiting, context_of(waiting))


@pytest.mark.parametrize("right", [True, False])
def test_the_timeout_says_why_nothing_moves_where_the_product_knows(
    hook: ToyHook, toy: Toy, context_of, monkeypatch, right
):
    def stalled(ids: Sequence[str]) -> Flow[dict[str, str]]:
        yield Pause(0)
        if not right:
            raise Forbidden("not for you")
        return dict.fromkeys(ids, "nobody serves the queue")

    job(toy, looks=10_000)
    monkeypatch.setattr(toy_module, "JOB", toy_module.JOB._replace(stalled=stalled))
    waiting = sensor(timeout=0.2)
    words = "nobody serves the queue: gave up waiting for job a" if right else "waited in vain for job a"
    with pytest.raises(AirflowSensorTimeout, match=words):
        waiting.execute(context_of(waiting))


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


def test_a_failure_that_may_pass_is_left_to_the_retries_of_the_task(
    hook: ToyHook, served, context_of, deferrable, monkeypatch
):
    monkeypatch.setattr(wait, "OUTAGE", 0)
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
    assert executed(waiting, context_of(waiting)) == done(hook)


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
    assert arguments.pop("since") == pytest.approx(time.time(), abs=5)
    assert arguments.pop("deadline") == pytest.approx(time.time() + 60, abs=5)
    assert arguments == {
        "sensor": "tests.core.toy.JobSensor",
        "poke_interval": 7.0,
        "timeout": 60.0,
        "ends_task": True,
        "job_id": "a",
        "toy_conn_id": "toy_default",
    }


def trigger_of(waiting: JobSensor, context: Any) -> Any:
    with pytest.raises(TaskDeferred) as deferral:
        waiting.execute(context)
    return deferral.value.trigger


def test_a_success_ends_the_task_in_the_triggerer_with_its_result(hook: ToyHook, toy: Toy, context_of):
    job(toy, looks=0)
    waiting = sensor(deferrable=True)
    event = event_of(trigger_of(waiting, context_of(waiting)))
    assert isinstance(event, TaskSuccessEvent)
    assert event.xcoms == {"return_value": done(hook)}


@pytest.mark.parametrize(
    "reason",
    [{"outlets": [Asset("a job")]}, {"do_xcom_push": False}, {"multiple_outputs": True}],
    ids=lambda one: next(iter(one)),
)
def test_unless_a_worker_has_something_left_to_do(hook: ToyHook, toy: Toy, context_of, reason):
    job(toy, looks=0)
    waiting = sensor(deferrable=True, **reason)
    context = context_of(waiting)
    event = event_of(trigger_of(waiting, context))
    assert not isinstance(event, TaskSuccessEvent)
    assert waiting.execute_complete(context, event=event.payload) == done(hook)


def test_a_sensor_that_starts_in_the_triggerer_gives_its_own_arguments_along():
    waiting = sensor(job_id="{{ params.job }}", start_from_trigger=True, timeout=60)
    assert waiting.deferrable
    start = waiting.start_trigger_args
    assert start is not None
    assert (start.trigger_cls, start.next_method) == ("self_hosted.core.trigger.SensorTrigger", "execute_complete")
    assert start.trigger_kwargs == {
        "sensor": "tests.core.toy.JobSensor",
        "poke_interval": 0.05,
        "timeout": 60.0,
        "ends_task": True,
        "job_id": "{{ params.job }}",
        "toy_conn_id": "toy_default",
    }


def test_moments_among_the_arguments_become_text():
    start = sensor(job_id=datetime(2026, 11, 24, tzinfo=UTC), start_from_trigger=True).start_trigger_args
    assert start is not None
    assert (start.trigger_kwargs or {})["job_id"] == "2026-11-24T00:00:00+00:00"


def test_its_deadline_is_the_one_that_airflow_remembers_over_restarts(hook: ToyHook, toy: Toy):
    job(toy, looks=10_000)
    start: Any = sensor(start_from_trigger=True, timeout=60).start_trigger_args
    trigger: Any = SensorTrigger(**start.trigger_kwargs)
    started = time.time() - 59.8
    trigger.timeout_after = datetime.fromtimestamp(started + start.timeout.total_seconds(), UTC)
    [event] = asyncio.run(events_of(trigger))
    assert event.payload["error"]["kind"] == "Overdue"
    assert "for 0:01:00 hours" in event.payload["error"]["words"]


def test_in_the_triggerer_too_arguments_are_checked_after_templating(hook: ToyHook, toy: Toy, context_of):
    start: Any = sensor(job_id="{{ '' }}", start_from_trigger=True).start_trigger_args
    trigger: Any = SensorTrigger(**start.trigger_kwargs)
    trigger.job_id = ""  # as Airflow has rendered it
    [event] = asyncio.run(events_of(trigger))
    with pytest.raises(AirflowFailException, match="job_id must be the id of a job, not ''"):
        sensor().execute_complete({}, event=event.payload)
    assert toy.asked == []


def test_a_mapped_sensor_can_be_stored_and_begins_in_a_worker():
    with DAG("dag", schedule=None) as dag:
        JobSensor.partial(task_id="wait", start_from_trigger=True).expand(job_id=["a", "b"])
    assert dag.get_task("wait").start_trigger_args is None


def test_what_is_gone_fails_the_task_at_once(hook: ToyHook, toy: Toy, context_of, deferrable, monkeypatch):
    monkeypatch.setattr(toy_module, "JOB", toy_module.JOB._replace(ask=nothing))
    waiting = sensor(deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="job a is not there, or not any more"):
        executed(waiting, context_of(waiting))


def nothing(ids: Sequence[str]) -> Flow[dict[str, Seen]]:
    """An answer of a product that is sure."""
    yield Pause(0)
    return dict.fromkeys(ids, GONE)


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
        hollow.finish(Seen("done", done=True), "")
    hollow.check()
