"""Start, wait, finish: in the worker and in the triggerer; what a kill and a deadline do."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout, conf

from self_hosted.core import wait
from self_hosted.core.errors import Broken, Overdue, ProductError
from self_hosted.core.question import Seen
from self_hosted.core.trigger import WaitTrigger
from self_hosted.core.waiting import WaitingOperator
from tests.core.building import building, deferred, resumed
from tests.core.toy import BuildAndWaitOperator, StubbornOperator, Toy, ToyHook

# waiting in the worker


def test_it_waits_and_finishes(hook: ToyHook, context_of):
    operator = building(looks=2, deferrable=False)
    assert operator.execute(context_of(operator)) == {"id": "job/1", "state": "done"}


@pytest.mark.parametrize("deferrable", [True, False])
def test_where_there_is_nothing_to_wait_for_it_does_not_wait(hook: ToyHook, context_of, deferrable):
    operator = building(job="nothing", deferrable=deferrable)
    assert operator.execute(context_of(operator)) == {"id": None}


def test_at_the_deadline_the_remote_work_is_cancelled_and_the_task_fails_with_retries_left(
    hook: ToyHook, toy: Toy, context_of
):
    operator = building(looks=10_000, wait_timeout=0.2, deferrable=False)
    with pytest.raises(
        Overdue, match="waited in vain for job job/1, for 0:00:00 hours: its last seen state is 'running'"
    ):
        operator.execute(context_of(operator))
    assert toy.jobs["job/1"]["state"] == "cancelled"


def test_a_cancellation_that_fails_is_told_in_the_log_and_the_error_stays_the_same(
    hook: ToyHook, toy: Toy, served, context_of, caplog, capsys
):
    served.fail("status", status=403, path="/jobs/.*/cancel")
    operator = building(looks=10_000, wait_timeout=0.2, deferrable=False)
    with pytest.raises(Overdue):
        operator.execute(context_of(operator))
    assert toy.jobs["job/1"]["state"] == "done"
    logged = caplog.text + capsys.readouterr().out  # whichever way this Airflow logs
    assert "job job/1 could not be cancelled: POST /jobs/job%2F1/cancel: refused" in logged


def test_what_cannot_be_cancelled_goes_on(hook: ToyHook, toy: Toy, context_of):
    operator = StubbornOperator(task_id="build", job="house", looks=10_000, wait_timeout=0.2, deferrable=False)
    with pytest.raises(Overdue):
        operator.execute(context_of(operator))
    assert toy.jobs["job/1"]["state"] == "done"


def test_execution_timeout_counts_when_it_is_shorter():
    assert building(execution_timeout=timedelta(seconds=5))._deadline(100) == 105
    longer = building(execution_timeout=timedelta(hours=5), wait_timeout=7)
    assert longer._deadline(100) == 107


def killed(operator: BuildAndWaitOperator, toy: Toy, context: Any) -> str:
    """Kill the task's process while it waits, and say what becomes of the remote job."""
    worker = threading.Thread(target=operator.execute, args=(context,))
    worker.start()
    while toy.times("GET", "/jobs") < 2:
        time.sleep(0.01)
    operator.on_kill()
    state = toy.jobs["job/1"]["state"]
    toy.jobs["job/1"]["looks"] = 0
    worker.join(10)
    assert not worker.is_alive()
    return str(state)


def waiting_in_worker(**arguments: Any) -> BuildAndWaitOperator:
    return building(looks=10_000, wait_timeout=10, deferrable=False, **arguments)


@pytest.mark.parametrize("state", ["failed", "success", "restarting", "removed", None])
def test_when_a_person_ends_the_task_the_remote_work_is_ended(hook: ToyHook, toy: Toy, context_of, state):
    operator = waiting_in_worker()
    assert killed(operator, toy, context_of(operator, state=state)) == "cancelled"


@pytest.mark.parametrize("state", ["running", "queued", "up_for_retry"])
def test_when_only_its_worker_ends_the_remote_work_goes_on(hook: ToyHook, toy: Toy, context_of, state):
    operator = waiting_in_worker()
    assert killed(operator, toy, context_of(operator, state=state)) == "done"


def test_when_airflow_does_not_say_why_the_remote_work_goes_on(hook: ToyHook, toy: Toy, context_of):
    operator = waiting_in_worker()
    context = context_of(operator)
    context["ti"].get_task_states = None
    assert killed(operator, toy, context) == "done"


def test_the_remote_work_goes_on_when_that_was_asked_for(hook: ToyHook, toy: Toy, context_of):
    operator = waiting_in_worker(cancel_on_kill=False)
    assert killed(operator, toy, context_of(operator, state="failed")) == "done"


def test_the_time_limit_of_airflow_is_the_same_deadline(hook: ToyHook, toy: Toy, context_of, monkeypatch):
    def interrupted(*_: Any) -> Any:
        raise AirflowTaskTimeout("Timeout, PID: 1")  # as Airflow's alarm does, wherever the task is

    operator = waiting_in_worker()
    monkeypatch.setattr(
        hook.__class__,
        "run",
        lambda hook, flow, run=hook.__class__.run: run(hook, flow) if flow.__name__ != "poll" else interrupted(),
    )
    with pytest.raises(Overdue, match="waited in vain for job job/1"):
        operator.execute(context_of(operator))
    assert toy.jobs["job/1"]["state"] == "cancelled"


def test_a_kill_before_anything_was_started_has_nothing_to_end(hook: ToyHook, toy: Toy):
    building().on_kill()
    assert toy.asked == []


# waiting in the triggerer


def test_a_deferred_task_goes_on_where_it_was(hook: ToyHook, context_of):
    operator = building(looks=2, deferrable=True)
    context = context_of(operator)
    deferral = deferred(operator, context)
    assert resumed(building(deferrable=True), context, deferral) == {"id": "job/1", "state": "done"}


def test_the_trigger_knows_what_it_needs_and_no_more(hook: ToyHook, context_of):
    operator = building(deferrable=True, wait_timeout=60, cancel_on_kill=False)
    trigger = deferred(operator, context_of(operator)).trigger
    assert isinstance(trigger, WaitTrigger)
    _, arguments = trigger.serialize()
    assert arguments.pop("since") == pytest.approx(time.time(), abs=5)
    assert arguments.pop("deadline") == pytest.approx(time.time() + 60, abs=5)
    assert arguments == {
        "question": "tests.core.toy.JOB",
        "conn_id": "toy_default",
        "keys": ["job/1"],
        "poll_interval": 0.05,
        "cancel_on_kill": False,
        "started": {"id": "job/1"},
    }


def test_a_deferred_wait_in_vain_cancels_and_fails_with_retries_left(hook: ToyHook, toy: Toy, context_of):
    operator = building(looks=10_000, wait_timeout=0.2, deferrable=True)
    context = context_of(operator)
    with pytest.raises(Overdue, match="its last seen state is 'running'"):
        resumed(operator, context, deferred(operator, context))
    assert toy.jobs["job/1"]["state"] == "cancelled"


@pytest.mark.parametrize(("status", "failure"), [(403, AirflowFailException), (500, ProductError)])
def test_an_error_in_the_trigger_fails_the_task_as_it_would_in_the_worker(
    hook: ToyHook, served, context_of, monkeypatch, status, failure
):
    operator = building(deferrable=True)
    context = context_of(operator)
    deferral = deferred(operator, context)
    monkeypatch.setattr(wait, "OUTAGE", 0)
    served.fail("status", status=status, path="/jobs")
    with pytest.raises(failure, match=f"HTTP {status}"):
        resumed(operator, context, deferral)


def test_a_trigger_that_ends_without_a_word_is_a_failure(context_of):
    operator = building(deferrable=True)
    with pytest.raises(Broken, match="an event that nobody knows"):
        operator.execute_complete(context_of(operator), event=None)


@pytest.mark.parametrize("default", [True, False])
def test_whether_to_defer_is_airflows_default_unless_said(monkeypatch, default):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", str(default))
    assert conf.getboolean("operators", "default_deferrable") is default
    assert building().deferrable is default
    assert building(deferrable=not default).deferrable is not default


def test_a_product_must_fill_the_holes():
    operator = WaitingOperator(task_id="b")
    holes: list[Any] = [
        (operator.key_of, ({},)),
        (operator.page_of, ({},)),
        (operator.finish, ({}, {}, Seen("done", done=True))),
    ]
    for hole, arguments in holes:
        with pytest.raises(NotImplementedError):
            hole(*arguments)
