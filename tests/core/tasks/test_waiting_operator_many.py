"""An operator that submits several jobs and waits for all of them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowTaskTimeout, Context, TaskDeferred

from self_hosted.core.http.errors import WaitTimeoutError
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from self_hosted.core.wait.pending import Outcome
from self_hosted.core.wait.trigger import WaitTrigger
from tests.core.tasks.build_task import resume
from tests.core.toy import Toy, ToyHook, ToyLink, submit_job
from tests.core.wait.poller_tasks import seed_jobs

either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
LONG = 10_000


class BuildManyOperator(WaitingOperator):
    """Submits several jobs and returns the state or the error class of each."""

    template_fields = ("jobs",)
    hook_class = "tests.core.toy.ToyHook"
    wait_spec = "tests.core.toy.SMALL_BATCHES"
    operator_extra_links = (ToyLink(),)

    def __init__(self, *, jobs: dict[str, int], toy_conn_id: str = "toy_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.jobs, self.toy_conn_id = jobs, toy_conn_id

    def submit(self, context: Context) -> dict[str, Any]:
        return {"ids": {self.hook.run(submit_job(name, polls, "done")): name for name, polls in self.jobs.items()}}

    def external_ids(self, submitted: dict[str, Any]) -> list[str]:
        return list(submitted["ids"])

    def external_url(self, submitted: dict[str, Any]) -> str:
        return "https://toy.example.com/jobs"

    def build_combined_result(
        self, context: Context, submitted: dict[str, Any], outcomes: Mapping[str, Outcome]
    ) -> dict[str, Any]:
        states = {
            key: type(outcome).__name__ if isinstance(outcome, Exception) else outcome.state
            for key, outcome in outcomes.items()
        }
        return {name: states[key] for key, name in submitted["ids"].items()}


def make_operator(**arguments: Any) -> BuildManyOperator:
    return BuildManyOperator(**{
        "task_id": "build",
        "jobs": {"wall": 1, "roof": 0, "door": 2},
        "poll_interval": 0.05,
        "deferrable": False,
        **arguments,
    })


def execute_to_end(context: Any, **arguments: Any) -> Any:
    operator = make_operator(**arguments)
    try:
        return operator.execute(context)
    except TaskDeferred as deferral:
        return resume(make_operator(**arguments), context, deferral)


@either_way
def test_it_waits_for_all(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    assert execute_to_end(context, deferrable=deferrable) == {"wall": "done", "roof": "done", "door": "done"}
    assert context["task_state_store"].values == {}


def delete_after_first_poll(toy: Toy, job_id: str) -> None:
    while not toy.count_requests("GET", "/jobs"):
        time.sleep(0.01)
    del toy.jobs[job_id]


@either_way
def test_a_deleted_job_does_not_hide_the_others(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    jobs = {"wall": 1, "roof": 0}
    operator = make_operator(jobs=jobs, deferrable=True, poll_interval=0.2)
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(context)  # its worker crashes
    toy.jobs["job-2"]["state"] = "queued"
    threading.Thread(target=delete_after_first_poll, args=(toy, "job-2"), daemon=True).start()
    retry = make_operator(jobs=jobs, poll_interval=0.2)
    assert (resume(retry, context, deferral.value) if deferrable else retry.execute(context)) == {
        "wall": "done",
        "roof": "NotFoundError",
    }
    assert toy.count_requests("POST", "/jobs") == 2


@either_way
def test_at_the_deadline_only_running_jobs_are_cancelled(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    result = execute_to_end(context, jobs={"wall": 0, "roof": LONG}, wait_timeout=0.4, deferrable=deferrable)
    assert result == {"wall": "done", "roof": "WaitTimeoutError"}
    assert [job["state"] for job in toy.jobs.values()] == ["done", "cancelled"]
    assert toy.count_requests("POST", "/jobs/job-1/cancel") == 0


@either_way
def test_a_retry_resumes_the_wait_of_a_killed_try(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    with pytest.raises(TaskDeferred):
        make_operator(deferrable=True).execute(context)
    assert execute_to_end(context, deferrable=deferrable)["door"] == "done"
    assert toy.count_requests("POST", "/jobs") == 3


def test_a_cleared_task_cancels_all_old_jobs(hook: ToyHook, toy: Toy, make_context):
    context = make_context(make_operator())
    with pytest.raises(TaskDeferred):
        make_operator(jobs={"a": LONG, "b": LONG}, deferrable=True).execute(context)
    context["ti"].max_tries += 1
    assert execute_to_end(context) == {"wall": "done", "roof": "done", "door": "done"}
    assert [job["state"] for job in toy.jobs.values()][:2] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(("state", "expected"), [("failed", "cancelled"), ("queued", "done")])
def test_a_user_who_ends_the_task_cancels_all_jobs(hook: ToyHook, toy: Toy, make_context, state, expected):
    operator = make_operator(jobs={"a": LONG, "b": LONG, "c": LONG})
    worker = threading.Thread(target=operator.execute, args=(make_context(operator, state=state),))
    worker.start()
    while toy.count_requests("GET", "/jobs") < 3:
        time.sleep(0.01)
    operator.on_kill()
    states = {job["state"] for job in toy.jobs.values()}
    seed_jobs(toy, **{name: 0 for name in toy.jobs})
    worker.join(60)
    assert states == {expected}


async def test_on_kill_of_the_trigger_cancels_all_running_jobs(hook: ToyHook, toy: Toy):
    seed_jobs(toy, a=LONG, b=0, c=LONG)
    arguments: dict[str, Any] = {
        "wait_spec": "tests.core.toy.SMALL_BATCHES",
        "conn_id": "toy_default",
        "since": 1.0,
        "deadline": time.time() + 30,
    }
    await WaitTrigger(**arguments, keys=["a", "b", "c"], poll_interval=1, cancel_on_kill=True).on_kill()
    assert [toy.count_requests("POST", f"/jobs/{name}/cancel") for name in ("a", "b", "c")] == [1, 0, 1]


class TimedOutOperator(BuildManyOperator):
    """Reaches the execution timeout during its submit."""

    def submit(self, context: Any) -> dict[str, Any]:
        ids: list[str] = []
        with self.cancelling_on_end(context, lambda: ids):
            ids.extend(super().submit(context)["ids"])
            raise AirflowTaskTimeout("Timeout, PID: 1")


def test_the_execution_timeout_cancels_the_jobs_submitted_so_far(hook: ToyHook, toy: Toy, make_context):
    operator = TimedOutOperator(task_id="build", jobs={"a": LONG, "b": LONG}, deferrable=False)
    context = make_context(operator)
    with pytest.raises(WaitTimeoutError, match="timed out before each job was submitted"):
        operator.execute(context)
    assert {job["state"] for job in toy.jobs.values()} == {"cancelled"}
    assert context["task_state_store"].values == {}


def test_the_trigger_of_a_thousand_ids_is_small(hook: ToyHook, toy: Toy):
    names = [f"5eD6BOoG6iO15vCtMC{number:04}" for number in range(1000)]
    seed_jobs(toy, **dict.fromkeys(names, 0))
    arguments: dict[str, Any] = {
        "wait_spec": "tests.core.toy.JOB",
        "conn_id": "toy_default",
        "since": 1.0,
        "deadline": time.time() + 30,
    }
    path, stored = WaitTrigger(**arguments, keys=names, poll_interval=1).serialize()
    assert len(json.dumps(stored)) < 40_000

    async def run_trigger() -> Any:
        return await anext(import_string(path)(**stored).run())

    assert set(asyncio.run(run_trigger()).payload["outcomes"]) == set(names)
    assert toy.count_requests("GET", "/jobs") == 20
