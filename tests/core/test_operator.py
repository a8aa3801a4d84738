"""Check, start, wait, finish; what a kill, a retry and a deadline do."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred, XCom, conf

from self_hosted.core.errors import Broken, Busy, Forbidden, Invalid, Overdue, ProductError
from self_hosted.core.operator import (
    LINK_KEY,
    ProductLink,
    ProductOperator,
    WaitingOperator,
    final_errors_fail_at_once,
    round_key,
)
from self_hosted.core.trigger import WaitTrigger
from self_hosted.core.wait import Seen, imported
from tests.core.toy import BuildAndWaitOperator, BuildOperator, StubbornOperator, Toy, ToyHook


def building(**arguments: Any) -> BuildAndWaitOperator:
    return BuildAndWaitOperator(**{"task_id": "build", "job": "house", "poll_interval": 0.05, **arguments})


def deferred(operator: BuildAndWaitOperator, context: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(context)
    return deferral.value


def resumed(operator: BuildAndWaitOperator, context: Any, deferral: TaskDeferred) -> Any:
    """Go on as Airflow does: trigger from its stored form, its event as the argument of the method."""

    async def event() -> Any:
        path, arguments = deferral.trigger.serialize()
        return [event async for event in imported(path)(**arguments).run()]

    [only] = asyncio.run(event())
    return getattr(operator, deferral.method_name)(context, event=only.payload, **(deferral.kwargs or {}))


# checking and doing


def test_an_operator_returns_what_it_started(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="house")
    assert operator.execute(context_of(operator)) == {"id": "job/1"}


def test_arguments_are_checked_before_anything_is_sent(hook: ToyHook, toy: Toy, context_of):
    operator = BuildOperator(task_id="build", job="")
    with pytest.raises(AirflowFailException, match="job must be the name of a job, not ''"):
        operator.execute(context_of(operator))
    assert toy.asked == []


def test_arguments_are_checked_after_templating(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="{{ name }}")
    context: Any = {"name": ""}
    operator.render_template_fields(context)
    with pytest.raises(AirflowFailException):
        operator.execute(context_of(operator))


@pytest.mark.parametrize("error", [Forbidden("no"), Invalid("no"), ValueError("no")])
def test_what_no_retry_mends_fails_the_task_at_once(error):
    with pytest.raises(AirflowFailException, match="no") as failure, final_errors_fail_at_once():
        raise error
    assert failure.value.__cause__ is error


@pytest.mark.parametrize("error", [Busy("later"), Broken("perhaps later"), Overdue("in vain"), KeyError("a bug")])
def test_everything_else_is_left_to_the_retries_of_the_task(error):
    with pytest.raises(type(error)), final_errors_fail_at_once():
        raise error


def test_a_refusal_of_the_product_fails_the_task_at_once(hook: ToyHook, context_of):
    operator = building(job="forbidden")
    with pytest.raises(AirflowFailException, match=r"POST /jobs: not this one \(HTTP 403\)"):
        operator.execute(context_of(operator))


def test_the_connection_is_the_one_named_by_the_products_own_argument():
    operator = BuildOperator(task_id="build", job="house", toy_conn_id="toy_of_mine")
    assert operator.conn_id == "toy_of_mine"
    assert operator.hook.conn_id == "toy_of_mine"


def test_one_hook_serves_a_whole_task():
    operator = BuildOperator(task_id="build", job="house")
    assert operator.hook is operator.hook


def test_a_product_must_fill_the_holes():
    doing, waiting = ProductOperator(task_id="a"), WaitingOperator(task_id="b")
    holes: list[Any] = [
        (doing.start, ({},)),
        (waiting.key_of, ({},)),
        (waiting.finish, ({}, {}, Seen("done", done=True))),
    ]
    for hole, arguments in holes:
        with pytest.raises(NotImplementedError):
            hole(*arguments)


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
    with pytest.raises(Overdue, match="waited in vain for job job/1: its last seen state is 'running'"):
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


def test_execution_timeout_counts_when_it_is_shorter(context_of):
    assert building(execution_timeout=timedelta(seconds=5))._deadline() == pytest.approx(time.time() + 5, abs=1)
    longer = building(execution_timeout=timedelta(hours=5), wait_timeout=7)
    assert longer._deadline() == pytest.approx(time.time() + 7, abs=1)


@pytest.mark.parametrize(("cancel_on_kill", "state"), [(True, "cancelled"), (False, "done")])
def test_a_kill_while_waiting_ends_the_remote_work_unless_told_otherwise(
    hook: ToyHook, toy: Toy, context_of, cancel_on_kill, state
):
    operator = building(looks=10_000, wait_timeout=3, deferrable=False, cancel_on_kill=cancel_on_kill)
    killed: list[BaseException] = []

    def work() -> None:
        try:
            operator.execute(context_of(operator))
        except (ProductError, AirflowFailException) as error:
            killed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    while toy.times("GET", "/jobs") < 2:
        time.sleep(0.01)
    operator.on_kill()
    assert toy.jobs["job/1"]["state"] == state
    toy.jobs["job/1"]["looks"] = 0
    worker.join(10)
    assert not worker.is_alive()


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
    assert arguments.pop("deadline") == pytest.approx(time.time() + 60, abs=5)
    assert arguments == {
        "question": "tests.core.toy.JOB",
        "conn_id": "toy_default",
        "key": "job/1",
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
    hook: ToyHook, served, context_of, status, failure
):
    operator = building(deferrable=True)
    context = context_of(operator)
    deferral = deferred(operator, context)
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


# the key of a round


def test_the_key_stays_the_same_when_a_task_is_tried_again(context_of):
    context = context_of(BuildOperator(task_id="build", job="house", retries=3))
    first = round_key(context)
    context["ti"].try_number = 3
    assert round_key(context) == first
    assert len(first) == 32
    assert int(first, 16) >= 0


def test_the_key_is_another_one_after_a_person_cleared_the_task(context_of):
    context = context_of(BuildOperator(task_id="build", job="house", retries=3))
    first = round_key(context)
    context["ti"].try_number, context["ti"].max_tries = 2, 4  # Airflow allows as many tries again
    assert round_key(context) != first


def test_the_key_is_another_one_for_every_task_run_and_mapped_piece(context_of):
    build, paint = BuildOperator(task_id="build", job="house"), BuildOperator(task_id="paint", job="house")
    contexts = [
        context_of(build),
        context_of(build, run_id="run2"),
        context_of(build, map_index=0),
        context_of(build, map_index=1),
        context_of(paint),
    ]
    assert len({round_key(context) for context in contexts}) == 5


# the link


def test_the_link_is_stored_as_soon_as_there_is_something_to_see(hook: ToyHook, context_of):
    operator = BuildOperator(task_id="build", job="house")
    context = context_of(operator)
    operator.execute(context)
    assert context["ti"].pushed == {LINK_KEY: "https://toy.example.com/job/1"}


@pytest.mark.parametrize(
    ("stored", "link"), [("https://toy.example.com/job/1", "https://toy.example.com/job/1"), (None, "")]
)
def test_the_button_leads_to_the_stored_link_or_nowhere_yet(monkeypatch, stored, link):
    asked: list[Any] = []

    def get_value(*, ti_key: Any, key: str) -> Any:
        asked.append((ti_key, key))
        return stored

    monkeypatch.setattr(XCom, "get_value", get_value)  # Airflow's, which wants a metadata database
    operator = BuildOperator(task_id="build", job="house")
    [button] = operator.operator_extra_links
    assert isinstance(button, ProductLink)
    assert button.get_link(operator, ti_key="the task") == link
    assert asked == [("the task", LINK_KEY)]
