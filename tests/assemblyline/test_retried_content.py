"""A retry with another file, URL, rule or params is other work: it gets its own verdict."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.assemblyline.operators import (
    AssemblylineIngestFilesOperator,
    AssemblylineResubmitOperator,
    AssemblylineRetrohuntOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from self_hosted.assemblyline.operators.analysis import SubmitOperator
from self_hosted.core.http.flow import Upload
from tests.assemblyline.conftest import upload
from tests.context import Run, context
from tests.core.conftest import Store

CLEAN, FLAGGED = "RIG-SCORE:0000", "RIG-SCORE:1000"
RULE = 'rule test { strings: $a = "%s" condition: $a }'
PATIENT: Any = {"deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A clean file."""
    path = tmp_path / "sample.txt"
    path.write_text(CLEAN)
    return path


def execute(task_class: Any, task_context: Any = None, **arguments: Any) -> Any:
    # a second try would look for the effect of the first one for a minute
    task = task_class(task_id="task", **{**PATIENT, **arguments})
    return task.execute(task_context or context(task))


def scan(task_context: Any = None, **arguments: Any) -> Any:
    return execute(AssemblylineSubmitFileOperator, task_context, **arguments)


def replace(file: Path, text: str = FLAGGED, *, is_noticeable: bool = False) -> None:
    """Replace the content of a file; its size and time stay the same, unless it is noticeable."""
    status = file.stat()
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9 * is_noticeable))


def count(served: Any) -> int:
    return len(served.tables()["submissions"])


@pytest.mark.parametrize("is_noticeable", [True, False], ids=["another time", "same size and time"])
def test_a_replaced_file_gets_its_own_verdict(served, file, is_noticeable, caplog):
    first = scan(file=str(file))
    replace(file, is_noticeable=is_noticeable)
    second = scan(file=str(file))
    assert (first["verdict"], second["verdict"]) == ("info", "malicious")
    assert count(served) == 2
    assert f"submission {first['sid']} has the tag" in caplog.text


def test_a_copy_with_another_time_is_the_same_work(served, file):
    """Each worker may have a copy of the file, made at another time."""
    first = scan(file=str(file))
    replace(file, CLEAN, is_noticeable=True)
    assert scan(file=str(file))["sid"] == first["sid"]
    assert count(served) == 1


def test_a_replaced_file_ends_the_wait_for_the_submission_of_the_earlier_try(served, file, caplog):
    file.write_text("RIG-SLEEP:3600")
    task = AssemblylineSubmitFileOperator(task_id="task", file=str(file), deferrable=True)
    task_context: Any = {**context(task), "task_state_store": Store()}
    with pytest.raises(TaskDeferred):
        task.execute(task_context)
    [old] = served.tables()["submissions"]
    replace(file, is_noticeable=True)
    assert scan(task_context, file=str(file))["verdict"] == "malicious"
    assert old["sid"] not in {row["sid"] for row in served.tables()["submissions"]}
    assert f"submission {old['sid']} of an earlier try had other arguments" in caplog.text


def test_a_run_that_is_created_again_gets_its_own_verdict(served, file):
    """The run is deleted, and one with the same id is started: the task's first try again."""
    first = scan(file=str(file))
    replace(file)
    task = AssemblylineSubmitFileOperator(task_id="task", file=str(file), **PATIENT)
    again: Any = {**context(task), "dag_run": Run(Run.start_date + timedelta(days=1), Run.run_after)}
    assert task.execute(again)["verdict"] == "malicious"
    assert first["sid"] in {row["sid"] for row in served.tables()["submissions"]}


def test_two_airflow_instances_do_not_share_submissions(served, file, monkeypatch):
    sids = set()
    for url in ("https://airflow.example.com", "https://test.example.com"):
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", url)
        sids.add(scan(file=str(file))["sid"])
    assert {row["sid"] for row in served.tables()["submissions"]} == sids
    assert len(sids) == 2


@pytest.mark.parametrize(
    ("changed", "is_other_work"),
    [
        ({"submission_params": {"deep_scan": True}}, True),
        ({"submission_profile": "static"}, True),
        ({"submission_params": {"description": "try 2", "priority": 1}}, False),
        ({"metadata": {"case": "7"}, "name": "b.txt", "fail_on_score": 900}, False),
    ],
    ids=["params", "profile", "params without effect", "labels"],
)
def test_only_options_that_affect_the_verdict_make_a_new_submission(served, file, changed, is_other_work):
    first, second = scan(file=str(file)), scan(file=str(file), **changed)
    assert (first["sid"] != second["sid"]) is is_other_work


class GeneratedFileOperator(SubmitOperator):
    """An operator of a user: its file exists for the time of a try."""

    content = CLEAN

    def source(self) -> Upload:
        return upload(self.content)


def test_a_file_of_an_own_operator_is_recognized_by_its_content(served, monkeypatch):
    first, again = execute(GeneratedFileOperator), execute(GeneratedFileOperator)
    monkeypatch.setattr(GeneratedFileOperator, "content", FLAGGED)
    other = execute(GeneratedFileOperator)
    assert first["sid"] == again["sid"]
    assert other["verdict"] == "malicious"


def test_other_content_url_and_hash_make_new_submissions(served, submitted):
    hashes = [served.product.store.submissions[submitted(text)].sha256 for text in (CLEAN, FLAGGED)]
    before = count(served)
    for arguments in ({"content": CLEAN, "name": "a"}, {"content": FLAGGED, "name": "a"}):
        scan(**arguments)
    for url in ("https://a.example/1", "https://a.example/2"):
        execute(AssemblylineSubmitUrlOperator, url=url)
    verdicts = [execute(AssemblylineSubmitHashOperator, hash=sha256)["verdict"] for sha256 in hashes]
    assert verdicts == ["info", "malicious"]
    assert count(served) == before + 6


def test_another_submission_or_dynamic_analysis_make_new_resubmissions(served, submitted):
    sids = [submitted(CLEAN), submitted(FLAGGED)]
    results = [execute(AssemblylineResubmitOperator, sid=sid) for sid in sids]
    dynamic = execute(AssemblylineResubmitOperator, sid=sids[0], dynamic=True)
    assert [result["verdict"] for result in results] == ["info", "malicious"]
    assert dynamic["sid"] != results[0]["sid"]
    assert execute(AssemblylineResubmitOperator, sid=sids[0])["sid"] == results[0]["sid"]


def test_a_replaced_file_among_many_is_submitted_again(served, file, caplog):
    (file.parent / "other.txt").write_text("RIG-SCORE:1")
    first = execute(AssemblylineSubmitFilesOperator, folder=str(file.parent))
    replace(file)
    second = execute(AssemblylineSubmitFilesOperator, folder=str(file.parent))
    assert (first["verdicts"]["malicious"], second["verdicts"]["malicious"]) == (0, 1)
    assert count(served) == 3
    assert "has the tag of this submission, but another content" in caplog.text


def test_a_replaced_file_among_many_is_ingested_again(served, file):
    first = execute(AssemblylineIngestFilesOperator, folder=str(file.parent))
    replace(file)
    second = execute(AssemblylineIngestFilesOperator, folder=str(file.parent))
    assert (first["verdicts"]["malicious"], second["verdicts"]["malicious"]) == (0, 1)
    assert count(served) == 2


def test_a_replaced_rule_starts_another_retrohunt(served, submitted, tmp_path, caplog):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0.05}})
    submitted("evil text")
    rule = tmp_path / "rule.yar"
    arguments = {"file": str(rule), "description": "words"}
    hits = []
    for word in ("good", "evil", "evil"):
        rule.write_text(RULE % word)
        hits.append(execute(AssemblylineRetrohuntOperator, **arguments)["total_hits"])
    assert hits == [0, 1, 1]
    assert len(served.tables()["retrohunt"]) == 2
    assert "but another rule or indices" in caplog.text
