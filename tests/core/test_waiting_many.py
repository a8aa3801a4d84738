"""An operator that started several things waits for all of them; what becomes of one hides none of the others."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout, Context, TaskDeferred

from self_hosted.core.errors import Overdue
from self_hosted.core.question import imported
from self_hosted.core.trigger import WaitTrigger
from self_hosted.core.wait import Outcome
from self_hosted.core.waiting import WaitingOperator
from tests.core.building import resumed
from tests.core.toy import Toy, ToyHook, ToyLink, started
from tests.core.waits import jobs

either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
LONG = 10_000


class BuildManyOperator(WaitingOperator):
    """Starts several jobs and waits for all: {job: its state, or what went wrong}."""

    template_fields = ("jobs",)
    hook_class = "tests.core.toy.ToyHook"
    question = "tests.core.toy.SMALL"
    operator_extra_links = (ToyLink(),)

    def __init__(self, *, jobs: dict[str, int], toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs, self.toy_conn_id = jobs, toy_conn_id

    def start(self, context: Context) -> dict[str, Any]:
        return {"ids": {self.hook.run(started(name, looks, "done")): name for name, looks in self.jobs.items()}}

    def keys_of(self, started: dict[str, Any]) -> list[str]:
        return list(started["ids"])

    def page_of(self, started: dict[str, Any]) -> str:
        return "https://toy.example.com/jobs"

    def finish_all(self, context: Context, started: dict[str, Any], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        told = {key: type(one).__name__ if isinstance(one, Exception) else one.state for key, one in outcomes.items()}
        return {name: told[key] for key, name in started["ids"].items()}


def building(**arguments: Any) -> BuildManyOperator:
    return BuildManyOperator(**{
        "task_id": "build",
        "jobs": {"wall": 1, "roof": 0, "door": 2},
        "poll_interval": 0.05,
        "deferrable": False,
        **arguments,
    })


def executed(context: Any, **arguments: Any) -> Any:
    operator = building(**arguments)
    try:
        return operator.execute(context)
    except TaskDeferred as deferral:
        return resumed(building(**arguments), context, deferral)


@either_way
def test_it_waits_for_all(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    assert executed(context, deferrable=deferrable) == {"wall": "done", "roof": "done", "door": "done"}
    assert context["task_state_store"].kept == {}


@either_way
def test_one_that_is_not_there_does_not_hide_the_others(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    operator = building(jobs={"wall": 3, "roof": 0}, deferrable=True, poll_interval=0.2)
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(context)  # its worker is gone
    toy.jobs["job/2"]["state"] = "queued"
    threading.Timer(0.5, lambda: toy.jobs.pop("job/2")).start()
    again = building(poll_interval=0.2)
    assert (resumed(again, context, deferral.value) if deferrable else again.execute(context)) == {
        "wall": "done",
        "roof": "NotFound",
    }
    assert toy.times("POST", "/jobs") == 2


@either_way
def test_at_the_deadline_those_that_are_not_done_are_cancelled(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    result = executed(context, jobs={"wall": 0, "roof": LONG}, wait_timeout=0.4, deferrable=deferrable)
    assert result == {"wall": "done", "roof": "Overdue"}
    assert [job["state"] for job in toy.jobs.values()] == ["done", "cancelled"]
    assert toy.times("POST", "/jobs/job/1/cancel") == 0


@either_way
def test_a_try_that_was_killed_is_gone_on_with(hook: ToyHook, toy: Toy, context_of, deferrable):
    context = context_of(building())
    with pytest.raises(TaskDeferred):
        building(deferrable=True).execute(context)
    assert executed(context, deferrable=deferrable)["door"] == "done"
    assert toy.times("POST", "/jobs") == 3


def test_a_task_that_was_cleared_ends_all_that_nobody_ended(hook: ToyHook, toy: Toy, context_of):
    context = context_of(building())
    with pytest.raises(TaskDeferred):
        building(jobs={"a": LONG, "b": LONG}, deferrable=True).execute(context)
    context["ti"].max_tries += 1
    assert executed(context) == {"wall": "done", "roof": "done", "door": "done"}
    assert [job["state"] for job in toy.jobs.values()][:2] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(("state", "left"), [("failed", "cancelled"), ("queued", "done")])
def test_a_person_who_ends_the_task_ends_all_of_it(hook: ToyHook, toy: Toy, context_of, state, left):
    operator = building(jobs={"a": LONG, "b": LONG, "c": LONG})
    worker = threading.Thread(target=operator.execute, args=(context_of(operator, state=state),))
    worker.start()
    while toy.times("GET", "/jobs") < 3:
        time.sleep(0.01)
    operator.on_kill()
    states = {job["state"] for job in toy.jobs.values()}
    jobs(toy, **{name: 0 for name in toy.jobs})
    worker.join(10)
    assert states == {left}


async def test_a_person_who_ends_the_deferred_task_ends_all_of_it(hook: ToyHook, toy: Toy):
    jobs(toy, a=LONG, b=0, c=LONG)
    wait: dict[str, Any] = {
        "question": "tests.core.toy.SMALL",
        "conn_id": "toy_default",
        "since": 1.0,
        "deadline": time.time() + 30,
    }
    await WaitTrigger(**wait, keys=["a", "b", "c"], poll_interval=1, cancel_on_kill=True).on_kill()
    assert [toy.times("POST", f"/jobs/{name}/cancel") for name in ("a", "b", "c")] == [1, 0, 1]


class TimedOut(BuildManyOperator):
    """Comes to Airflow's time limit while it starts things."""

    def start(self, context: Any) -> dict[str, Any]:
        ids: list[str] = []
        with self.running(context, lambda: ids):
            ids.extend(super().start(context)["ids"])
            raise AirflowTaskTimeout("Timeout, PID: 1")


def test_the_time_limit_of_airflow_ends_what_was_started_until_then(hook: ToyHook, toy: Toy, context_of):
    operator = TimedOut(task_id="build", jobs={"a": LONG, "b": LONG}, deferrable=False)
    context = context_of(operator)
    with pytest.raises(Overdue, match="time was up"):
        operator.execute(context)
    assert {job["state"] for job in toy.jobs.values()} == {"cancelled"}
    assert context["task_state_store"].kept == {}


def test_the_trigger_of_a_thousand_is_of_a_sane_size(hook: ToyHook, toy: Toy):
    names = [f"5eD6BOoG6iO15vCtMC{number:04}" for number in range(1000)]
    jobs(toy, **dict.fromkeys(names, 0))
    wait: dict[str, Any] = {
        "question": "tests.core.toy.JOB",
        "conn_id": "toy_default",
        "since": 1.0,
        "deadline": time.time() + 30,
    }
    path, stored = WaitTrigger(**wait, keys=names, poll_interval=1).serialize()
    assert len(json.dumps(stored)) < 40_000

    async def event() -> Any:
        return await anext(imported(path)(**stored).run())

    assert set(asyncio.run(event()).payload["outcomes"]) == set(names)
    assert toy.times("GET", "/jobs") == 20
