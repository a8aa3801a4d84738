"""Submit, wait, build the result: in the worker and in the triggerer; kills and deadlines."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowTaskTimeout, conf
from airflow.sdk._shared.secrets_masker import redact

from self_hosted.core.http.errors import SelfHostedError, ServerError, WaitTimeoutError
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.wait_options import WaitOptions
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from self_hosted.core.wait import pending
from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.trigger import WaitTrigger
from tests.core.tasks.build_task import execute_until_deferred, make_operator, resume
from tests.core.toy import BuildAndWaitOperator, NotCancellableOperator, Toy, ToyHook

# in the worker


def test_it_waits_and_returns_the_result(hook: ToyHook, make_context):
    operator = make_operator(polls=2, deferrable=False)
    assert operator.execute(make_context(operator)) == {"id": "job-1", "state": "done"}


@pytest.mark.parametrize("deferrable", [True, False])
def test_without_an_external_id_it_does_not_wait(hook: ToyHook, make_context, deferrable):
    operator = make_operator(job="nothing", deferrable=deferrable)
    assert operator.execute(make_context(operator)) == {"id": None}


def test_at_the_deadline_the_work_is_cancelled_and_the_task_may_be_retried(hook: ToyHook, toy: Toy, make_context):
    operator = make_operator(polls=10_000, wait_timeout=0.2, deferrable=False)
    with pytest.raises(
        WaitTimeoutError, match=r"timed out after \d+ s waiting for job job-1: its last state is 'running'"
    ):
        operator.execute(make_context(operator))
    assert toy.jobs["job-1"]["state"] == "cancelled"


def test_a_failed_cancellation_is_logged_and_does_not_replace_the_error(
    hook: ToyHook, toy: Toy, served, make_context, caplog, capsys
):
    served.fail("status", status=403, path="/jobs/.*/cancel")
    operator = make_operator(polls=10_000, wait_timeout=0.2, deferrable=False)
    with pytest.raises(WaitTimeoutError):
        operator.execute(make_context(operator))
    assert toy.jobs["job-1"]["state"] == "done"
    logged = caplog.text + capsys.readouterr().out  # depending on the version of Airflow
    assert "job job-1 could not be cancelled: POST /jobs/job-1/cancel: rejected without a reason (HTTP 403)" in logged


def test_work_that_cannot_be_cancelled_continues(hook: ToyHook, toy: Toy, make_context):
    operator = NotCancellableOperator(task_id="build", job="house", polls=10_000, wait_timeout=0.2, deferrable=False)
    with pytest.raises(WaitTimeoutError):
        operator.execute(make_context(operator))
    assert toy.jobs["job-1"]["state"] == "done"


def test_the_shorter_of_execution_timeout_and_wait_timeout_applies():
    assert make_operator(execution_timeout=timedelta(seconds=5))._deadline(100) == 105
    longer = make_operator(execution_timeout=timedelta(hours=5), wait_timeout=7)
    assert longer._deadline(100) == 107


def kill_while_waiting(operator: BuildAndWaitOperator, toy: Toy, context: Any) -> str:
    """Kill the task's process while it waits, and return the state of the remote job."""

    def execute() -> None:
        with suppress(AirflowFailException):  # Airflow lets a killed process run on for some seconds
            operator.execute(context)

    worker = threading.Thread(target=execute)
    worker.start()
    while toy.count_requests("GET", "/jobs") < 2:
        time.sleep(0.01)
    operator.on_kill()
    state = toy.jobs["job-1"]["state"]
    toy.jobs["job-1"]["polls"] = 0
    worker.join(60)
    assert not worker.is_alive()
    return str(state)


def make_waiting_operator(**arguments: Any) -> BuildAndWaitOperator:
    return make_operator(polls=10_000, wait_timeout=60, deferrable=False, **arguments)


@pytest.mark.parametrize("state", ["failed", "success", "restarting", "removed", None])
def test_a_user_who_ends_the_task_cancels_the_remote_work(hook: ToyHook, toy: Toy, make_context, state):
    operator = make_waiting_operator()
    assert kill_while_waiting(operator, toy, make_context(operator, state=state)) == "cancelled"


def test_a_task_that_a_user_ended_says_so(hook: ToyHook, toy: Toy, make_context, caplog):
    operator = make_waiting_operator()
    kill_while_waiting(operator, toy, make_context(operator, state="failed"))
    assert "The task was ended by a user: cancelling job job-1" in caplog.messages
    [pending] = operator._waits  # the end of the wait, as the killed process reports it
    assert str(pending.result(operator._wait_spec)) == "the task was ended by a user; job job-1: cancelled"


@pytest.mark.parametrize("state", ["running", "queued", "up_for_retry"])
def test_the_remote_work_continues_when_only_the_worker_ends(hook: ToyHook, toy: Toy, make_context, state):
    operator = make_waiting_operator()
    assert kill_while_waiting(operator, toy, make_context(operator, state=state)) == "done"


def test_the_remote_work_continues_when_the_task_state_is_unknown(hook: ToyHook, toy: Toy, make_context):
    operator = make_waiting_operator()
    context = make_context(operator)
    context["ti"].get_task_states = None
    assert kill_while_waiting(operator, toy, context) == "done"


def test_without_cancel_on_kill_the_remote_work_continues(hook: ToyHook, toy: Toy, make_context):
    operator = make_waiting_operator(cancel_on_kill=False)
    assert kill_while_waiting(operator, toy, make_context(operator, state="failed")) == "done"


def test_the_execution_timeout_cancels_the_remote_work(hook: ToyHook, toy: Toy, make_context, monkeypatch):
    def raise_timeout(*_: Any) -> Any:
        raise AirflowTaskTimeout("Timeout, PID: 1")  # as Airflow's alarm does at any point of the task

    operator = make_waiting_operator()
    monkeypatch.setattr(
        hook.__class__,
        "run",
        lambda hook, flow, run=hook.__class__.run: run(hook, flow) if flow.__name__ != "poll" else raise_timeout(),
    )
    with pytest.raises(WaitTimeoutError, match=r"timed out after \d+ s waiting for job job-1"):
        operator.execute(make_context(operator))
    assert toy.jobs["job-1"]["state"] == "cancelled"


def test_a_kill_before_the_submit_cancels_nothing(hook: ToyHook, toy: Toy):
    make_operator().on_kill()
    assert toy.requests == []


# in the triggerer


def test_a_deferred_task_returns_the_same_result(hook: ToyHook, make_context):
    operator = make_operator(polls=2, deferrable=True)
    context = make_context(operator)
    deferral = execute_until_deferred(operator, context)
    assert resume(make_operator(deferrable=True), context, deferral) == {"id": "job-1", "state": "done"}


def test_the_trigger_has_exactly_the_needed_arguments(hook: ToyHook, make_context):
    operator = make_operator(deferrable=True, wait_timeout=1000, cancel_on_kill=False)
    trigger = execute_until_deferred(operator, make_context(operator)).trigger
    assert isinstance(trigger, WaitTrigger)
    _, arguments = trigger.serialize()
    assert arguments.pop("since") == pytest.approx(time.time(), abs=60)
    assert arguments.pop("deadline") == pytest.approx(time.time() + 1000, abs=60)
    assert list(arguments.pop("lineage")["outputs"]) == [asset_uri(hook, "job", "job-1")]
    assert arguments == {
        "wait_spec": "tests.core.toy.JOB",
        "conn_id": "toy_default",
        "keys": ["job-1"],
        "poll_interval": 0.05,
        "cancel_on_kill": False,
        "submitted": {"id": "job-1"},
    }


def test_a_deferred_wait_cancels_the_work_at_its_deadline_and_may_be_retried(hook: ToyHook, toy: Toy, make_context):
    operator = make_operator(polls=10_000, wait_timeout=0.2, deferrable=True)
    context = make_context(operator)
    with pytest.raises(WaitTimeoutError, match="its last state is 'running'"):
        resume(operator, context, execute_until_deferred(operator, context))
    assert toy.jobs["job-1"]["state"] == "cancelled"


@pytest.mark.parametrize(("status", "failure"), [(403, AirflowFailException), (500, SelfHostedError)])
def test_an_error_in_the_trigger_fails_the_task_as_in_the_worker(
    hook: ToyHook, served, make_context, monkeypatch, status, failure
):
    operator = make_operator(deferrable=True)
    context = make_context(operator)
    deferral = execute_until_deferred(operator, context)
    monkeypatch.setattr(pending, "MAX_OUTAGE_SECONDS", 0)
    served.fail("status", status=status, path="/jobs")
    with pytest.raises(failure, match=f"HTTP {status}"):
        resume(operator, context, deferral)


@pytest.mark.parametrize("event", [{"outcomes": {"a": {"error": {"class": "ServerError", "message": "no"}}}}, None])
def test_a_resumed_worker_masks_the_secrets_before_it_raises(served, connect, make_context, event):
    key = f"key-{uuid.uuid4().hex}"
    connect("toy_default", served.connection(extra={"api_key": key}))
    assert redact(f"Wrong key {key}") == f"Wrong key {key}"
    operator = make_operator(deferrable=True)
    with pytest.raises(ServerError):
        operator.execute_complete(make_context(operator), event=event)
    assert redact(f"Wrong key {key}") == "Wrong key ***"


def test_a_resumed_worker_completes_without_the_connection(hook: ToyHook, make_context, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    operator = make_operator(deferrable=True)
    outcome = {"observation": Observation("done", done=True).as_json()}
    event = {"outcomes": {"job-1": outcome}, "submitted": {"id": "job-1"}}
    assert operator.execute_complete(make_context(operator), event=event) == {"id": "job-1", "state": "done"}


def test_a_missing_trigger_event_is_an_error(hook: ToyHook, make_context):
    operator = make_operator(deferrable=True)
    with pytest.raises(ServerError, match="unexpected trigger event"):
        operator.execute_complete(make_context(operator), event=None)


@pytest.mark.parametrize("default", [True, False])
def test_deferrable_defaults_to_the_setting_of_airflow(monkeypatch, default):
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", str(default))
    assert conf.getboolean("operators", "default_deferrable") is default
    assert make_operator().deferrable is default
    assert make_operator(deferrable=not default).deferrable is not default


def test_abstract_methods_raise_not_implemented_error():
    operator = WaitingOperator(task_id="b")
    abstract_methods: list[Any] = [
        (operator.external_id, ({},)),
        (operator.external_url, ({},)),
        (operator.build_result, ({}, {}, Observation("done", done=True))),
    ]
    for method, arguments in abstract_methods:
        with pytest.raises(NotImplementedError):
            method(*arguments)


# arguments that templates render


@pytest.mark.parametrize("deferrable", ["False", "true"])
def test_times_and_switches_may_be_texts(hook: ToyHook, make_context, deferrable):
    texts = {"poll_interval": "0.05", "wait_timeout": "60", "cancel_on_kill": "yes", "durable": "no"}
    operator = make_operator(polls=2, deferrable=deferrable, **texts)
    context = make_context(operator)
    if deferrable == "true":
        result = resume(operator, context, execute_until_deferred(operator, context))
    else:
        result = operator.execute(context)
    assert result == {"id": "job-1", "state": "done"}


@pytest.mark.parametrize("argument", [*WaitOptions._fields])
def test_an_invalid_option_of_the_wait_is_an_error_that_names_it(hook: ToyHook, toy: Toy, make_context, argument):
    operator = make_operator(**{argument: "soon"})
    with pytest.raises(AirflowFailException, match=f"^{argument} must be .*, not 'soon'"):
        operator.execute(make_context(operator))
    assert toy.jobs == {}


@pytest.mark.parametrize("deferrable", [False, True])
def test_without_a_wait_the_task_ends_after_the_submit(hook: ToyHook, toy: Toy, make_context, deferrable):
    operator = make_operator(polls=10_000, deferrable=deferrable, wait_for_completion="False")
    assert operator.execute(make_context(operator)) == {"id": "job-1"}
    assert toy.jobs["job-1"]["polls"] == 10_000
