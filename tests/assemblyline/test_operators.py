"""The operator, against the stand-in: in a worker and deferred, and whatever goes wrong."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import AssemblylineLink, AssemblylineSubmitFileOperator
from self_hosted.core.errors import Overdue, QuotaInUse, Uncertain
from self_hosted.core.operator import LINK_KEY
from tests.assemblyline.conftest import upload
from tests.context import context, executed, first_event

SUBMIT = {"method": "POST", "path": "/api/v4/submit/"}


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """All tests here have the default connection."""


def operator(**arguments):
    return AssemblylineSubmitFileOperator(
        task_id="scan", **{"deferrable": False, "poll_interval": 0.02, "wait_timeout": 20, **arguments}
    )


def run(arguments, **of_ti):
    """Run the operator in a worker, or deferred."""
    return executed(lambda: operator(**arguments), context(operator(**arguments), **of_ti))


def rows(served):
    return served.tables()["submissions"]


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_file_is_submitted_and_its_verdict_returned(served, write, deferrable):
    result = run({"file": write("RIG-SCORE:350 RIG-CHILD:x"), "deferrable": deferrable})
    sid = result.pop("sid")
    assert result == {
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


def test_a_file_of_an_object_store_is_submitted(served, write):
    assert run({"file": f"file://{write('RIG-SCORE:1')}"})["max_score"] == 1
    assert rows(served)[0]["name"] == "sample.txt"


def test_a_path_object_is_as_good_as_its_text(write):
    assert run({"file": Path(write("RIG-SCORE:2"))})["max_score"] == 2


def test_members_of_an_archive_count(served, tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "RIG-SCORE:10")
        archive.writestr("b", "RIG-SCORE:700")
    result = run({"file": str(path)})
    assert (result["file_count"], result["max_score"], result["verdict"]) == (3, 700, "highly_suspicious")


def test_the_bands_are_those_of_the_server(served, write):
    served.seed({"configuration": {"submission.verdicts.malicious": 50}})
    assert run({"file": write("RIG-SCORE:50")})["verdict"] == "malicious"


def test_a_service_that_failed_is_counted_and_fails_nothing(served, write):
    result = run({"file": write("RIG-FAIL")})
    assert (result["state"], result["error_count"]) == ("completed", 1)


def test_metadata_params_and_profile_arrive(served, write):
    arguments = {
        "metadata": {"case": {"number": 7}},
        "submission_params": {"priority": 500},
        "submission_profile": "static",
    }
    sid = run({"file": write("x"), **arguments})["sid"]
    document = served.product.submissions[sid].document
    assert document["metadata"]["case.number"] == "7"
    assert document["params"]["priority"] == 500


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("limit", [{"fail_on_score": 500}, {"fail_on_verdict": "suspicious"}])
def test_a_score_or_verdict_to_fail_on_fails_at_once_with_verdict_and_link(write, limit, deferrable):
    with pytest.raises(AirflowFailException, match=r"is highly_suspicious, with a score of 800: http.*/detail/"):
        run({"file": write("RIG-SCORE:800"), "deferrable": deferrable, **limit})


def test_the_link_leads_to_the_submission_while_the_task_waits(served, write):
    task = operator(file=write("x"), deferrable=True)
    told = context(task)
    with pytest.raises(TaskDeferred):
        task.execute(told)
    assert told["ti"].xcoms[LINK_KEY] == f"{served.base_url}/submission/detail/{rows(served)[0]['sid']}"
    assert isinstance(task.operator_extra_links[0], AssemblylineLink)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either file or content"),
        ({"file": "/a", "content": "a"}, "either file or content"),
        ({"file": "/no/such/file"}, "there is no file '/no/such/file'"),
        ({"file": "file:///no/such/file"}, "there is no file"),
        ({"file": "/"}, "there is no file"),
        ({"content": "a"}, "name is missing"),
        ({"content": "", "name": "a"}, "content must be text or bytes, and not empty"),
        ({"content": 7, "name": "a"}, "content must be text or bytes"),
        ({"content": "a", "name": "a", "metadata": ["a"]}, "metadata must be a dictionary"),
        ({"content": "a", "name": "a", "metadata": {"a": object()}}, "metadata must be made of plain JSON values"),
        ({"content": "a", "name": "a", "metadata": {"airflow_task": "x"}}, "metadata must not hold 'airflow_task'"),
        ({"content": "a", "name": "a", "submission_params": "x"}, "submission_params must be a dictionary"),
        ({"content": "a", "name": "a", "submission_params": {"prio": 1}}, "Assemblyline takes no prio"),
        ({"content": "a", "name": "a", "fail_on_score": "many"}, "fail_on_score must be a whole number"),
        ({"content": "a", "name": "a", "fail_on_verdict": "bad"}, "fail_on_verdict must be one of info, suspicious"),
        ({"content": "a", "name": "a", "submission_profile": "nosuch"}, "Select one of"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_submitted(served, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(arguments)
    assert rows(served) == []


def test_an_empty_file_is_refused_before_it_is_sent(served, write):
    with pytest.raises(AirflowFailException, match="is empty"):
        run({"file": write("")})


def test_a_file_too_large_for_the_server_is_refused_before_it_is_sent(served, write):
    served.seed({"configuration": {"submission.max_file_size": 3}})
    with pytest.raises(AirflowFailException, match=r"has 4 bytes, and this server takes 3 at most"):
        run({"file": write("1234")})


def test_nothing_is_asked_or_read_while_a_dag_is_parsed():
    AssemblylineSubmitFileOperator(task_id="a", file="{{ nothing }}", assemblyline_conn_id="nosuch")


def test_what_a_dag_author_may_want_to_template_is_templated(served, write):
    path = write("RIG-SCORE:600")
    task = operator(file="{{ path }}", metadata={"run": "{{ run }}"}, fail_on_score="{{ limit }}")
    task.render_template_fields({"path": path, "run": "r1", "limit": 601}, jinja_env=task.get_template_env())
    assert task.execute(context(task))["max_score"] == 600
    assert '"run": "r1"' in rows(served)[0]["metadata"]


# Once, whatever happens


def test_a_retry_finds_the_submission_of_the_try_before(served, write):
    path = write("x")
    first = run({"file": path, "retries": 2}, max_tries=2, try_number=1)
    again = run({"file": path, "retries": 2}, max_tries=2, try_number=2)
    assert first == again
    assert len(rows(served)) == 1


def test_clearing_the_task_submits_anew(served, write):
    path = write("x")
    run({"file": path, "retries": 2}, max_tries=2)
    run({"file": path, "retries": 2}, max_tries=3)
    assert len(rows(served)) == 2


def test_a_retry_after_a_cancelled_wait_submits_anew_though_the_old_one_comes_back(served, write):
    path = write("RIG-SCORE:900 RIG-SLEEP:1")
    with pytest.raises(Overdue):
        run({"file": path, "wait_timeout": 0.1})
    for submission in served.product.submissions.values():
        submission.completed_at = 0
    assert run({"file": path})["max_score"] == 900
    assert len(rows(served)) == 2


def test_mapped_tasks_have_a_submission_each(served, write):
    for index in range(3):
        run({"file": write("same")}, map_index=index)
    assert len(rows(served)) == 3


def test_an_answer_lost_after_the_work_makes_no_second_submission(served, write):
    served.fail("drop", **SUBMIT)
    assert run({"file": write("RIG-SCORE:5")})["max_score"] == 5
    assert len(rows(served)) == 1


def test_a_lost_answer_is_read_back_when_the_index_lags(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", (0.1, 0.2, 0.4, 0.8))
    served.seed({"index_lag": 0.3})
    served.fail("drop", **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_a_time_out_after_the_work_makes_no_second_submission(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.core.transport.SLOWNESS", 0.005)  # of the connection's 60 seconds
    served.fail("slow_after", seconds=0.6, **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_a_connection_closed_before_the_work_makes_one_submission(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", (0.01,))
    served.fail("refuse", **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_what_is_lost_twice_without_a_trace_is_left_to_the_retries(served, write, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", ())
    served.fail("refuse", times=2, **SUBMIT)
    with pytest.raises(Uncertain):
        run({"file": write("x")})
    assert rows(served) == []


def test_a_proxy_that_is_busy_is_asked_again(served, write):
    served.fail("status", status=503, headers={"Retry-After": "0"}, times=2, **SUBMIT)
    run({"file": write("x")})
    assert len(rows(served)) == 1


def test_a_daily_quota_fails_at_once(served, write):
    served.seed({"quotas": {"daily_submissions": 1}})
    run({"file": write("x")}, map_index=0)
    with pytest.raises(AirflowFailException, match="daily maximum submission quota of 1"):
        run({"file": write("x")}, map_index=1)


def test_a_quota_of_running_submissions_is_waited_for(served, write):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0.3})
    task = operator(file=write("y"), deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task, map_index=1))
    assert run({"file": write("z")}, map_index=2)["state"] == "completed"


def test_a_place_that_frees_up_too_late_is_left_to_the_retries(served, write, connect):
    connect("assemblyline_default", served.connection(extra={"retry_budget": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}})
    task = operator(file=write("RIG-SLEEP:60"), deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task, map_index=0))
    with pytest.raises(QuotaInUse, match="concurrent submission quota of 1"):
        run({"file": write("y"), "wait_timeout": 0.5}, map_index=1)


def test_a_place_is_waited_for_longer_than_the_connection_retries(served, write, connect):
    connect("assemblyline_default", served.connection(extra={"retry_budget": 0}))
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0.5})
    task = operator(file=write("x"), deferrable=True)
    with pytest.raises(TaskDeferred):
        task.execute(context(task, map_index=0))
    assert run({"file": write("y")}, map_index=1)["state"] == "completed"


# Submissions that were made twice


@pytest.fixture
def twice(served, write, monkeypatch):
    """A task whose submission was made twice, since the answer to the first submit was lost and long in coming."""
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", ())
    served.seed({"index_lag": 0.2})
    served.fail("drop", **SUBMIT)
    return {"file": write("RIG-SLEEP:0.5 RIG-SCORE:5")}


@pytest.mark.parametrize("deferrable", [False, True])
def test_what_was_made_twice_is_ended_once_it_comes_to_light(served, twice, deferrable):
    result = run({**twice, "deferrable": deferrable})
    assert [row["sid"] for row in rows(served)] == [result["sid"]]


def test_it_is_ended_though_the_task_fails_for_the_verdict(served, twice):
    with pytest.raises(AirflowFailException, match="with a score of 5"):
        run({**twice, "fail_on_score": 5})
    assert len(rows(served)) == 1


def test_what_somebody_submitted_anew_is_left_alone(served, twice, write):
    task = operator(**twice, deferrable=True)
    told = context(task)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(told)
    metadata = next(iter(served.product.submissions.values())).document["metadata"]
    params = {"description": "Resubmit sample.txt for analysis"}
    anew = task.hook.submit(upload("x"), {"metadata": metadata, "params": params})["sid"]
    event = asyncio.run(first_event(deferred.value.trigger))
    result = task.execute_complete(told, event.payload)
    assert {row["sid"] for row in rows(served)} == {anew, result["sid"]}


def test_that_it_cannot_be_ended_does_not_spoil_the_result(served, twice):
    served.fail("status", method="DELETE", status=403, path="/api/v4/submission/.*")
    assert run(twice)["max_score"] == 5
    assert len(rows(served)) == 2


# Ends of a wait


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_deadline_cancels_the_submission(served, write, deferrable):
    with pytest.raises(Overdue, match=r"submission .* last seen state is 'submitted'"):
        run({"file": write("RIG-SLEEP:60"), "deferrable": deferrable, "wait_timeout": 0.2})
    assert rows(served) == []


def test_the_execution_timeout_holds_while_deferred(served, write):
    limit = timedelta(seconds=0.2)
    with pytest.raises(Overdue):
        run({"file": write("RIG-SLEEP:60"), "deferrable": True, "wait_timeout": 60, "execution_timeout": limit})


def test_a_submission_that_vanishes_while_waited_for_is_a_clear_error(served, write):
    task = operator(file=write("RIG-SLEEP:60"), deferrable=True)
    told = context(task)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(told)
    event = asyncio.run(_deleted_meanwhile(deferred.value.trigger, served))
    with pytest.raises(AirflowFailException, match="is not there, or not any more"):
        task.execute_complete(told, event.payload, **(deferred.value.kwargs or {}))


async def _deleted_meanwhile(trigger, served):
    waiting = asyncio.ensure_future(first_event(trigger))
    await asyncio.sleep(0)
    served.product.submissions.clear()
    return await waiting


@pytest.mark.parametrize(("cancel_on_kill", "left"), [(True, 0), (False, 1)])
def test_a_person_who_ends_the_task_ends_its_submission_unless_told_otherwise(served, write, cancel_on_kill, left):
    task = operator(file=write("RIG-SLEEP:60"), cancel_on_kill=cancel_on_kill)
    told = context(task)
    told["ti"].get_task_states = lambda run_ids, **_: {run_ids[0]: {"task": "failed"}}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        execution = pool.submit(task.execute, told)
        while not served.product.access.api_calls > 1:  # the search for its tag, and a look
            time.sleep(0.01)
        task.on_kill()
        assert len(rows(served)) == left
        served.product.submissions.clear()
        with pytest.raises(AirflowFailException, match="is not there, or not any more"):
            execution.result(10)


def test_a_broken_event_is_a_failure(write):
    task = operator(file=write("x"))
    with pytest.raises(Exception, match="nobody knows"):
        task.execute_complete(context(task), None)


def test_no_secret_gets_into_the_trigger(served, write):
    task = operator(file=write("x"), deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    assert "secret" not in repr(deferred.value.trigger.serialize()) + repr(deferred.value.kwargs)


def test_the_tag_is_what_the_reference_of_the_operator_names():
    assert api.TAG == "airflow_task"
