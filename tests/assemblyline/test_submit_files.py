"""Many files submitted by one task, against the stand-in: each once whatever happens, and one report of all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from self_hosted.assemblyline.operators import AssemblylineSubmitFilesOperator
from self_hosted.core.errors import ProductError
from self_hosted.core.operator import LINK_KEY
from self_hosted.sandbox.assemblyline.access import Access
from self_hosted.sandbox.assemblyline.answers import Refusal
from tests.context import context, executed, first_event
from tests.core.conftest import Store

SUBMIT = {"method": "POST", "path": "/api/v4/submit/"}
either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@pytest.fixture(autouse=True)
def _connected(conn_id, served):
    """All tests here have the default connection, and analyses that take no time."""
    served.seed({"delay": 0.02})


def operator(**arguments: Any) -> AssemblylineSubmitFilesOperator:
    usual = {"task_id": "scan", "deferrable": False, "poll_interval": 0.05, "wait_timeout": 20}
    return AssemblylineSubmitFilesOperator(**{**usual, **arguments})


def run(told: Any = None, **arguments: Any) -> Any:
    """Run the operator in a worker, or deferred."""
    return executed(lambda: operator(**arguments), told)


def rows(served: Any) -> list[dict[str, Any]]:
    return list(served.tables()["submissions"])


def asked(served: Any) -> int:
    """How many requests the stand-in was sent until now."""
    return int(requests.get(f"{served.url}/_control/counts", timeout=10).json()["requests"].get("assemblyline", 0))


def report_of(path: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {Path(row["file"]).stem: row for row in found}


def many(count: int) -> dict[str, str]:
    return {f"f{number:02}": f"RIG-SCORE:{number}" for number in range(count)}


@either_way
def test_all_files_of_a_folder_are_analysed_and_reported(served, folder, tmp_path, deferrable):
    report = tmp_path / "out" / "report.jsonl"
    given = folder(a="RIG-SCORE:350", b="RIG-SCORE:5", c="RIG-SCORE:1000", d="RIG-SCORE:2 RIG-FAIL")
    result = run(folder=given, pattern="*.txt", report=str(report), deferrable=deferrable)
    worst = result.pop("worst")
    assert result == {
        "total": 4,
        "completed": 4,
        "skipped": 0,
        "failed": 0,
        "failures": [],
        "verdicts": {"safe": 0, "info": 2, "suspicious": 1, "highly_suspicious": 0, "malicious": 1},
        "with_failed_services": 1,
        "report": str(report),
    }
    lines = report_of(report)
    assert worst == lines["c"]
    sid = worst.pop("sid")
    assert worst == {
        "file": f"{given}/c.txt",
        "verdict": "malicious",
        "max_score": 1000,
        "file_count": 1,
        "error_count": 0,
        "url": f"{served.base_url}/submission/detail/{sid}",
    }
    assert len(rows(served)) == 4


def test_the_link_leads_to_the_worst(served, folder):
    told = context(operator())
    result = run(told, folder=folder(a="RIG-SCORE:1", b="RIG-SCORE:9"))
    assert told["ti"].xcoms[LINK_KEY] == result["worst"]["url"]


def test_files_can_be_listed_and_one_that_is_listed_twice_counts_once(served, folder):
    top = folder(a="1", b="2")
    files = [f"{top}/a.txt", f"file://{top}/b.txt", f"{top}/a.txt"]
    assert run(files=files)["completed"] == 2
    assert run(files=json.dumps(files))["completed"] == 2
    assert run(files=f"{top}/a.txt")["completed"] == 1


@pytest.mark.filterwarnings("ignore:in a future version of UPath")  # it is Airflow 3.1's own way to use it
def test_a_folder_of_an_object_store_is_as_good(served, folder, tmp_path):
    folder(a="RIG-SCORE:1", b="RIG-SCORE:2")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.txt").write_text("RIG-SCORE:3")
    report = tmp_path / "report"
    result = run(folder=f"file://{tmp_path}", pattern="*.txt", recursive="true", report=str(report))
    assert result["completed"] == 3
    assert report_of(report)["c"]["file"] == f"file://{tmp_path}/deep/c.txt"


@pytest.mark.parametrize(("recursive", "found"), [(False, {"a"}), (True, {"a", "b"})])
def test_folders_below_are_looked_at_only_if_asked(served, folder, tmp_path, recursive, found):
    folder(a="1")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").write_text("2")
    run(folder=str(tmp_path), pattern="*.txt", recursive=recursive)
    assert {Path(row["name"]).stem for row in rows(served)} == found


def test_an_empty_folder_is_no_failure(served, tmp_path):
    result = run(folder=str(tmp_path))
    assert (result["total"], result["worst"]) == (0, None)


# What cannot be submitted


def test_empty_and_large_files_are_skipped_and_reported(served, folder, tmp_path, caplog, capsys):
    served.seed({"configuration": {"submission.max_file_size": 20}})
    report = tmp_path / "report"
    top = folder(a="RIG-SCORE:1", empty="", large="x" * 21)
    result = run(folder=top, pattern="*.txt", report=str(report))
    assert (result["completed"], result["skipped"], result["failed"]) == (1, 2, 0)
    assert report_of(report)["empty"] == {"file": f"{top}/empty.txt", "skipped": "it is empty"}
    assert "21 bytes, and this server takes 20" in report_of(report)["large"]["skipped"]
    assert "Skipped, 2 files" in caplog.text + capsys.readouterr().out


def test_strict_refuses_them_before_anything_is_sent(served, folder):
    with pytest.raises(AirflowFailException, match=r"strict: 1 files cannot be handed in: empty.txt: it is empty"):
        run(folder=folder(a="1", empty=""), strict=True)
    assert rows(served) == []


def test_a_listed_file_that_is_not_there_fails_the_task_after_the_others_are_done(served, folder, tmp_path):
    report = tmp_path / "report"
    files = [f"{folder(a='RIG-SCORE:1')}/a.txt", "/no/such"]
    with pytest.raises(AirflowFailException, match="1 of 2 files failed: /no/such: there is no such file"):
        run(files=files, report=str(report))
    assert report_of(report)["a"]["verdict"] == "info"
    assert run(files=files, fail_on_errors=False)["failures"] == [
        {"file": "/no/such", "error": "there is no such file"}
    ]


def test_a_file_that_the_server_refuses_does_not_stop_the_others(served, folder):
    served.fail("status", status=400, **SUBMIT)
    with pytest.raises(AirflowFailException, match="1 of 10 files failed"):
        run(folder=folder(**many(10)))
    assert len(rows(served)) == 9


def test_a_retry_takes_up_what_a_busy_server_refused(served, folder, connect):
    connect("assemblyline_default", served.connection(extra={"retry_budget": 0}))
    served.fail("status", status=503, times=2, **SUBMIT)
    arguments = {"folder": folder(**many(6)), "retries": 1}
    told = context(operator(**arguments))
    told["task_state_store"] = Store()
    with pytest.raises(ProductError, match="2 of 6 files failed"):
        run(told, **arguments)
    assert run(told, **arguments)["completed"] == 6
    assert len(rows(served)) == 6


# Quotas


@pytest.fixture
def refused(monkeypatch) -> list[int]:
    """How many submissions ran each time when one more was refused."""
    found: list[int] = []
    count = Access.count_submission

    def counted(self: Access, running: int) -> None:
        try:
            count(self, running)
        except Refusal:
            found.append(running)
            raise

    monkeypatch.setattr(Access, "count_submission", counted)
    return found


def test_a_quota_is_learned_and_waited_for_without_many_refused_uploads(served, folder, refused):
    served.seed({"quotas": {"concurrent_submissions": 2}, "delay": 0.3})
    result = run(folder=folder(**many(10)), at_once=5, poll_interval=1)
    assert result["completed"] == 10
    assert len(rows(served)) == 10
    # those of the beginning, and a try now and then: not one a file
    assert 1 <= len(refused) < 8


def test_places_that_somebody_else_holds_are_waited_for(served, folder, hook, submitted):
    served.seed({"quotas": {"concurrent_submissions": 1}, "delay": 0})
    submitted("RIG-SLEEP:1.5")
    assert run(folder=folder(a="1", b="2"))["completed"] == 2


def test_a_daily_quota_ends_it_and_tells_what_was_done(served, folder, tmp_path):
    served.seed({"quotas": {"daily_submissions": 3}})
    report = tmp_path / "report"
    with pytest.raises(AirflowFailException, match="daily maximum submission quota of 3"):
        run(folder=folder(**many(9)), at_once=1, report=str(report))
    assert sum("verdict" in row for row in report_of(report).values()) == 3


# Once, whatever happens


def test_a_retry_finds_all_that_was_submitted_by_few_searches(served, folder):
    arguments = {"folder": folder(**many(30)), "retries": 2}
    first = run(context(operator(**arguments), max_tries=2), **arguments)
    before = asked(served)
    again = run(context(operator(**arguments), max_tries=2, try_number=2), **arguments)
    assert first == again
    assert len(rows(served)) == 30
    assert asked(served) - before <= 5


def test_a_file_that_was_changed_is_another_one_and_clearing_submits_all_anew(served, folder, tmp_path):
    arguments = {"folder": folder(a="1", b="2"), "retries": 2}
    run(context(operator(**arguments), max_tries=2), **arguments)
    (tmp_path / "b.txt").write_text("RIG-SCORE:1000")
    assert run(context(operator(**arguments), max_tries=2), **arguments)["worst"]["verdict"] == "malicious"
    assert len(rows(served)) == 3
    run(context(operator(**arguments), max_tries=3), **arguments)
    assert len(rows(served)) == 5


def test_lost_answers_make_no_second_submission(served, folder):
    served.fail("drop", times=3, **SUBMIT)
    assert run(folder=folder(**many(8)))["completed"] == 8
    assert len(rows(served)) == 8


@either_way
def test_what_was_made_twice_is_ended(served, folder, monkeypatch, deferrable):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", ())
    served.seed({"index_lag": 0.2, "delay": 0.5})
    served.fail("drop", **SUBMIT)
    assert run(folder=folder(**many(3)), deferrable=deferrable)["completed"] == 3
    assert len(rows(served)) == 3


def test_what_an_earlier_try_made_twice_is_ended_by_the_next_one(served, hook, submitted, folder):
    arguments = {"folder": folder(a="1"), "retries": 2}
    run(context(operator(**arguments), max_tries=2), **arguments)
    [kept] = rows(served)
    twice = submitted("1", metadata=json.loads(kept["metadata"]))
    run(context(operator(**arguments), max_tries=2, try_number=2), **arguments)
    assert [one["sid"] for one in rows(served)] == [kept["sid"]] != [twice]


class Killed(BaseException):
    """As good as a kill in the middle of the start."""


def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_to_be_done_twice(served, folder, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.tagging.LOOKS", (0.01,))
    arguments = {"folder": folder(**many(12)), "retries": 1, "at_once": 2}
    told = context(operator(**arguments))
    told["task_state_store"] = Store()
    task = operator(**arguments)
    hand_in = task.hand_in

    def dying(file: Any, tag: str) -> str:
        if len(rows(served)) >= 5:
            raise Killed
        return hand_in(file, tag)

    task.hand_in = dying  # type: ignore[method-assign]
    with pytest.raises(Killed):
        task.execute(told)
    left = len(rows(served))
    assert 5 <= left < 12
    assert run(told, **arguments)["completed"] == 12
    assert len(rows(served)) == 12


# Ends


@either_way
def test_at_the_deadline_what_runs_is_cancelled_and_a_retry_takes_up_only_that(served, folder, tmp_path, deferrable):
    top = folder(a="RIG-SCORE:1", b="RIG-SLEEP:60")
    told = context(operator(retries=1))
    told["task_state_store"] = Store()
    arguments = {"folder": top, "deferrable": deferrable, "retries": 1}
    with pytest.raises(ProductError, match=r"1 of 2 files failed: .*b.txt: waited in vain for submission"):
        run(told, wait_timeout=0.5, **arguments)
    assert [row["name"] for row in rows(served)] == ["a.txt"]
    (tmp_path / "b.txt").write_text("RIG-SCORE:2")
    assert run(told, **arguments)["completed"] == 2
    assert len(rows(served)) == 2


def test_a_person_who_ends_the_task_while_it_submits_ends_all_of_it(served, folder):
    words = {f"f{number}": f"RIG-SLEEP:60 {number}" for number in range(9)}
    task = operator(folder=folder(**words), at_once=3)
    told = context(task)
    told["ti"].get_task_states = lambda run_ids, **_: {run_ids[0]: {"task": "failed"}}
    work = threading.Thread(target=_quietly, args=(task, told))
    work.start()
    while len(rows(served)) < 3:
        time.sleep(0.01)
    task.on_kill()
    assert rows(served) == []
    work.join(10)
    assert not work.is_alive()
    assert rows(served) == []


def _quietly(task: Any, told: Any) -> None:
    with contextlib.suppress(Exception):
        task.execute(told)


@either_way
@pytest.mark.parametrize("limit", [{"fail_on_score": "500"}, {"fail_on_verdict": "suspicious"}])
def test_the_worst_fails_the_task_and_the_report_is_there(served, folder, tmp_path, limit, deferrable):
    report = tmp_path / "report"
    with pytest.raises(AirflowFailException, match=r"b.txt, the worst of 2 files: .* is highly_suspicious.* 800"):
        run(folder=folder(a="RIG-SCORE:600", b="RIG-SCORE:800"), report=str(report), deferrable=deferrable, **limit)
    assert len(report_of(report)) == 2


def test_one_that_is_deleted_meanwhile_is_reported_beside_the_others(served, folder):
    task = operator(folder=folder(a="RIG-SCORE:1", b="RIG-SLEEP:60"), deferrable=True)
    told = context(task)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(told)

    async def meanwhile() -> Any:
        waiting = asyncio.ensure_future(first_event(deferred.value.trigger))
        await asyncio.sleep(0.5)
        served.product.submissions = {
            sid: one for sid, one in served.product.submissions.items() if one.document["state"] == "completed"
        }
        return await waiting

    event = asyncio.run(meanwhile())
    with pytest.raises(AirflowFailException, match=r"1 of 2 files failed: .*b.txt: submission .* is not there"):
        task.execute_complete(told, event.payload)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give either files or folder"),
        ({"files": ["a"], "folder": "b"}, "give either files or folder"),
        ({"files": 7}, "files must be a list of paths or URIs, not 7"),
        ({"files": "[1]"}, "1 of 1 files failed: 1: there is no such file"),
        ({"files": ["a"], "report": "reports/"}, "report must be the path or URI of a file, not 'reports/'"),
        ({"files": [""]}, "files must be a list of paths"),
        ({"folder": "/no/such"}, "folder: there is no folder '/no/such'"),
        ({"files": ["a"], "at_once": 0}, "at_once must be a whole number, 1 or more, not 0"),
        ({"files": ["a"], "at_most": "many"}, "at_most must be a whole number"),
        ({"files": ["a", "b"], "at_most": "1"}, r"there are more files than at_most allows \(1\)"),
        ({"files": ["a"], "strict": "perhaps"}, "strict must be true or false, not 'perhaps'"),
        ({"files": ["a"], "recursive": 3}, "recursive must be true or false"),
        ({"files": ["a"], "submission_params": {"prio": 1}}, "Assemblyline takes no prio"),
        ({"files": ["a"], "metadata": {"airflow_task": "x"}}, "metadata must not hold 'airflow_task'"),
        ({"files": ["a"], "fail_on_verdict": "bad"}, "fail_on_verdict must be one of"),
        ({"files": ["a"], "submission_profile": "nosuch"}, "Select one of"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_submitted(served, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(**arguments)
    assert rows(served) == []


def test_settings_and_profile_are_asked_for_once(served, folder):
    before = asked(served)
    run(folder=folder(**many(20)), submission_profile="static", at_once=20)
    assert asked(served) - before <= 20 + 8


def test_nothing_is_said_at_length_about_many(served, folder, caplog):
    caplog.set_level(logging.WARNING)
    words = {f"f{number:02}": f"RIG-FAIL {number}" for number in range(25)}
    result = run(folder=folder(**words), at_once=25)
    assert result["with_failed_services"] == 25
    assert len(json.dumps(result)) < 1500


def test_the_arguments_of_a_trigger_are_small_for_many_files(served, tmp_path):
    for number in range(200):
        (tmp_path / f"invoice_of_customer_{number:06}.pdf").write_text(f"RIG-SLEEP:30 {number}")
    task = operator(folder=str(tmp_path), at_once=200, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    size = len(json.dumps(deferred.value.trigger.serialize()))
    assert size < 200 * 120
