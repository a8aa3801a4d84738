"""AssemblylineIngestFilesOperator against the sandbox."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineIngestFilesOperator
from self_hosted.core.http.errors import SelfHostedError
from tests.context import context, executed
from tests.core.conftest import Store

in_worker_and_deferred = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


def operator(**arguments: Any) -> AssemblylineIngestFilesOperator:
    usual = {"task_id": "ingest", "deferrable": False, "poll_interval": 0.05, "wait_timeout": 60}
    return AssemblylineIngestFilesOperator(**{**usual, **arguments})


def run(task_context: Any = None, **arguments: Any) -> Any:
    """Return the result of the operator, in a worker or deferred."""
    return executed(lambda: operator(**arguments), task_context)


def rows(served: Any) -> list[dict[str, Any]]:
    return list(served.tables()["submissions"])


def read_report(path: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {Path(row["file"]).stem: row for row in found}


@in_worker_and_deferred
def test_it_ingests_all_files_and_waits_for_their_verdicts(served, folder, tmp_path, deferrable):
    report = tmp_path / "out" / "report"
    result = run(folder=folder(a="RIG-SCORE:350", b="RIG-SCORE:5"), report_uri=str(report), deferrable=deferrable)
    assert (result["total"], result["completed"], result["verdicts"]["suspicious"]) == (2, 2, 1)
    line = read_report(report)["a"]
    assert result["worst"] == line
    assert line["sha256"] == hashlib.sha256(b"RIG-SCORE:350").hexdigest()
    assert line["url"] == f"{served.base_url}/submission/detail/{line['sid']}"
    assert (line["verdict"], line["deduplicated"]) == ("suspicious", False)


@pytest.mark.parametrize("wait", [False, "False"])
def test_without_a_wait_the_result_names_the_ingests(served, folder, tmp_path, wait):
    report = tmp_path / "out" / "report"
    files = {"folder": folder(a="RIG-SLEEP:60", empty=""), "report_uri": str(report)}
    [line] = run(**files, wait_for_completion=wait, deferrable=True)
    assert line == {
        "file": f"{files['folder']}/a.txt",
        "ingest_id": line["ingest_id"],
        "sha256": hashlib.sha256(b"RIG-SLEEP:60").hexdigest(),
        "state": "submitted",
    }
    assert read_report(report)["a"] == line
    assert "skipped" in read_report(report)["empty"]


def test_an_empty_folder_without_a_wait_is_an_empty_list(served, folder):
    assert run(folder=folder(), wait_for_completion=False) == []
    assert served.product.quotas.api_calls == 0


def test_a_file_that_was_ingested_before_is_found_by_its_hash(served, folder, ingested, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.submissions.ingests.SETTLED_BEFORE", "now")
    ingested("RIG-SCORE:700")
    served.seed({"delay": 0})
    result = run(folder=folder(a="RIG-SCORE:700", b="RIG-SCORE:1"))
    assert result["completed"] == 2
    assert result["worst"]["deduplicated"] is True
    assert len(rows(served)) == 2


@pytest.mark.parametrize("params", [{"ignore_cache": True}, "{'ignore_cache': True}"])
def test_an_ingest_that_ignores_the_cache_makes_its_own_submission(served, folder, ingested, params):
    ingested("RIG-SCORE:700")
    served.seed({"delay": 0})
    result = run(folder=folder(a="RIG-SCORE:700"), submission_params=params)
    assert result["worst"]["deduplicated"] is False


def test_a_retry_ingests_no_file_that_has_a_submission(served, folder):
    arguments = {"folder": folder(a="RIG-SCORE:1", b="RIG-SCORE:2"), "retries": 1}
    parameters = {"submission_params": {"ignore_cache": True}}
    for attempt in (1, 2):
        task_context = context(operator(**arguments), max_tries=1, try_number=attempt)
        assert run(task_context, **arguments, **parameters)["completed"] == 2
    assert len(rows(served)) == 2


def test_a_lost_response_makes_no_second_submission(served, folder):
    served.fail("drop", method="POST", path="/api/v4/ingest/", times=2)
    contents = {f"f{number}": f"RIG-SCORE:{number}" for number in range(6)}
    assert run(folder=folder(**contents), submission_params={"ignore_cache": True})["completed"] == 6
    assert len(rows(served)) == 6


def test_it_waits_for_the_quota_of_ingests(served, folder):
    served.seed({"quotas": {"concurrent_ingests": 2}, "delay": 0.2})
    contents = {f"f{number}": f"RIG-SCORE:{number}" for number in range(6)}
    assert run(folder=folder(**contents))["completed"] == 6


def test_a_file_that_is_never_analysed_fails_the_task_at_its_end(served, folder, tmp_path):
    report = tmp_path / "out" / "report"
    task_context = context(operator(retries=1))
    task_context["task_state_store"] = Store()
    arguments = {"folder": folder(a="RIG-SCORE:1", b="RIG-SLEEP:60"), "retries": 1}
    with pytest.raises(SelfHostedError, match=r"1 of 2 files failed: .*: timed out after .* ingest"):
        run(task_context, wait_timeout=2, report_uri=str(report), **arguments)
    assert read_report(report)["a"]["verdict"] == "info"
    assert "error" in read_report(report)["b"]


def test_the_worst_file_fails_the_task(served, folder):
    with pytest.raises(AirflowFailException, match=r"a.txt, the worst of 2 files: .* is malicious"):
        run(folder=folder(a="RIG-SCORE:1000", b="RIG-SCORE:1"), fail_on_verdict="malicious")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"wait_for_completion": False, "fail_on_score": 5},
            "fail_on_score and fail_on_verdict need wait_for_completion=True",
        ),
        ({"wait_for_completion": "perhaps"}, "wait_for_completion must be true or false, not 'perhaps'"),
    ],
)
def test_an_invalid_argument_is_named_before_anything_is_sent(served, folder, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(folder=folder(a="1"), **arguments)
    assert rows(served) == []
