"""A task that is tried again goes on waiting for what its earlier try started; one that is cleared starts anew."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.core.errors import Overdue
from self_hosted.core.reattach import KEY, remember
from tests.core.building import building, deferred, resumed
from tests.core.toy import BuildAndWaitOperator, Toy, ToyHook
from tests.core.waits import jobs

either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


def executed(context: Any, **arguments: Any) -> Any:
    """Execute to the end, deferral included."""
    operator = building(**arguments)
    try:
        return operator.execute(context)
    except TaskDeferred as deferral:
        return resumed(building(**arguments), context, deferral)


@either_way
def test_a_try_that_was_killed_is_gone_on_with(hook: ToyHook, toy: Toy, context_of, deferrable):
    operator = building(deferrable=True)
    context = context_of(operator)
    deferred(operator, context)  # and then its worker, or all of Airflow, is gone
    context["ti"].try_number = 2
    assert executed(context, deferrable=deferrable) == {"id": "job/1", "state": "done"}
    assert toy.times("POST", "/jobs") == 1


@either_way
def test_what_is_found_again_has_its_link_as_well(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    jobs(toy, house=0)
    remember(context, {"id": "house"})
    executed(context, deferrable=deferrable)
    assert context["ti"].pushed == {"product_url": "https://toy.example.com/house"}


@either_way
def test_success_removes_what_was_stored(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    executed(context, deferrable=deferrable)
    assert context["task_state_store"].kept == {}
    executed(context, deferrable=deferrable)
    assert toy.times("POST", "/jobs") == 2


@either_way
def test_a_task_that_a_person_cleared_starts_anew_and_ends_what_nobody_ended(
    hook: ToyHook, toy: Toy, context_of, deferrable
):
    context = context_of(building())
    jobs(toy, older=10_000)
    remember(context, {"id": "older"})
    context["ti"].max_tries += 1  # Airflow grants as many tries again
    assert executed(context, deferrable=deferrable) == {"id": "job/2", "state": "done"}
    assert toy.jobs["older"]["state"] == "cancelled"


@either_way
def test_after_the_deadline_a_retry_starts_anew_since_the_work_was_cancelled(
    hook: ToyHook, toy: Toy, context_of, deferrable
):
    context = context_of(building())
    with pytest.raises(Overdue):
        executed(context, deferrable=deferrable, looks=10_000, wait_timeout=0.2)
    assert toy.jobs["job/1"]["state"] == "cancelled"
    assert executed(context, deferrable=deferrable) == {"id": "job/2", "state": "done"}


@either_way
def test_what_disappeared_between_two_tries_is_an_error_that_says_so(hook: ToyHook, context_of, deferrable):
    context = context_of(building())
    remember(context, {"id": "deleted"})
    with pytest.raises((Overdue, AirflowFailException), match="job deleted"):
        executed(context, deferrable=deferrable, wait_timeout=0.2)


@either_way
def test_it_can_be_turned_off(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    remember(context, {"id": "of an earlier try"})
    kept = dict(context["task_state_store"].kept)
    assert executed(context, deferrable=deferrable, durable=False) == {"id": "job/1", "state": "done"}
    assert context["task_state_store"].kept == kept


class StartWatched(BuildAndWaitOperator):
    """Notes what it is told about earlier tries when it starts."""

    def start(self, context: Any) -> dict[str, Any]:
        self.told = self.interrupted
        return super().start(context)


def watched(context: Any, **arguments: Any) -> bool:
    operator = StartWatched(task_id="build", job="house", poll_interval=0.05, deferrable=False, **arguments)
    operator.execute(context)
    return operator.told


def test_a_try_that_was_killed_while_it_started_something_is_known_to_the_next(hook: ToyHook, served, context_of):
    context = context_of(building())
    assert not watched(context)
    served.fail("status", status=403, method="POST", path="/jobs")  # as good as any end in the middle of the start
    with pytest.raises(AirflowFailException):
        executed(context, deferrable=False)
    assert watched(context)
    assert not watched(context)


@pytest.mark.parametrize("without", ["a store", "durability"])
def test_where_nothing_tells_every_retry_may_follow_such_a_try(hook: ToyHook, context_of, without):
    context = context_of(building())
    arguments = {"durable": False} if without == "durability" else {}
    if without == "a store":
        del context["task_state_store"]
    assert not watched(context, **arguments)
    context["ti"].try_number = 2
    assert watched(context, **arguments)


def test_what_needs_no_wait_is_not_stored(hook: ToyHook, context_of):
    context = context_of(building())
    executed(context, job="nothing")
    assert KEY not in context["task_state_store"].kept


@either_way
def test_an_airflow_without_a_store_does_without(hook: ToyHook, context_of, deferrable):
    context = context_of(building())
    del context["task_state_store"]
    assert executed(context, deferrable=deferrable) == {"id": "job/1", "state": "done"}
