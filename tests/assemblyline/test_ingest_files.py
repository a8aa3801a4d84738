"""Many files ingested by one task, against the stand-in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.operators import AssemblylineIngestFilesOperator
from self_hosted.core.errors import ProductError
from tests.context import context, executed
from tests.core.conftest import Store

either_way = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """All tests here have the default connection."""


def operator(**arguments: Any) -> AssemblylineIngestFilesOperator:
    usual = {"task_id": "hand_in", "deferrable": False, "poll_interval": 0.05, "wait_timeout": 20}
    return AssemblylineIngestFilesOperator(**{**usual, **arguments})


def run(told: Any = None, **arguments: Any) -> Any:
    """Run the operator in a worker, or deferred."""
    return executed(lambda: operator(**arguments), told)


def rows(served: Any) -> list[dict[str, Any]]:
    return list(served.tables()["submissions"])


def report_of(path: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {Path(row["file"]).stem: row for row in found}


def settle(served: Any) -> None:
    """Let the files have been handed in a while ago, so that their ingests are decided."""
    for file in served.product.files.values():
        file["seen"]["last"] = "2020-01-01T00:00:00.000000Z"


@either_way
def test_all_are_ingested_and_their_verdicts_waited_for(served, folder, tmp_path, deferrable):
    report = tmp_path / "out" / "report"
    result = run(folder=folder(a="RIG-SCORE:350", b="RIG-SCORE:5"), report=str(report), deferrable=deferrable)
    assert (result["total"], result["completed"], result["verdicts"]["suspicious"]) == (2, 2, 1)
    line = report_of(report)["a"]
    assert result["worst"] == line
    assert line["sha256"] == hashlib.sha256(b"RIG-SCORE:350").hexdigest()
    assert line["url"] == f"{served.base_url}/submission/detail/{line['sid']}"
    assert (line["verdict"], line["deduplicated"]) == ("suspicious", False)


@pytest.mark.parametrize("wait", [False, "False"])
def test_without_a_wait_the_report_says_what_was_ingested(served, folder, tmp_path, wait):
    report = tmp_path / "out" / "report"
    result = run(folder=folder(a="RIG-SLEEP:60", empty=""), wait=wait, report=str(report), deferrable=True)
    assert (result["total"], result["completed"], result["skipped"], result["worst"]) == (2, 0, 1, None)
    assert set(report_of(report)["a"]) == {"file", "ingest_id", "sha256"}


def test_what_was_ingested_before_is_found_by_its_hash(served, folder, ingested, monkeypatch):
    monkeypatch.setattr("self_hosted.assemblyline.api.ingests.SETTLED", "now")
    ingested("RIG-SCORE:700")
    served.seed({"delay": 0})
    result = run(folder=folder(a="RIG-SCORE:700", b="RIG-SCORE:1"))
    assert result["completed"] == 2
    assert result["worst"]["deduplicated"] is True
    assert len(rows(served)) == 2


def test_what_ignores_the_cache_makes_submissions_of_its_own(served, folder, ingested):
    ingested("RIG-SCORE:700")
    served.seed({"delay": 0})
    result = run(folder=folder(a="RIG-SCORE:700"), submission_params={"ignore_cache": True})
    assert result["worst"]["deduplicated"] is False


def test_a_retry_ingests_nothing_anew_that_left_a_submission(served, folder):
    arguments = {"folder": folder(a="RIG-SCORE:1", b="RIG-SCORE:2"), "retries": 1}
    parameters = {"submission_params": {"ignore_cache": True}}
    for attempt in (1, 2):
        told = context(operator(**arguments), max_tries=1, try_number=attempt)
        assert run(told, **arguments, **parameters)["completed"] == 2
    assert len(rows(served)) == 2


def test_a_lost_answer_makes_no_second_submission(served, folder):
    served.fail("drop", method="POST", path="/api/v4/ingest/", times=2)
    words = {f"f{number}": f"RIG-SCORE:{number}" for number in range(6)}
    assert run(folder=folder(**words), submission_params={"ignore_cache": True})["completed"] == 6
    assert len(rows(served)) == 6


def test_a_quota_of_ingests_is_waited_for(served, folder):
    served.seed({"quotas": {"concurrent_ingests": 2}, "delay": 0.2})
    words = {f"f{number}": f"RIG-SCORE:{number}" for number in range(6)}
    assert run(folder=folder(**words))["completed"] == 6


@either_way
def test_what_is_never_analysed_fails_the_task_in_the_end_beside_the_others(served, folder, tmp_path, deferrable):
    report = tmp_path / "out" / "report"
    told = context(operator(retries=1))
    told["task_state_store"] = Store()
    arguments = {"folder": folder(a="RIG-SCORE:1", b="RIG-SLEEP:60"), "retries": 1, "deferrable": deferrable}
    with pytest.raises(ProductError, match=r"1 of 2 files failed: .*: waited in vain for ingest"):
        run(told, wait_timeout=0.5, report=str(report), **arguments)
    assert report_of(report)["a"]["verdict"] == "info"
    assert "error" in report_of(report)["b"]


def test_the_worst_fails_the_task(served, folder):
    with pytest.raises(AirflowFailException, match=r"a.txt, the worst of 2 files: .* is malicious"):
        run(folder=folder(a="RIG-SCORE:1000", b="RIG-SCORE:1"), fail_on_verdict="malicious")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"wait": False, "fail_on_score": 5}, "fail_on_score and fail_on_verdict need wait=True"),
        ({"wait": "perhaps"}, "wait must be true or false, not 'perhaps'"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_sent(served, folder, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        run(folder=folder(a="1"), **arguments)
    assert rows(served) == []
