"""AssemblylineSubmitFileOperator against the sandbox, in a worker and deferred."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.assemblyline.api.submissions import idempotency
from self_hosted.assemblyline.operators import AssemblylineLink, AssemblylineSubmitFileOperator
from self_hosted.core.http.errors import ConcurrencyQuotaError, OutcomeUnknownError, WaitTimeoutError
from self_hosted.core.tasks.operator import LINK_KEY
from tests.assemblyline.conftest import upload
from tests.context import context, executed, first_event

SUBMIT = {"method": "POST", "path": "/api/v4/submit/"}


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


def operator(**arguments):
    return AssemblylineSubmitFileOperator(
        task_id="scan", **{"deferrable": False, "poll_interval": 0.02, "wait_timeout": 60, **arguments}
    )


def run(arguments, **ti_fields):
    """Return the result of the operator, in a worker or deferred."""
    return executed(lambda: operator(**arguments), context(operator(**arguments), **ti_fields))


def rows(served):
    return served.tables()["submissions"]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_file_is_submitted_and_its_verdict_returned(served, write, deferrable):
    result = run({"file": write("RIG-SCORE:350 RIG-CHILD:x"), "deferrable": deferrable})
    sid = result.pop("sid")
    assert result == {
        "sha256": hashlib.sha256(b"RIG-SCORE:350 RIG-CHILD:x").hexdigest(),
        "state": "completed",
        "max_score": 350,
        "verdict": "suspicious",
        "file_count": 2,
        "error_count": 0,
        "url": f"{served.base_url}/submission/detail/{sid}",
    }
    assert rows(served)[0]["name"] == "sample.txt"


@pytest.mark.parametrize("content", ["RIG-SCORE:1000 é", b"RIG-SCORE:1000"])
def test_text_and_bytes_are_submitted_under_their_name(served, content):
    assert run({"content": content, "name": "näme ☃.txt"})["verdict"] == "malicious"
    assert rows(served)[0]["name"] == "näme ☃.txt"


def test_a_file_in_an_object_store_is_submitted(served, write):
    assert run({"file": f"file://{write('RIG-SCORE:1')}"})["max_score"] == 1
    assert rows(served)[0]["name"] == "sample.txt"


def test_a_file_may_be_a_path_object(write):
    assert run({"file": Path(write("RIG-SCORE:2"))})["max_score"] == 2


def test_the_files_of_an_archive_count(served, tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "RIG-SCORE:10")
        archive.writestr("b", "RIG-SCORE:700")
    result = run({"file": str(path)})
    assert (result["file_count"], result["max_score"], result["verdict"]) == (3, 700, "highly_suspicious")


def test_the_verdict_uses_the_bands_of_the_server(served, write):
    served.seed({"configuration": {"submission.verdicts.malicious": 50}})
    assert run({"file": write("RIG-SCORE:50")})["verdict"] == "malicious"


def test_a_failed_service_is_counted_and_does_not_fail_the_task(served, write):
    result = run({"file": write("RIG-FAIL")})
    assert (result["state"], result["error_count"]) == ("completed", 1)


def test_metadata_params_and_profile_are_sent(served, write):
    arguments = {
        "metadata": {"case": {"number": 7}},
        "submission_params": {"priority": 500},
        "submission_profile": "static",
    }
    sid = run({"file": write("x"), **arguments})["sid"]
    document = served.product.store.submissions[sid].document
    assert document["metadata"]["case.number"] == "7"
    assert document["params"]["priority"] == 500


@pytest.mark.parametrize("limit", [{"fail_on_score": 500}, {"fail_on_verdict": "suspicious"}])
def test_a_reached_limit_fails_the_task_with_verdict_and_link(write, limit):
    with pytest.raises(AirflowFailException, match=r"is highly_suspicious, with a score of 800: http.*/detail/"):
        run({"file": write("RIG-SCORE:800"), **limit})


def test_the_link_opens_the_submission_while_the_task_waits(served, write):
    task = operator(file=write("x"), deferrable=True)
    task_context = context(task)
    with pytest.raises(TaskDeferred):
        task.execute(task_context)
    assert task_context["ti"].xcoms[LINK_KEY] == f"{served.base_url}/submission/detail/{rows(served)[0]['sid']}"
    assert isinstance(task.operator_extra_links[0], AssemblylineLink)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of file, content"),
        ({"file": "/a", "content": "a"}, "give exactly one of file, content"),
        ({"file": "/no/such/file"}, "file: '/no/such/file' does not exist"),
        ({"file": "file:///no/such/file"}, "does not exist"),
        ({"file": "/"}, "file must be the path or URI of a file, not '/'"),
        ({"content": "a"}, "name is missing"),
        ({"content": "", "name": "a"}, "content must be non-empty text or bytes"),
        ({"content": 7.5, "name": "a"}, "content must be a text, not 7.5"),
        ({"content": "a", "name": "a", "metadata": ["a"]}, "metadata must be a dictionary"),
        ({"content": "a", "name": "a", "metadata": {"a": object()}}, "metadata must consist of plain JSON values"),
        ({"content": "a", "name": "a", "metadata": {"airflow_task": "x"}}, "metadata must not hold 'airflow_task'"),
        ({"content": "a", "name": "a", "submission_params": "x"}, "submission_params must be a dictionary"),
        ({"content": "a", "name": "a", "submission_params": {"prio": 1}}, "submission_params: unknown prio"),
        ({"content": "a", "name": "a", "fail_on_score": "many"}, "fail_on_score must be a whole number"),
        ({"content": "a", "name": "a", "fail_on_verdict": "bad"}, "fail_on_verdict must be one of info, suspicious"),
        ({"content": "a", "name": "a", "submission_profile": "nosuch"}, "Select one of"),
    ],
)
def test_an_invalid_argument_is_named_before_anything_is_submitted(served, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(arguments)
    assert rows(served) == []


def test_an_empty_file_is_rejected_before_it_is_sent(served, write):
    with pytest.raises(AirflowFailException, match="is empty"):
        run({"file": write("")})


def test_a_file_too_large_for_the_server_is_rejected_before_it_is_sent(served, write):
    served.seed({"configuration": {"submission.max_file_size": 3}})
    with pytest.raises(AirflowFailException, match=r"has 4 bytes; this server accepts at most 3"):
        run({"file": write("1234")})


def test_dag_parsing_sends_no_request_and_reads_no_file():
    AssemblylineSubmitFileOperator(task_id="a", file="{{ nothing }}", assemblyline_conn_id="nosuch")


def test_arguments_are_templated(served, write):
    path = write("RIG-SCORE:600")
    task = operator(file="{{ path }}", metadata={"run": "{{ run }}"}, fail_on_score="{{ limit }}")
    task.render_template_fields({"path": path, "run": "r1", "limit": 601}, jinja_env=task.get_template_env())
    assert task.execute(context(task))["max_score"] == 600
    assert '"run": "r1"' in rows(served)[0]["metadata"]


def test_mappings_may_be_rendered_by_a_template(served):
    content = {"content": "x", "name": "a", "metadata": "{'case': '7'}", "submission_params": '{"priority": 321}'}
    document = served.product.store.submissions[run(content)["sid"]].document
    assert (document["metadata"]["case"], document["params"]["priority"]) == ("7", 321)


# Exactly once


def test_a_retry_finds_the_submission_of_the_earlier_try(served, write):
    path = write("x")
    first = run({"file": path, "retries": 2}, max_tries=2, try_number=1)
    again = run({"file": path, "retries": 2}, max_tries=2, try_number=2)
    assert first == again
    assert len(rows(served)) == 1


def test_clearing_the_task_makes_a_new_submission(served, write):
    path = write("x")
    run({"file": path, "retries": 2}, max_tries=2)
    run({"file": path, "retries": 2}, max_tries=3)
    assert len(rows(served)) == 2


def test_a_retry_after_a_cancelled_wait_ignores_the_cancelled_submission(served, write):
    path = write("RIG-SCORE:900 RIG-SLEEP:1")
    with pytest.raises(WaitTimeoutError):
        run({"file": path, "wait_timeout": 0.1})
    for submission in served.product.store.submissions.values():
        submission.completed_at = 0
    assert run({"file": path})["max_score"] == 900
    assert len(rows(served)) == 2


def test_each_mapped_task_has_its_own_submission(served, write):
    for index in range(3):
        run({"file": write("same")}, map_index=index)
    assert len(rows(served)) == 3


def test_a_response_lost_after_the_work_makes_no_second_submission(served, write):
    served.fail("drop", **SUBMIT)
    assert run({"file": write("RIG-SCORE:5")})["max_score"] == 5
    assert len(rows(served)) == 1


def test_a_lost_response_is_recovered_when_the_index_lags(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", (0.1, 0.2, 0.4, 0.8))
    served.seed({"index_lag": 0.3})
    served.fail("drop", **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_a_timeout_after_the_work_makes_no_second_submission(served, write, monkeypatch):
    monkeypatch.setattr(
        "self_hosted.core.http.transport.LONG_RUNNING_TIMEOUT_FACTOR", 0.005
    )  # of the connection's 60 seconds
    served.fail("slow_after", seconds=0.6, **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_a_connection_closed_before_the_work_makes_one_submission(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", (0.01,))
    served.fail("refuse", **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_two_lost_requests_without_an_effect_are_left_to_the_retries(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", ())
    served.fail("refuse", times=2, **SUBMIT)
    with pytest.raises(OutcomeUnknownError):
        run({"file": write("x")})
    assert rows(served) == []


def test_a_request_that_a_busy_proxy_rejects_is_repeated(served, write):
    served.fail("status", status=503, headers={"Retry-After": "0"}, times=2, **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_a_daily_quota_fails_at_once(served, write):
    served.seed({"quotas": {"daily_submissions": 1}})
    run({"file": write("x")}, map_index=0)
    with pytest.raises(AirflowFailException, match="daily maximum submission quota of 1"):
        run({"file": write("x")}, map_index=1)


def test_the_task_waits_for_the_quota_of_running_submissions(served, write):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0.3})
    task = operator(file=write("y"), deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task, map_index=1))
    assert run({"file": write("z")}, map_index=2)["state"] == "completed"


def test_a_quota_that_stays_full_is_left_to_the_retries(served, write, connect):
    connect("assemblyline_default", served.connection(extra={"retry_timeout": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}})
    task = operator(file=write("RIG-SLEEP:60"), deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task, map_index=0))
    with pytest.raises(ConcurrencyQuotaError, match="concurrent submission quota of 1"):
        run({"file": write("y"), "wait_timeout": 0.5}, map_index=1)


def test_the_wait_for_the_quota_outlasts_the_retries_of_the_connection(served, write, connect):
    connect("assemblyline_default", served.connection(extra={"retry_timeout": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0.5})
    task = operator(file=write("x"), deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task, map_index=0))
    assert run({"file": write("y")}, map_index=1)["state"] == "completed"


# Duplicates


@pytest.fixture
def duplicated(served, write, monkeypatch):
    """The arguments of a task that makes a duplicate: the first response is lost, and the index lags."""
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", ())
    served.seed({"index_lag": 0.2})
    served.fail("drop", **SUBMIT)
    return {"file": write("RIG-SLEEP:0.5 RIG-SCORE:5")}


def test_a_duplicate_is_cancelled_at_the_end_of_the_task(served, duplicated):
    result = run({**duplicated})
    assert [row["sid"] for row in rows(served)] == [result["sid"]]


def test_a_duplicate_is_cancelled_when_the_verdict_fails_the_task(served, duplicated):
    with pytest.raises(AirflowFailException, match="with a score of 5"):
        run({**duplicated, "fail_on_score": 5})
    assert len(rows(served)) == 1


def test_a_resubmission_by_a_user_is_not_cancelled(served, duplicated, write):
    task = operator(**duplicated, deferrable=True)
    task_context = context(task)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(task_context)
    metadata = next(iter(served.product.store.submissions.values())).document["metadata"]
    params = {"description": "Resubmit sample.txt for analysis"}
    resubmitted = task.hook.submit(upload("x"), {"metadata": metadata, "params": params})["sid"]
    event = asyncio.run(first_event(deferred.value.trigger))
    result = task.execute_complete(task_context, event.payload)
    assert {row["sid"] for row in rows(served)} == {resubmitted, result["sid"]}


def test_a_duplicate_that_cannot_be_cancelled_does_not_affect_the_result(served, duplicated):
    served.fail("status", method="DELETE", status=403, path="/api/v4/submission/.*")
    assert run(duplicated)["max_score"] == 5
    assert len(rows(served)) == 2


# The end of the wait


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_deadline_cancels_the_submission(served, write, deferrable):
    with pytest.raises(WaitTimeoutError, match=r"submission .* last state is 'submitted'"):
        run({"file": write("RIG-SLEEP:60"), "deferrable": deferrable, "wait_timeout": 0.2})
    assert rows(served) == []


def test_the_execution_timeout_applies_while_deferred(served, write):
    limit = timedelta(seconds=0.2)
    with pytest.raises(WaitTimeoutError):
        run({"file": write("RIG-SLEEP:60"), "deferrable": True, "wait_timeout": 60, "execution_timeout": limit})


def test_a_submission_that_is_deleted_during_the_wait_is_a_clear_error(served, write):
    task = operator(file=write("RIG-SLEEP:60"), deferrable=True)
    task_context = context(task)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(task_context)
    event = asyncio.run(_wait_while_deleting(deferred.value.trigger, served))
    with pytest.raises(AirflowFailException, match="does not exist"):
        task.execute_complete(task_context, event.payload, **(deferred.value.kwargs or {}))


async def _wait_while_deleting(trigger, served):
    waiting = asyncio.ensure_future(first_event(trigger))
    await asyncio.sleep(0)
    served.product.store.submissions.clear()
    return await waiting


@pytest.mark.parametrize(("cancel_on_kill", "left"), [(True, 0), (False, 1)])
def test_ending_the_task_cancels_its_submission_unless_disabled(served, write, cancel_on_kill, left):
    task = operator(file=write("RIG-SLEEP:60"), cancel_on_kill=cancel_on_kill)
    task_context = context(task)
    task_context["ti"].get_task_states = lambda run_ids, **_: {run_ids[0]: {"task": "failed"}}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        execution = pool.submit(task.execute, task_context)
        while not served.product.quotas.api_calls > 1:  # the search for its tag, and a look
            time.sleep(0.01)
        task.on_kill()
        assert len(rows(served)) == left
        served.product.store.submissions.clear()
        with pytest.raises(AirflowFailException, match="the task was ended by a user"):
            execution.result(10)


def test_a_missing_event_is_a_failure(write):
    task = operator(file=write("x"))
    with pytest.raises(Exception, match="unexpected trigger event"):
        task.execute_complete(context(task), None)


def test_the_trigger_holds_no_secret(served, write):
    task = operator(file=write("x"), deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    assert "secret" not in repr(deferred.value.trigger.serialize()) + repr(deferred.value.kwargs)


def test_the_metadata_key_is_the_documented_one():
    assert idempotency.METADATA_KEY == "airflow_task"
