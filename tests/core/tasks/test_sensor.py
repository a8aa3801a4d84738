"""Sensors: in a worker slot, rescheduled, deferred, and started in the triggerer."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
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
from airflow.sdk._shared.secrets_masker import redact
from airflow.triggers.base import TaskSuccessEvent

from self_hosted.core.http.errors import PermissionDeniedError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.wait import pending
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.trigger import SensorTrigger
from tests.core import toy as toy_module
from tests.core.tasks.build_sensor import (
    collect_events,
    execute_to_end,
    expected_result,
    make_sensor,
    run_trigger,
    seed_job,
)
from tests.core.toy import JobSensor, Toy, ToyHook


@pytest.fixture(params=[False, True], ids=["poke", "deferred"])
def deferrable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_sensor_waits_and_returns_the_result(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=2)
    waiting = make_sensor(deferrable=deferrable)
    assert execute_to_end(waiting, make_context(waiting)) == expected_result(hook)
    assert toy.count_requests("GET", "/jobs") == 3


def test_all_polls_share_one_login(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=3)
    waiting = make_sensor(deferrable=deferrable)
    execute_to_end(waiting, make_context(waiting))
    assert toy.count_requests("GET", "/jobs") == 4
    assert toy.count_requests("POST", "/login") == 1


def test_arguments_are_validated_before_any_request(hook: ToyHook, toy: Toy, make_context, deferrable):
    waiting = make_sensor(job_id="", deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="job_id must be the id of a job, not ''"):
        waiting.execute(make_context(waiting))
    assert toy.requests == []


def test_reschedule_mode_releases_the_slot_between_polls(hook: ToyHook, toy: Toy, make_context):
    seed_job(toy, polls=1)
    waiting = make_sensor(mode="reschedule", poke_interval=60)
    with pytest.raises(AirflowRescheduleException):
        waiting.execute(make_context(waiting))
    assert waiting.execute(make_context(waiting)) == expected_result(hook)


def test_in_reschedule_mode_the_timeout_counts_from_the_first_poke(hook: ToyHook, toy: Toy, make_context):
    seed_job(toy, polls=10_000)
    waiting = make_sensor(mode="reschedule", timeout=20)
    with pytest.raises(AirflowSensorTimeout):
        waiting.execute(make_context(waiting))


def test_a_missing_object_is_awaited(hook: ToyHook, make_context, deferrable):
    waiting = make_sensor(timeout=0.2, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout):
        execute_to_end(waiting, make_context(waiting))


def test_a_timeout_raises_the_error_of_airflow(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=10_000)
    waiting = make_sensor(timeout=0.2, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout):
        execute_to_end(waiting, make_context(waiting))


def test_a_timeout_names_object_duration_and_last_state(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=10_000)
    waiting = make_sensor(timeout=0.2, deferrable=deferrable)
    with pytest.raises(
        AirflowSensorTimeout, match=r"timed out after \d+ s waiting for job a: its last state is 'running'"
    ):
        execute_to_end(waiting, make_context(waiting))


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_timeout_names_the_stall_reason_if_the_product_knows_it(
    hook: ToyHook, toy: Toy, make_context, monkeypatch, is_allowed
):
    def find_stall_reasons(ids: Sequence[str]) -> Flow[dict[str, str]]:
        yield Pause(0)
        if not is_allowed:
            raise PermissionDeniedError("not allowed")
        return dict.fromkeys(ids, "the queue has no workers")

    seed_job(toy, polls=10_000)
    monkeypatch.setattr(toy_module, "JOB", toy_module.JOB._replace(stall_reasons=find_stall_reasons))
    waiting = make_sensor(timeout=0.2)
    message = (
        "the queue has no workers: gave up after .* waiting for job a"
        if is_allowed
        else "timed out after .* waiting for job a"
    )
    with pytest.raises(AirflowSensorTimeout, match=message):
        waiting.execute(make_context(waiting))


def test_a_failed_result_fails_the_task_without_retries(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=0, state="broken")
    waiting = make_sensor(deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="job a is broken"):
        execute_to_end(waiting, make_context(waiting))


def test_a_rejected_request_fails_the_task_without_retries(hook: ToyHook, served, make_context, deferrable):
    served.fail("status", status=403, path="/jobs")
    waiting = make_sensor(deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="HTTP 403"):
        execute_to_end(waiting, make_context(waiting))


def test_a_temporary_error_leaves_the_retries_to_the_task(hook: ToyHook, served, make_context, deferrable, monkeypatch):
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0)
    served.fail("status", status=500, path="/jobs")
    waiting = make_sensor(deferrable=deferrable)
    with pytest.raises(SelfHostedError, match="HTTP 500"):
        execute_to_end(waiting, make_context(waiting))


@pytest.mark.parametrize("fault", ["timeout", "rejection", "broken"])
def test_soft_fail_skips_the_task(hook: ToyHook, toy: Toy, served, make_context, deferrable, fault):
    seed_job(toy, polls=10_000 if fault == "timeout" else 0, state="broken")
    if fault == "rejection":
        served.fail("status", status=403, path="/jobs")
    waiting = make_sensor(timeout=0.2, soft_fail=True, deferrable=deferrable)
    with pytest.raises(AirflowSkipException):
        execute_to_end(waiting, make_context(waiting))


def test_never_fail_skips_the_task_after_a_permanent_error(hook: ToyHook, toy: Toy, make_context, deferrable):
    seed_job(toy, polls=0, state="broken")
    waiting = make_sensor(never_fail=True, deferrable=deferrable)
    with pytest.raises(AirflowSkipException):
        execute_to_end(waiting, make_context(waiting))


def test_silent_fail_ignores_temporary_errors(hook: ToyHook, toy: Toy, served, make_context):
    seed_job(toy, polls=0)
    served.fail("status", status=500, path="/jobs")
    waiting = make_sensor(silent_fail=True)
    assert execute_to_end(waiting, make_context(waiting)) == expected_result(hook)


def test_silent_fail_does_not_ignore_permanent_errors(hook: ToyHook, served, make_context):
    served.fail("status", status=403, path="/jobs")
    waiting = make_sensor(silent_fail=True)
    with pytest.raises(AirflowFailException):
        execute_to_end(waiting, make_context(waiting))


def test_a_missing_trigger_event_is_an_error(hook: ToyHook, make_context):
    waiting = make_sensor(deferrable=True)
    with pytest.raises(ServerError, match="unexpected trigger event"):
        waiting.execute_complete(make_context(waiting), event=None)


def test_the_trigger_has_an_absolute_deadline(hook: ToyHook, make_context):
    waiting = make_sensor(deferrable=True, timeout=1000, poke_interval=7, toy_conn_id="toy_default")
    with pytest.raises(TaskDeferred) as deferral:
        waiting.execute(make_context(waiting))
    _, arguments = deferral.value.trigger.serialize()
    assert arguments.pop("since") == pytest.approx(time.time(), abs=60)
    assert arguments.pop("deadline") == pytest.approx(time.time() + 1000, abs=60)
    assert arguments == {
        "sensor": "tests.core.toy.JobSensor",
        "poke_interval": 7.0,
        "timeout": 1000.0,
        "ends_task": False,
        "job_id": "a",
        "toy_conn_id": "toy_default",
    }


def defer_and_get_trigger(waiting: JobSensor, context: Any) -> Any:
    with pytest.raises(TaskDeferred) as deferral:
        waiting.execute(context)
    return deferral.value.trigger


def test_a_success_without_a_result_to_push_ends_the_task_in_the_triggerer(hook: ToyHook, toy: Toy, make_context):
    seed_job(toy, polls=0)
    waiting = make_sensor(deferrable=True, do_xcom_push=False)
    context = make_context(waiting)
    event = run_trigger(defer_and_get_trigger(waiting, context))
    assert isinstance(event, TaskSuccessEvent)
    assert event.xcoms is None
    assert waiting.execute_complete(context, event=event.payload) is None  # as `dag.test()` does


def test_a_failed_result_without_a_result_to_push_fails_in_the_worker(hook: ToyHook, toy: Toy, make_context):
    seed_job(toy, polls=0, state="broken")
    waiting = make_sensor(deferrable=True, do_xcom_push=False)
    with pytest.raises(AirflowFailException, match="job a is broken"):
        execute_to_end(waiting, make_context(waiting))


@pytest.mark.parametrize("event", ["success", "failed", "skipped"])
def test_the_event_of_an_ended_task_is_an_error_if_a_worker_must_report_the_result(hook: ToyHook, make_context, event):
    waiting = make_sensor(deferrable=True)
    with pytest.raises(ServerError, match=f"unexpected trigger event: '{event}'"):
        waiting.execute_complete(make_context(waiting), event=event)


@pytest.mark.parametrize(
    "reason",
    [{}, {"outlets": [Asset("a job")]}, {"outlets": [Asset("a job")], "do_xcom_push": False}],
    ids=["result", "outlets", "outlets-without-result"],
)
def test_a_success_that_a_worker_must_report_ends_in_the_worker(hook: ToyHook, toy: Toy, make_context, reason):
    seed_job(toy, polls=0)
    waiting = make_sensor(deferrable=True, **reason)
    context = make_context(waiting)
    event = run_trigger(defer_and_get_trigger(waiting, context))
    assert not isinstance(event, TaskSuccessEvent)
    assert waiting.execute_complete(context, event=event.payload) == expected_result(hook)


def test_start_from_trigger_passes_the_arguments_of_the_sensor():
    waiting = make_sensor(job_id="{{ params.job }}", start_from_trigger=True, timeout=60)
    assert waiting.deferrable
    start = waiting.start_trigger_args
    assert start is not None
    assert (start.trigger_cls, start.next_method) == ("self_hosted.core.wait.trigger.SensorTrigger", "execute_complete")
    assert start.trigger_kwargs == {
        "sensor": "tests.core.toy.JobSensor",
        "poke_interval": 0.05,
        "timeout": 60.0,
        "ends_task": False,
        "job_id": "{{ params.job }}",
        "toy_conn_id": "toy_default",
    }


def test_timestamps_are_passed_to_the_trigger_as_text():
    start = make_sensor(job_id=datetime(2026, 11, 24, tzinfo=UTC), start_from_trigger=True).start_trigger_args
    assert start is not None
    assert (start.trigger_kwargs or {})["job_id"] == "2026-11-24T00:00:00+00:00"


def test_the_deadline_survives_restarts_of_the_triggerer(hook: ToyHook, toy: Toy):
    seed_job(toy, polls=10_000)
    start: Any = make_sensor(start_from_trigger=True, timeout=60).start_trigger_args
    trigger: Any = SensorTrigger(**start.trigger_kwargs)
    started_at = time.time() - 59.8
    trigger.timeout_after = datetime.fromtimestamp(started_at + start.timeout.total_seconds(), UTC)
    [event] = asyncio.run(collect_events(trigger))
    assert event.payload["error"]["class"] == "WaitTimeoutError"
    assert re.match(r"timed out after 6\d s waiting for job a", event.payload["error"]["message"])


def test_the_trigger_validates_arguments_after_templating(hook: ToyHook, toy: Toy, make_context):
    start: Any = make_sensor(job_id="{{ '' }}", start_from_trigger=True).start_trigger_args
    trigger: Any = SensorTrigger(**start.trigger_kwargs)
    trigger.job_id = ""  # as rendered by Airflow
    [event] = asyncio.run(collect_events(trigger))
    with pytest.raises(AirflowFailException, match="job_id must be the id of a job, not ''"):
        make_sensor().execute_complete({}, event=event.payload)
    assert toy.requests == []


def test_a_mapped_sensor_starts_in_a_worker():
    with DAG("dag", schedule=None) as dag:
        JobSensor.partial(task_id="wait", start_from_trigger=True).expand(job_id=["a", "b"])
    assert dag.get_task("wait").start_trigger_args is None


def test_a_deleted_object_fails_the_task_without_retries(
    hook: ToyHook, toy: Toy, make_context, deferrable, monkeypatch
):
    monkeypatch.setattr(toy_module, "JOB", toy_module.JOB._replace(refresh=observe_missing))
    waiting = make_sensor(deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="job a does not exist"):
        execute_to_end(waiting, make_context(waiting))


def observe_missing(ids: Sequence[str]) -> Flow[dict[str, Observation]]:
    """Observe that no object exists."""
    yield Pause(0)
    return dict.fromkeys(ids, MISSING)


@pytest.mark.parametrize("default", [True, False])
def test_deferrable_defaults_to_the_setting_of_airflow(monkeypatch, default):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", str(default))
    assert JobSensor(task_id="wait", job_id="a").deferrable is default
    assert JobSensor(task_id="wait", job_id="a", deferrable=not default).deferrable is not default


def test_abstract_methods_raise_not_implemented_error():
    sensor = SelfHostedSensor(task_id="wait")
    with pytest.raises(NotImplementedError):
        sensor.external_id()
    with pytest.raises(NotImplementedError):
        sensor.build_result(Observation("done", done=True), "")
    sensor.validate()


@pytest.mark.parametrize("event", [{"error": {"class": "ServerError", "message": "it echoed the key"}}, None])
def test_a_resumed_worker_masks_the_secrets_before_it_raises(served, connect, make_context, event):
    key = f"key-{uuid.uuid4().hex}"
    connect("toy_default", served.connection(extra={"api_key": key}))
    assert redact(f"Wrong key {key}") == f"Wrong key {key}"
    waiting = make_sensor(deferrable=True)
    with pytest.raises(ServerError):
        waiting.execute_complete(make_context(waiting), event=event)
    assert redact(f"Wrong key {key}") == "Wrong key ***"


def test_a_resumed_worker_completes_without_the_connection(hook: ToyHook, make_context, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    waiting = make_sensor(deferrable=True)
    event = {"observation": Observation("done", done=True).as_json(), "base_url": "https://toy.example.com"}
    assert waiting.execute_complete(make_context(waiting), event=event)["state"] == "done"
