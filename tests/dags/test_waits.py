"""Waits in a real Airflow: a user ends the task, its process is killed, or it starts in the triggerer."""

from __future__ import annotations

import io
import os
import signal
import time

import pytest
from airflow import __version__ as airflow_version

from demo.environment import Environment
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Upload
from tests.dags.environment import TIMEOUT_SECONDS, wait_until
from tests.dags.wait_run import WaitRun

pytestmark = pytest.mark.airflow
before_33 = airflow_version.startswith(("3.1.", "3.2."))
calls_on_kill = pytest.mark.skipif(before_33, reason="Airflow calls on_kill of triggers since 3.3")
either_place = pytest.mark.parametrize("place", ["worker", pytest.param("triggerer", marks=calls_on_kill)])


@either_place
def test_marking_the_task_failed_cancels_the_remote_work(wait_runs: dict[str, WaitRun], place: str):
    run = wait_runs[f"mark {place}"]
    sid = run.wait_for_submission()
    assert run.api.list_links(run.task) == [f"{run.assemblyline_url}/submission/detail/{sid}"]  # while it waits
    run.api.set_state(run.task, "failed")
    wait_until(lambda: not run.list_submissions())
    assert run.task.state == "failed"


@either_place
def test_clearing_the_task_cancels_the_remote_work_and_starts_it_again(wait_runs: dict[str, WaitRun], place: str):
    run = wait_runs[f"clear {place}"]
    first = run.wait_for_submission()
    run.api.clear(run.task)
    [second] = wait_until(lambda: [sid for sid in run.list_submissions() if sid != first])
    wait_until(lambda: run.list_submissions() == [second])
    run.api.set_state(run.task, "failed")


def test_a_retry_resumes_the_wait_of_a_killed_worker(wait_runs: dict[str, WaitRun]):
    run = wait_runs["kill"]
    sid, pid = run.wait_for_submission(), run.pid
    os.kill(pid, signal.SIGTERM)  # the signal of a deployment; a user who ends the task causes the same one
    time.sleep(1)  # for a signal handler that cancels the remote work, which it must not
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: run.task.try_number == 2)
    assert run.wait_for_submission() == sid
    assert run.list_submissions() == [sid]
    run.api.set_state(run.task, "failed")


def test_a_finished_task_that_is_cleared_submits_again(wait_runs: dict[str, WaitRun]):
    run = wait_runs["finish"]
    assert run.wait_for_end() == "success"
    [first] = run.list_submissions()
    run.api.clear(run.task)
    wait_until(lambda: len(run.list_submissions()) == 2)
    assert run.wait_for_end() == "success"
    assert run.api.get_result(run.task)["sid"] != first


def test_a_sensor_that_starts_in_the_triggerer_needs_a_worker_for_its_result_only(
    environment: Environment, hook: AssemblylineHook
):
    content = b"from the trigger RIG-SLEEP:5"
    sid = hook.submit(Upload("file", lambda: io.BytesIO(content), len(content)), {})["sid"]
    environment.airflow.wait_for_dag("wait_from_trigger")
    run_id = environment.airflow.api.trigger_run("wait_from_trigger", {"sid": sid})
    *_, tasks = environment.airflow.api.watch_run("wait_from_trigger", run_id, TIMEOUT_SECONDS)
    assert {task.task_id: task.state for task in tasks} == {"wait": "success", "end": "success"}
    [wait] = [task for task in tasks if task.task_id == "wait"]
    assert environment.airflow.api.get_result(wait)["sid"] == sid
    [end] = [task for task in tasks if task.task_id == "end"]
    assert end.pid is None or before_33
    page = submissions.build_page_url(hook.settings.address.base_url, sid)
    assert [environment.airflow.api.list_links(task) for task in (wait, end)] == [[page], [page]]


@pytest.mark.skipif(before_33, reason="Airflow keeps nothing between the pokes before 3.3")
def test_a_rescheduled_sensor_fails_if_its_object_disappears(environment: Environment, hook: AssemblylineHook):
    api, content = environment.airflow.api, b"for a rescheduled sensor RIG-SLEEP:3600"
    sid = hook.submit(Upload("file", lambda: io.BytesIO(content), len(content)), {})["sid"]
    wait_until(lambda: hook.search("submission", {"query": f"sid:{sid}"}))
    environment.airflow.wait_for_dag("wait_rescheduled")
    run_id = api.trigger_run("wait_rescheduled", {"sid": sid})
    wait_until(lambda: [task.state for task in api.list_tasks("wait_rescheduled", run_id)] == ["up_for_reschedule"])
    hook.delete_submission(sid)
    *_, [task] = api.watch_run("wait_rescheduled", run_id, TIMEOUT_SECONDS)
    assert task.state == "failed"
    assert f"submission {sid} does not exist" in api.get_error(task)
