"""Operators that do not wait for the end (``wait_for_completion=False``), against the sandbox."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.submissions import idempotency
from self_hosted.assemblyline.operators import (
    AssemblylineLookUpHashesOperator,
    AssemblylineResubmitOperator,
    AssemblylineRetrohuntOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
    AssemblylineSubmitHashOperator,
    AssemblylineSubmitUrlOperator,
)
from self_hosted.assemblyline.sensors import AssemblylineRetrohuntSensor, AssemblylineSubmissionSensor
from self_hosted.core.http.flow import Pause
from tests.assemblyline.conftest import upload
from tests.assemblyline.flows import reply, result_of
from tests.context import context
from tests.core.conftest import Store

TEXT = "RIG-SCORE:350 RIG-SLEEP:60"
SHA256 = hashlib.sha256(TEXT.encode()).hexdigest()
RULE = 'rule test { strings: $a = "evil words" condition: $a }'
MISSING = "ef" * 32


@pytest.fixture(autouse=True)
def _connected(conn_id, monkeypatch):
    monkeypatch.setattr(recovery, "RECHECK_DELAYS_SECONDS", (0.01,))


def create(operator: Any, **arguments: Any) -> Any:
    usual = {"task_id": "t", "deferrable": True, "wait_for_completion": "False"}
    return operator(**{**usual, **arguments})


def run(operator: Any, task_context: Any = None, **arguments: Any) -> Any:
    task = create(operator, **arguments)
    return task.execute(task_context or context(task))


def rows(served: Any) -> list[dict[str, Any]]:
    return list(served.tables()["submissions"])


@pytest.mark.parametrize("operator", ["file", "content", "hash", "url", "resubmit"])
def test_the_result_names_the_running_submission(served, hook, write, operator):
    known = hook.submit(upload(TEXT), {}) if operator in {"hash", "resubmit"} else {}
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "file": (AssemblylineSubmitFileOperator, {"file": write(TEXT)}),
        "content": (AssemblylineSubmitFileOperator, {"content": TEXT, "name": "a.txt"}),
        "hash": (AssemblylineSubmitHashOperator, {"hash": SHA256}),
        "url": (AssemblylineSubmitUrlOperator, {"url": "https://suspicious.example/a"}),
        "resubmit": (AssemblylineResubmitOperator, {"sid": known}),
    }
    task_class, arguments = kinds[operator]
    task_context = context(create(task_class, **arguments))
    task_context["task_state_store"] = store = Store()
    result = run(task_class, task_context, **arguments)
    assert result == {
        "sid": result["sid"],
        "sha256": result["sha256"] if operator == "url" else SHA256,
        "state": "submitted",
        "tag": result["tag"],
        "url": f"{served.base_url}/submission/detail/{result['sid']}",
    }
    document = hook.get_submission(result["sid"])
    assert document["metadata"][idempotency.METADATA_KEY] == result["tag"]
    assert document["files"][0]["sha256"] == result["sha256"]
    assert store.get("self_hosted.submitted") is None


def test_another_try_finds_the_submission(served, write):
    arguments = {"file": write(TEXT), "retries": 1}
    task = create(AssemblylineSubmitFileOperator, **arguments)
    tries = [context(task, max_tries=1, try_number=number) for number in (1, 2)]
    first, second = (run(AssemblylineSubmitFileOperator, one, **arguments) for one in tries)
    assert first == second
    assert len(rows(served)) == 1


def test_a_limit_needs_a_wait(served, write):
    for limit in ({"fail_on_score": "5"}, {"fail_on_verdict": "malicious"}):
        with pytest.raises(AirflowFailException, match="need wait_for_completion=True"):
            run(AssemblylineSubmitFileOperator, file=write(TEXT), **limit)
    assert rows(served) == []


def test_late_duplicates_are_looked_for_until_no_request_can_be_in_progress(monkeypatch):
    monkeypatch.setattr(recovery, "RECHECK_DELAYS_SECONDS", (1.0, 2.0))
    nothing = reply({"items": [], "total": 0, "offset": 0, "rows": 10})
    deleted, steps = result_of(idempotency.end_late_duplicates({"tag": "s"}), nothing, nothing, nothing)
    assert deleted == []
    assert [step.seconds for step in steps if isinstance(step, Pause)] == [1.0, 2.0]


def test_a_lost_response_leaves_no_duplicate(served, write):
    served.fail("drop", method="POST", path="/api/v4/submit/", times=1)
    result = run(AssemblylineSubmitFileOperator, file=write(TEXT))
    assert [row["sid"] for row in rows(served)] == [result["sid"]]


def test_the_submissions_of_many_files_are_a_list(served, folder):
    result = run(AssemblylineSubmitFilesOperator, folder=folder(a=TEXT, b="", c="RIG-SLEEP:60"))
    assert [row["file"].rpartition("/")[2] for row in result] == ["a.txt", "c.txt"]
    assert result[0]["sha256"] == SHA256
    assert {row["state"] for row in result} == {"submitted"}
    assert {row["sid"] for row in result} == {row["sid"] for row in rows(served)}
    sensor = AssemblylineSubmissionSensor(task_id="t", sid=result[0])
    assert sensor.external_id() == result[0]["sid"]


def test_another_try_lists_the_same_files(served, folder):
    arguments = {"folder": folder(a=TEXT, c="RIG-SLEEP:60"), "retries": 1}
    task = create(AssemblylineSubmitFilesOperator, **arguments)
    tries = [context(task, max_tries=1, try_number=number) for number in (1, 2)]
    first, second = (run(AssemblylineSubmitFilesOperator, one, **arguments) for one in tries)
    assert first == second
    assert len(rows(served)) == 2


def test_no_files_are_an_empty_list(served):
    assert run(AssemblylineSubmitFilesOperator, files=[]) == []
    assert served.product.quotas.api_calls == 0


def test_a_look_up_lists_the_submissions_as_pending(served, hook):
    served.seed({"delay": 0})
    hook.delete_submission(hook.submit(upload("RIG-SCORE:350"), {})["sid"])  # the file remains
    served.product.state["results"] = type(served.product.state["results"])()
    served.seed({"delay": 60})
    hashes = [hashlib.sha256(b"RIG-SCORE:350").hexdigest(), MISSING]
    result = run(AssemblylineLookUpHashesOperator, hashes=hashes, submit_if_unknown=True)
    [pending] = result["pending"]
    assert [row["sid"] for row in rows(served)] == [pending]
    assert (result["unknown"], result["verdict"]) == ([MISSING], None)


def test_a_retrohunt_is_waited_for_by_a_sensor(served, submitted):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0.05}})
    submitted("some evil words")
    started = run(AssemblylineRetrohuntOperator, description="a test", yara_signature=RULE)
    url = f"{served.base_url}/retrohunt/{started['key']}"
    assert started == {"key": started["key"], "finished": False, "url": url}
    sensor = AssemblylineRetrohuntSensor(task_id="t", key=started, poke_interval=0.05, timeout=60, deferrable=False)
    finished = {"key": started["key"], "finished": True, "total_hits": 1, "truncated": False, "url": url}
    assert sensor.execute(context(sensor)) == finished


@pytest.mark.parametrize("key", ["", "None", {"sid": "s"}])
def test_a_retrohunt_needs_a_key(key):
    sensor = AssemblylineRetrohuntSensor(task_id="t", key=key)
    with pytest.raises(AirflowFailException, match="key"):
        sensor.execute(context(sensor))
