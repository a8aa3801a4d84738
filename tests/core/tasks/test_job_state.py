"""Job state: a retry resumes the wait of the earlier try; a cleared task submits again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.core.http.errors import WaitTimeoutError
from self_hosted.core.tasks.job_state import KEY, save_job_state
from tests.core.tasks.build_task import execute_until_deferred, make_operator, resume
from tests.core.toy import BuildAndWaitOperator, Toy, ToyHook
from tests.core.wait.poller_tasks import seed_jobs

either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


def execute_to_end(context: Any, **arguments: Any) -> Any:
    """Execute to the end, deferral included."""
    operator = make_operator(**arguments)
    try:
        return operator.execute(context)
    except TaskDeferred as deferral:
        return resume(make_operator(**arguments), context, deferral)


@either_way
def test_a_retry_resumes_the_wait_of_a_killed_try(hook: ToyHook, toy: Toy, make_context, deferrable):
    operator = make_operator(deferrable=True)
    context = make_context(operator)
    execute_until_deferred(operator, context)  # the worker crashes here
    context["ti"].try_number = 2
    assert execute_to_end(context, deferrable=deferrable) == {"id": "job-1", "state": "done"}
    assert toy.count_requests("POST", "/jobs") == 1


@either_way
def test_resumed_work_has_its_link(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    seed_jobs(toy, house=0)
    save_job_state(context, {"id": "house"}, make_operator().fingerprint())
    execute_to_end(context, deferrable=deferrable)
    assert context["ti"].pushed == {"product_url": "https://toy.example.com/house"}


@either_way
def test_success_clears_the_job_state(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    execute_to_end(context, deferrable=deferrable)
    assert context["task_state_store"].values == {}
    execute_to_end(context, deferrable=deferrable)
    assert toy.count_requests("POST", "/jobs") == 2


@either_way
def test_a_cleared_task_cancels_the_old_work_and_submits_again(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    seed_jobs(toy, older=10_000)
    save_job_state(context, {"id": "older"})
    context["ti"].max_tries += 1  # Airflow adds the same number of tries
    assert execute_to_end(context, deferrable=deferrable) == {"id": "job-2", "state": "done"}
    assert toy.jobs["older"]["state"] == "cancelled"


def test_a_cleared_task_spares_the_old_work_without_cancel_on_kill(hook: ToyHook, toy: Toy, make_context):
    context = make_context(make_operator())
    seed_jobs(toy, older=10_000)
    save_job_state(context, {"id": "older"})
    context["ti"].max_tries += 1
    assert execute_to_end(context, cancel_on_kill=False)["id"] == "job-2"
    assert toy.jobs["older"]["state"] != "cancelled"


@either_way
def test_a_retry_after_a_timeout_submits_again(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    with pytest.raises(WaitTimeoutError):
        execute_to_end(context, deferrable=deferrable, polls=10_000, wait_timeout=0.2)
    assert toy.jobs["job-1"]["state"] == "cancelled"
    assert execute_to_end(context, deferrable=deferrable) == {"id": "job-2", "state": "done"}


@either_way
def test_work_that_was_deleted_between_two_tries_is_an_error(hook: ToyHook, make_context, deferrable):
    context = make_context(make_operator())
    save_job_state(context, {"id": "deleted"}, make_operator().fingerprint())
    with pytest.raises((WaitTimeoutError, AirflowFailException), match="job deleted"):
        execute_to_end(context, deferrable=deferrable, wait_timeout=0.2)


@either_way
def test_durable_false_ignores_the_job_state(hook: ToyHook, toy: Toy, make_context, deferrable):
    context = make_context(make_operator())
    save_job_state(context, {"id": "earlier"})
    saved = dict(context["task_state_store"].values)
    assert execute_to_end(context, deferrable=deferrable, durable=False) == {"id": "job-1", "state": "done"}
    assert context["task_state_store"].values == saved


@either_way
def test_a_retry_with_other_arguments_submits_again_and_cancels_the_old_work(
    hook: ToyHook, toy: Toy, make_context, deferrable, caplog
):
    operator = make_operator(deferrable=True, polls=10_000)
    context = make_context(operator)
    execute_until_deferred(operator, context)  # the worker crashes here
    context["ti"].try_number = 2
    assert execute_to_end(context, deferrable=deferrable, job="castle")["id"] == "job-2"
    assert toy.jobs["job-1"]["state"] == "cancelled"
    assert "job job-1 of an earlier try had other arguments; it is replaced by job job-2" in caplog.text


def test_a_retry_with_other_arguments_spares_the_old_work_without_cancel_on_kill(hook: ToyHook, toy: Toy, make_context):
    operator = make_operator(deferrable=True, polls=10_000)
    context = make_context(operator)
    execute_until_deferred(operator, context)
    assert execute_to_end(context, job="castle", cancel_on_kill=False)["id"] == "job-2"
    assert toy.jobs["job-1"]["state"] != "cancelled"


class FindingOperator(BuildAndWaitOperator):
    """Finds the job of the earlier try, as products do, and records whether its search took longer."""

    found: ClassVar[dict[str, Any]] = {"id": "house"}

    def submit(self, context: Any) -> dict[str, Any]:
        assert not self.previous_attempt_unknown
        return self.found


def test_work_that_the_product_finds_despite_other_arguments_goes_on(hook: ToyHook, toy: Toy, make_context, caplog):
    context = make_context(make_operator())
    seed_jobs(toy, house=0)
    save_job_state(context, {"id": "house"}, "the fingerprint of other arguments")
    operator = FindingOperator(task_id="build", job="castle", poll_interval=0.05, deferrable=False)
    assert operator.execute(context) == {"id": "house", "state": "done"}
    assert "other arguments" not in caplog.text


def test_arguments_that_change_during_the_submit_count_as_the_earlier_ones(hook: ToyHook, toy: Toy, make_context):
    """What was submitted is what the arguments were before: a file may be replaced while it is sent."""

    class Changing(BuildAndWaitOperator):
        def submit(self, context: Any) -> Any:
            submitted = super().submit(context)
            self.job = "castle"
            return submitted

    context = make_context(make_operator())
    execute_until_deferred(Changing(task_id="build", job="house", deferrable=True), context)
    assert execute_to_end(context)["id"] == "job-1"


def test_the_fingerprint_depends_on_the_template_fields_only():
    fingerprints = [
        make_operator(**arguments).fingerprint()
        for arguments in ({}, {"wait_timeout": 5}, {"job": "castle"}, {"job": Path("house")}, {"job": Path("castle")})
    ]
    assert fingerprints[0] == fingerprints[1] == fingerprints[3]
    assert fingerprints[2] == fingerprints[4] != fingerprints[0]


class RecordingOperator(BuildAndWaitOperator):
    """Records `previous_attempt_unknown` during its submit."""

    def submit(self, context: Any) -> dict[str, Any]:
        self.recorded = self.previous_attempt_unknown
        return super().submit(context)


def submit_and_record(context: Any, **arguments: Any) -> bool:
    operator = RecordingOperator(task_id="build", job="house", poll_interval=0.05, deferrable=False, **arguments)
    operator.execute(context)
    return operator.recorded


def test_a_try_that_was_killed_during_its_submit_is_recognized(hook: ToyHook, served, make_context):
    context = make_context(make_operator())
    assert not submit_and_record(context)
    served.fail("status", status=403, method="POST", path="/jobs")  # stands for any end during the submit
    with pytest.raises(AirflowFailException):
        execute_to_end(context, deferrable=False)
    assert submit_and_record(context)
    assert not submit_and_record(context)


@pytest.mark.parametrize("missing", ["store", "durability"])
def test_without_job_state_every_retry_may_follow_an_interrupted_submit(hook: ToyHook, make_context, missing):
    context = make_context(make_operator())
    arguments = {"durable": False} if missing == "durability" else {}
    if missing == "store":
        del context["task_state_store"]
    assert not submit_and_record(context, **arguments)
    context["ti"].try_number = 2
    assert submit_and_record(context, **arguments)


def test_work_without_a_wait_leaves_no_job_state(hook: ToyHook, make_context):
    context = make_context(make_operator())
    execute_to_end(context, job="nothing")
    assert KEY not in context["task_state_store"].values


@either_way
def test_a_task_runs_without_a_state_store(hook: ToyHook, make_context, deferrable):
    context = make_context(make_operator())
    del context["task_state_store"]
    assert execute_to_end(context, deferrable=deferrable) == {"id": "job-1", "state": "done"}
