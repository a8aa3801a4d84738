"""A sensor behaves the same in a worker slot, rescheduled, deferred, and started in the triggerer."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from self_hosted.core.http.errors import PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.tasks import sensor_progress
from self_hosted.core.wait import pending
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.trigger import TIMEOUT_SLACK_SECONDS, SensorTrigger
from tests.core import toy as toy_module
from tests.core.toy import JOB, JobSensor, Toy, ToyHook

RUNNING, DONE = Observation("running", done=False), Observation("done", done=True)
Runner = Callable[..., Any]


class SensorRun:
    """The run of a sensor, as Airflow does it: each process creates the task again.

    :param make_context: creates the context
    :param arguments: of the sensor
    """

    def __init__(self, make_context: Callable[..., Any], arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self.context = make_context(self.create())
        self.context["ti"].get_first_reschedule_date = lambda context: self.first_poke
        self.first_poke: datetime | None = None

    def create(self) -> JobSensor:
        defaults = {"task_id": "wait", "job_id": "a", "poke_interval": 0.05, "timeout": 60, "deferrable": False}
        return JobSensor(**{**defaults, **self.arguments})

    def complete(self, trigger: Any) -> Any:
        async def first_event() -> Any:
            return await anext(aiter(trigger.run()))

        payload = json.loads(json.dumps(asyncio.run(first_event()).payload))
        return self.create().execute_complete(self.context, payload)

    def poke(self) -> Any:
        return self.create().execute(self.context)

    def reschedule(self) -> Any:
        self.arguments["mode"], started = "reschedule", datetime.now(UTC)
        while True:
            try:
                return self.create().execute(self.context)
            except AirflowRescheduleException as rescheduled:
                self.first_poke = started
                time.sleep(max(0.0, (rescheduled.reschedule_date - datetime.now(UTC)).total_seconds()))

    def deferred(self) -> Any:
        self.arguments["deferrable"] = True
        with pytest.raises(TaskDeferred) as deferral:
            self.create().execute(self.context)
        return self.complete(deferral.value.trigger)

    def start_from_trigger(self) -> Any:
        self.arguments["start_from_trigger"] = True
        start = self.create().start_args()
        trigger: Any = SensorTrigger(**(start.trigger_kwargs or {}))
        limit = float(self.arguments.get("timeout", 60)) + TIMEOUT_SLACK_SECONDS
        trigger.timeout_after = datetime.fromtimestamp(time.time() + limit, UTC)
        return self.complete(trigger)


@pytest.fixture(params=["poke", "reschedule", "deferred", "start_from_trigger"])
def run(request: pytest.FixtureRequest, hook: ToyHook, make_context: Callable[..., Any]) -> Runner:
    """Run a sensor with some arguments to its end."""
    return lambda **arguments: getattr(SensorRun(make_context, arguments), request.param)()


@pytest.fixture
def observe(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the polls return some results, one after another; the last one again and again."""

    def replace(*results: Any, **fields: Any) -> None:
        remaining = list(results)

        def refresh(ids: Sequence[str]) -> Flow[Mapping[str, Observation]]:
            yield Pause(0)
            result = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if isinstance(result, Exception):
                raise result
            return dict.fromkeys(ids, result) if result else {}

        monkeypatch.setattr(toy_module, "JOB", JOB._replace(refresh=refresh, **fields))

    return replace


def test_the_log_has_the_link_and_the_result_once(run: Runner, observe, caplog):
    caplog.set_level(logging.INFO)
    observe(RUNNING, RUNNING, RUNNING, DONE)
    run()
    starts = [message[:4] for message in caplog.messages]
    assert (starts.count("Open"), starts.count("Done")) == (1, 1)


def test_an_object_that_appears_later_is_awaited(run: Runner, observe):
    observe(None, None, RUNNING, DONE)
    assert run()["state"] == "done"


def test_an_object_that_was_seen_and_has_disappeared_fails_the_task(run: Runner, observe):
    observe(None, RUNNING, None)
    with pytest.raises(AirflowFailException, match="job a does not exist"):
        run()


def test_a_short_outage_is_waited_out(run: Runner, toy: Toy, served):
    toy.seed({"jobs": {"a": {"polls": 1}}})
    served.fail("status", status=500, path="/jobs", times=2)
    assert run()["state"] == "done"
    assert toy.count_requests("GET", "/jobs") == 2


def test_a_long_outage_leaves_the_retries_to_the_task(run: Runner, served, monkeypatch):
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0.3)
    served.fail("status", status=500, path="/jobs", times=99)
    with pytest.raises(ServerError, match="HTTP 500"):
        run()


@pytest.mark.parametrize("response", [TypeError("no subscript"), KeyError("status"), RecursionError()])
def test_a_malformed_response_may_pass(run: Runner, observe, response):
    observe(RUNNING, response, DONE)
    assert run()["state"] == "done"


def test_responses_that_stay_malformed_leave_the_retries_to_the_task(run: Runner, observe, monkeypatch):
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0.3)
    observe(RUNNING, TypeError("'NoneType' object is not subscriptable"))
    with pytest.raises(ServerError, match="the response is malformed: reading it raised TypeError"):
        run()


def test_a_permanent_error_fails_the_task_at_once(run: Runner, toy: Toy, served):
    served.fail("status", status=403, path="/jobs", times=99)
    with pytest.raises(AirflowFailException, match="HTTP 403"):
        run()
    assert toy.count_requests("GET", "/jobs") == 0


def test_a_failed_result_fails_the_task(run: Runner, toy: Toy):
    toy.seed({"jobs": {"a": {"state": "broken"}}})
    with pytest.raises(AirflowFailException, match="job a is broken"):
        run()


def test_a_timeout_names_object_duration_and_last_state(run: Runner, observe):
    observe(RUNNING)
    with pytest.raises(
        AirflowSensorTimeout, match=r"timed out after \d+ s waiting for job a: its last state is 'running'"
    ):
        run(timeout=1, poke_interval=0.3)


def test_the_last_poll_is_at_the_deadline(run: Runner, observe):
    observe(RUNNING, DONE)
    assert run(timeout=1, poke_interval=3600)["state"] == "done"


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_timeout_names_the_stall_reason_if_the_product_knows_it(run: Runner, observe, is_allowed):
    def find_stall_reasons(ids: Sequence[str]) -> Flow[dict[str, str]]:
        yield Pause(0)
        if not is_allowed:
            raise PermissionDeniedError("not allowed")
        return dict.fromkeys(ids, "the queue has no workers")

    observe(RUNNING, stall_reasons=find_stall_reasons)
    start = "the queue has no workers: gave up" if is_allowed else "timed out"
    with pytest.raises(AirflowSensorTimeout, match=rf"^{start} after \d+ s waiting for job a"):
        run(timeout=0.3)


def test_a_timeout_during_an_outage_names_the_error(run: Runner, served):
    served.fail("status", status=500, path="/jobs", times=99)
    with pytest.raises(AirflowSensorTimeout, match=r"never found; the last poll failed: GET /jobs: .* \(HTTP 500\)"):
        run(timeout=0.3)


@pytest.mark.parametrize("fault", ["timeout", "gone", "rejected", "broken"])
def test_soft_fail_skips_the_task(run: Runner, observe, fault):
    results: dict[str, list[Any]] = {
        "timeout": [RUNNING],
        "gone": [RUNNING, None],
        "rejected": [PermissionDeniedError("no")],
        "broken": [Observation("broken", done=True)],
    }
    observe(*results[fault])
    with pytest.raises(AirflowSkipException):
        run(timeout=0.3 if fault == "timeout" else 60, soft_fail=True)


def test_soft_fail_leaves_errors_that_may_pass_to_the_retries(run: Runner, observe, monkeypatch):
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0)
    observe(ServerError("broken"))
    with pytest.raises(ServerError):
        run(soft_fail=True)


def test_never_fail_skips_the_task_after_any_error(run: Runner, observe, monkeypatch):
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0)
    observe(ServerError("broken"))
    with pytest.raises(AirflowSkipException):
        run(never_fail=True)


# in reschedule mode


def test_without_a_store_an_object_that_has_disappeared_is_awaited(hook: ToyHook, make_context, observe):
    """Airflow before 3.3 keeps nothing between the pokes: the wait is longer, and its end is no success."""
    observe(RUNNING, None)
    rescheduled = SensorRun(make_context, {"timeout": 0.5})
    del rescheduled.context["task_state_store"]
    with pytest.raises(AirflowSensorTimeout, match="it was never found"):
        rescheduled.reschedule()


def test_the_progress_of_another_try_is_not_used(hook: ToyHook, make_context, observe):
    observe(RUNNING, None, DONE)
    first = SensorRun(make_context, {"mode": "reschedule"})
    with pytest.raises(AirflowRescheduleException):
        first.poke()
    first.context["ti"].try_number = 2
    assert first.reschedule()["state"] == "done"


def test_the_progress_is_deleted_at_the_end(hook: ToyHook, make_context, observe):
    observe(RUNNING, DONE)
    rescheduled = SensorRun(make_context, {})
    rescheduled.reschedule()
    assert rescheduled.context["task_state_store"].get(sensor_progress.KEY) is None


def test_a_poke_without_execute_polls_once(hook: ToyHook, make_context, observe):
    observe(RUNNING, DONE)
    sensor_run = SensorRun(make_context, {})
    sensor = sensor_run.create()
    assert not sensor.poke(sensor_run.context).is_done
    assert sensor.poke(sensor_run.context).is_done


def test_silent_fail_pokes_again_after_a_long_outage(hook: ToyHook, make_context, observe, monkeypatch):
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0)
    observe(ServerError("broken"), ServerError("broken"), DONE)
    assert SensorRun(make_context, {"silent_fail": True}).poke()["state"] == "done"


def test_without_backoff_the_interval_is_that_of_airflow(hook: ToyHook, make_context):
    sensor = SensorRun(make_context, {"poke_interval": 7}).create()
    assert sensor._get_next_poke_interval(0.0, lambda: 0.0, 1) == 7
