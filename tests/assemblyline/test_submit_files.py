"""AssemblylineSubmitFilesOperator against the sandbox: each file exactly once, and one report of all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.assemblyline.operators import AssemblylineSubmitFilesOperator
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.tasks.operator import LINK_KEY
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.quotas import Quotas
from tests.assemblyline.conftest import MAX_WAIT_SECONDS, wait_until
from tests.context import context, executed, first_event
from tests.core.conftest import Store

SUBMIT = {"method": "POST", "path": "/api/v4/submit/"}
in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    """Give each test the default connection, and fast analyses."""
    served.seed({"delay": 0.02})


def operator(**arguments: Any) -> AssemblylineSubmitFilesOperator:
    usual = {"task_id": "scan", "deferrable": False, "poll_interval": 0.05, "wait_timeout": 60}
    return AssemblylineSubmitFilesOperator(**{**usual, **arguments})


def run(task_context: Any = None, **arguments: Any) -> Any:
    """Return the result of the operator, in a worker or deferred."""
    return executed(lambda: operator(**arguments), task_context)


def rows(served: Any) -> list[dict[str, Any]]:
    return list(served.tables()["submissions"])


def count_requests(served: Any) -> int:
    """Return how many requests the sandbox has received."""
    return int(requests.get(f"{served.url}/_control/counts", timeout=60).json()["requests"].get("assemblyline", 0))


def read_report(path: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {Path(row["file"]).stem: row for row in found}


def many(count: int) -> dict[str, str]:
    return {f"f{number:02}": f"RIG-SCORE:{number}" for number in range(count)}


@in_worker_and_deferred
def test_all_files_of_a_folder_are_analysed_and_reported(served, folder, tmp_path, deferrable):
    report = tmp_path / "out" / "report.jsonl"
    given = folder(a="RIG-SCORE:350", b="RIG-SCORE:5", c="RIG-SCORE:1000", d="RIG-SCORE:2 RIG-FAIL")
    result = run(folder=given, pattern="*.txt", report_uri=str(report), deferrable=deferrable)
    worst = result.pop("worst")
    assert result == {
        "total": 4,
        "completed": 4,
        "skipped": 0,
        "failed": 0,
        "failures": [],
        "verdicts": {"safe": 0, "info": 2, "suspicious": 1, "highly_suspicious": 0, "malicious": 1},
        "with_failed_services": 1,
        "report_uri": str(report),
    }
    lines = read_report(report)
    assert worst == lines["c"]
    sid = worst.pop("sid")
    assert worst == {
        "file": f"{given}/c.txt",
        "sha256": worst["sha256"],
        "verdict": "malicious",
        "max_score": 1000,
        "file_count": 1,
        "error_count": 0,
        "url": f"{served.base_url}/submission/detail/{sid}",
    }
    assert len(rows(served)) == 4


def test_the_link_opens_the_worst_submission(served, folder):
    task_context = context(operator())
    result = run(task_context, folder=folder(a="RIG-SCORE:1", b="RIG-SCORE:9"))
    assert task_context["ti"].xcoms[LINK_KEY] == result["worst"]["url"]


def test_files_can_be_listed_and_a_duplicate_counts_once(served, folder):
    top = folder(a="1", b="2")
    files = [f"{top}/a.txt", f"file://{top}/b.txt", f"{top}/a.txt"]
    assert run(files=files)["completed"] == 2
    assert run(files=json.dumps(files))["completed"] == 2
    assert run(files=f"{top}/a.txt")["completed"] == 1


@pytest.mark.filterwarnings("ignore:in a future version of UPath")  # it is Airflow 3.1's own way to use it
def test_a_folder_may_be_in_an_object_store(served, folder, tmp_path):
    folder(a="RIG-SCORE:1", b="RIG-SCORE:2")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.txt").write_text("RIG-SCORE:3")
    report = tmp_path / "report"
    result = run(folder=f"file://{tmp_path}", pattern="*.txt", recursive="true", report_uri=str(report))
    assert result["completed"] == 3
    assert read_report(report)["c"]["file"] == f"{tmp_path}/deep/c.txt"


@pytest.mark.parametrize(("recursive", "found"), [(False, {"a"}), (True, {"a", "b"})])
def test_folders_below_are_searched_only_with_recursive(served, folder, tmp_path, recursive, found):
    folder(a="1")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").write_text("2")
    run(folder=str(tmp_path), pattern="*.txt", recursive=recursive)
    assert {Path(row["name"]).stem for row in rows(served)} == found


def test_an_empty_folder_is_no_failure(served, tmp_path):
    result = run(folder=str(tmp_path))
    assert (result["total"], result["worst"]) == (0, None)


# Files that cannot be submitted


def test_empty_and_large_files_are_skipped_and_reported(served, folder, tmp_path, caplog, capsys):
    served.seed({"configuration": {"submission.max_file_size": 20}})
    report = tmp_path / "report"
    top = folder(a="RIG-SCORE:1", empty="", large="x" * 21)
    result = run(folder=top, pattern="*.txt", report_uri=str(report))
    assert (result["completed"], result["skipped"], result["failed"]) == (1, 2, 0)
    assert read_report(report)["empty"] == {"file": f"{top}/empty.txt", "skipped": "the file is empty"}
    assert "21 bytes, more than the server's limit of 20" in read_report(report)["large"]["skipped"]
    assert "Skipped, 2 files" in caplog.text + capsys.readouterr().out


def test_strict_rejects_them_before_anything_is_sent(served, folder):
    with pytest.raises(AirflowFailException, match=r"strict: 1 files cannot be sent: empty.txt: the file is empty"):
        run(folder=folder(a="1", empty=""), strict=True)
    assert rows(served) == []


def test_a_missing_file_fails_the_task_after_the_others_are_done(served, folder, tmp_path):
    report = tmp_path / "report"
    files = [f"{folder(a='RIG-SCORE:1')}/a.txt", "/no/such"]
    with pytest.raises(AirflowFailException, match="1 of 2 files failed: /no/such: the file does not exist"):
        run(files=files, report_uri=str(report))
    assert read_report(report)["a"]["verdict"] == "info"
    assert run(files=files, fail_on_errors=False)["failures"] == [
        {"file": "/no/such", "error": "the file does not exist"}
    ]


def test_a_file_that_the_server_rejects_does_not_affect_the_others(served, folder):
    served.fail("status", status=400, **SUBMIT)
    with pytest.raises(AirflowFailException, match="1 of 10 files failed"):
        run(folder=folder(**many(10)))
    assert len(rows(served)) == 9


def test_a_retry_submits_the_files_that_a_busy_server_rejected(served, folder, connect):
    connect("assemblyline_default", served.connection(extra={"retry_timeout": 0}))
    served.fail("status", status=503, times=2, **SUBMIT)
    arguments = {"folder": folder(**many(6)), "retries": 1}
    task_context = context(operator(**arguments))
    task_context["task_state_store"] = Store()
    with pytest.raises(SelfHostedError, match="2 of 6 files failed"):
        run(task_context, **arguments)
    assert run(task_context, **arguments)["completed"] == 6
    assert len(rows(served)) == 6


# Quotas


@pytest.fixture
def rejections(monkeypatch) -> list[int]:
    """The number of running submissions at each rejection of one more."""
    found: list[int] = []
    count = Quotas.count_submission

    def counted(self: Quotas, running: int) -> None:
        try:
            count(self, running)
        except ApiError:
            found.append(running)
            raise

    monkeypatch.setattr(Quotas, "count_submission", counted)
    return found


def test_a_quota_is_learned_with_few_rejected_uploads(served, folder, rejections):
    served.seed({"quotas": {"concurrent_submissions": 2}, "delay": 0.3})
    result = run(folder=folder(**many(10)), max_concurrency=5, poll_interval=1)
    assert result["completed"] == 10
    assert len(rows(served)) == 10
    # some at the beginning, then occasional attempts: fewer than one per file
    assert 1 <= len(rejections) < 8


def test_it_waits_for_places_that_other_work_occupies(served, folder, hook, submitted):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0})
    submitted("RIG-SLEEP:1.5")
    assert run(folder=folder(a="1", b="2"))["completed"] == 2


def test_a_daily_quota_ends_the_task_with_a_report(served, folder, tmp_path):
    served.seed({"quotas": {"daily_submissions": 3}})
    report = tmp_path / "report"
    with pytest.raises(AirflowFailException, match="daily maximum submission quota of 3"):
        run(folder=folder(**many(9)), max_concurrency=1, report_uri=str(report))
    assert sum("verdict" in row for row in read_report(report).values()) == 3


# Exactly once


def test_a_retry_finds_all_earlier_submissions_with_few_searches(served, folder):
    arguments = {"folder": folder(**many(30)), "retries": 2}
    first = run(context(operator(**arguments), max_tries=2), **arguments)
    before = count_requests(served)
    again = run(context(operator(**arguments), max_tries=2, try_number=2), **arguments)
    assert first == again
    assert len(rows(served)) == 30
    assert count_requests(served) - before <= 5


def test_a_changed_file_and_a_cleared_task_make_new_submissions(served, folder, tmp_path):
    arguments = {"folder": folder(a="1", b="2"), "retries": 2}
    run(context(operator(**arguments), max_tries=2), **arguments)
    (tmp_path / "b.txt").write_text("RIG-SCORE:1000")
    assert run(context(operator(**arguments), max_tries=2), **arguments)["worst"]["verdict"] == "malicious"
    assert len(rows(served)) == 3
    run(context(operator(**arguments), max_tries=3), **arguments)
    assert len(rows(served)) == 5


def test_lost_responses_make_no_second_submission(served, folder):
    served.fail("drop", times=3, **SUBMIT)
    assert run(folder=folder(**many(8)))["completed"] == 8
    assert len(rows(served)) == 8


def test_a_duplicate_is_cancelled(served, folder, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", ())
    served.seed({"index_lag": 0.2, "delay": 0.5})
    served.fail("drop", **SUBMIT)
    assert run(folder=folder(**many(3)))["completed"] == 3
    assert len(rows(served)) == 3


def test_a_duplicate_of_an_earlier_try_is_cancelled_by_the_retry(served, hook, submitted, folder):
    served.seed({"delay": 0})  # a running submission would appear again after its deletion
    arguments = {"folder": folder(a="1"), "retries": 2}
    run(context(operator(**arguments), max_tries=2), **arguments)
    [kept] = rows(served)
    duplicate = submitted("1", metadata=json.loads(kept["metadata"]))
    run(context(operator(**arguments), max_tries=2, try_number=2), **arguments)
    assert [row["sid"] for row in rows(served)] == [kept["sid"]] != [duplicate]


class Killed(BaseException):
    """Ends the task as a killed worker does."""


def test_a_worker_that_is_killed_while_it_submits_causes_no_second_submission(served, folder, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.recovery.RECHECK_DELAYS_SECONDS", (0.01,))
    arguments = {"folder": folder(**many(12)), "retries": 1, "max_concurrency": 2}
    task_context = context(operator(**arguments))
    task_context["task_state_store"] = Store()
    task = operator(**arguments)
    send = task.send

    def send_until_killed(file: Any, tag: str) -> str:
        if len(rows(served)) >= 5:
            raise Killed
        return send(file, tag)

    task.send = send_until_killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        task.execute(task_context)
    left = len(rows(served))
    assert 5 <= left < 12
    assert run(task_context, **arguments)["completed"] == 12
    assert len(rows(served)) == 12


# The end of the wait


@in_worker_and_deferred
def test_running_submissions_are_cancelled_at_the_deadline_and_retried(served, folder, tmp_path, deferrable):
    top = folder(a="RIG-SCORE:1", b="RIG-SLEEP:60")
    task_context = context(operator(retries=1))
    task_context["task_state_store"] = Store()
    arguments = {"folder": top, "deferrable": deferrable, "retries": 1}
    with pytest.raises(SelfHostedError, match=r"1 of 2 files failed: .*b.txt: timed out after"):
        run(task_context, wait_timeout=2, **arguments)
    assert [row["name"] for row in rows(served)] == ["a.txt"]
    (tmp_path / "b.txt").write_text("RIG-SCORE:2")
    assert run(task_context, **arguments)["completed"] == 2
    assert len(rows(served)) == 2


def test_ending_the_task_while_it_submits_cancels_all_submissions(served, folder):
    contents = {f"f{number}": f"RIG-SLEEP:60 {number}" for number in range(9)}
    task = operator(folder=folder(**contents), max_concurrency=3)
    task_context = context(task)
    task_context["ti"].get_task_states = lambda run_ids, **_: {run_ids[0]: {"task": "failed"}}
    work = threading.Thread(target=_execute_ignoring_errors, args=(task, task_context))
    work.start()
    wait_until(lambda: len(rows(served)) >= 3)
    task.on_kill()
    assert rows(served) == []
    work.join(MAX_WAIT_SECONDS)
    assert not work.is_alive()
    assert rows(served) == []


def _execute_ignoring_errors(task: Any, task_context: Any) -> None:
    with contextlib.suppress(Exception):
        task.execute(task_context)


@pytest.mark.parametrize("limit", [{"fail_on_score": "500"}, {"fail_on_verdict": "suspicious"}])
def test_the_worst_file_fails_the_task_after_the_report_is_written(served, folder, tmp_path, limit):
    report = tmp_path / "report"
    with pytest.raises(AirflowFailException, match=r"b.txt, the worst of 2 files: .* is highly_suspicious.* 800"):
        run(folder=folder(a="RIG-SCORE:600", b="RIG-SCORE:800"), report_uri=str(report), **limit)
    assert len(read_report(report)) == 2


def test_a_submission_that_is_deleted_during_the_wait_is_reported(served, folder):
    task = operator(folder=folder(a="RIG-SCORE:1", b="RIG-SLEEP:60"), deferrable=True)
    task_context = context(task)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(task_context)

    async def meanwhile() -> Any:
        waiting = asyncio.ensure_future(first_event(deferred.value.trigger))
        while not any(row["state"] == "completed" for row in rows(served)):
            await asyncio.sleep(0.01)
        served.product.store.submissions = {
            sid: submission
            for sid, submission in served.product.store.submissions.items()
            if submission.document["state"] == "completed"
        }
        return await waiting

    event = asyncio.run(meanwhile())
    with pytest.raises(AirflowFailException, match=r"1 of 2 files failed: .*b.txt: submission .* does not exist"):
        task.execute_complete(task_context, event.payload)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of files, folder"),
        ({"files": ["a"], "folder": "b"}, "give exactly one of files, folder"),
        ({"files": 7.5}, "files must be the path or URI of a file, not 7.5"),
        ({"files": "[1]"}, "1 of 1 files failed: 1: the file does not exist"),
        ({"files": ["a"], "report_uri": "reports/"}, "report_uri must be the path or URI of a file, not 'reports/'"),
        ({"files": [""]}, "files must be the path or URI of a file, not ''"),
        ({"folder": "/no/such"}, "folder: '/no/such' does not exist"),
        ({"files": ["a"], "max_concurrency": 0}, "max_concurrency must be a whole number, 1 or more, not 0"),
        ({"files": ["a"], "max_items": "many"}, "max_items must be a whole number"),
        ({"files": ["a", "b"], "max_items": "1"}, r"there are more files than max_items \(1\)"),
        ({"files": ["a"], "strict": "perhaps"}, "strict must be true or false, not 'perhaps'"),
        ({"files": ["a"], "recursive": 3}, "recursive must be true or false"),
        ({"files": ["a"], "submission_params": {"prio": 1}}, "submission_params: unknown prio"),
        ({"files": ["a"], "metadata": {"airflow_task": "x"}}, "metadata must not hold 'airflow_task'"),
        ({"files": ["a"], "fail_on_verdict": "bad"}, "fail_on_verdict must be one of"),
        ({"files": ["a"], "submission_profile": "nosuch"}, "Select one of"),
    ],
)
def test_an_invalid_argument_is_named_before_anything_is_submitted(served, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(**arguments)
    assert rows(served) == []


def test_settings_and_profile_are_read_once(served, folder):
    before = count_requests(served)
    run(folder=folder(**many(20)), submission_profile="static", max_concurrency=20)
    assert count_requests(served) - before <= 20 + 8


def test_the_result_is_small_for_many_files(served, folder, caplog):
    caplog.set_level(logging.WARNING)
    contents = {f"f{number:02}": f"RIG-FAIL {number}" for number in range(25)}
    result = run(folder=folder(**contents), max_concurrency=25)
    assert result["with_failed_services"] == 25
    assert len(json.dumps(result)) < 1500


def test_the_arguments_of_a_trigger_are_small_for_many_files(served, tmp_path):
    for number in range(200):
        (tmp_path / f"invoice_of_customer_{number:06}.pdf").write_text(f"RIG-SLEEP:30 {number}")
    task = operator(folder=str(tmp_path), max_concurrency=200, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    size = len(json.dumps(deferred.value.trigger.serialize()))
    assert size < 200 * 120
