"""What tasks create in Assemblyline names the task, unless the DAG's author does not want that."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineIngestFilesOperator,
    AssemblylineResubmitOperator,
    AssemblylineRetrohuntOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
)
from tests.context import context

OPTIONS = {"deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}
ORIGIN = {"airflow_dag_id": "dag", "airflow_task_id": "task", "airflow_run_id": "run"}
MANY = [AssemblylineSubmitFilesOperator, AssemblylineIngestFilesOperator]
RULE = "rule test { condition: true }"
SHA256 = "ab" * 32


@pytest.fixture(autouse=True)
def _connected(conn_id):
    """Give each test the default connection."""


def run(operator_class: Any, run_id: str = "run", **arguments: Any) -> Any:
    operator = operator_class(task_id="scan", **OPTIONS, **arguments)
    return operator.execute(context(operator, run_id=run_id))


def list_metadata(hook) -> list[dict[str, Any]]:
    return [found["metadata"] for found in hook.search("submission", {"query": "*", "fl": "*"})]


def test_the_metadata_of_a_submission_name_the_task(hook):
    run(AssemblylineSubmitFileOperator, content="a", name="a.txt", metadata={"case": "7"})
    [metadata] = list_metadata(hook)
    url = metadata.pop("airflow_url")
    metadata.pop("airflow_task")
    assert metadata == {**ORIGIN, "case": "7"}
    assert url == "http://airflow/dags/dag/runs/run/tasks/task"


def test_own_metadata_take_precedence(hook):
    run(AssemblylineSubmitFileOperator, content="a", name="a.txt", metadata={"airflow_dag_id": "mine"})
    [metadata] = list_metadata(hook)
    assert metadata["airflow_dag_id"] == "mine"


@pytest.mark.parametrize("operator_class", MANY)
def test_the_metadata_of_each_of_many_files_name_the_task(hook, folder, operator_class):
    run(operator_class, folder=folder(a="1", b="2"))
    found = list_metadata(hook)
    assert [{name: metadata[name] for name in ORIGIN} for metadata in found] == [ORIGIN, ORIGIN]


@pytest.mark.parametrize("back_link", [False, "False"])
def test_without_back_link_no_metadata_name_the_task(hook, back_link):
    run(AssemblylineSubmitFileOperator, content="a", name="a.txt", back_link=back_link)
    [metadata] = list_metadata(hook)
    assert set(metadata) == {"airflow_task"}


def test_a_resubmission_names_its_own_task_and_not_that_of_the_original(hook, submitted):
    original = {"airflow_dag_id": "other", "airflow_url": "http://airflow/other", "case": "7"}
    sid = submitted("again", metadata=original)
    new = run(AssemblylineResubmitOperator, sid=sid)["sid"]
    assert {name: hook.get_submission(new)["metadata"][name] for name in (*ORIGIN, "case")} == {**ORIGIN, "case": "7"}
    new = run(AssemblylineResubmitOperator, run_id="another", sid=sid, back_link=False)["sid"]
    assert set(hook.get_submission(new)["metadata"]) == {"airflow_task", "case"}


@pytest.mark.parametrize(
    ("back_link", "described"), [(True, "why (Airflow DAG dag, task task, run run:"), (False, "why [")]
)
def test_the_description_of_a_retrohunt_names_the_task(served, hook, back_link, described):
    served.seed({"delay": 0, "retrohunt": {"enabled": True, "seconds": 0.05}})
    key = run(AssemblylineRetrohuntOperator, description="why", yara_signature=RULE, back_link=back_link)["key"]
    assert hook.get_retrohunt(key)["description"].startswith(described)


@pytest.mark.parametrize(("back_link", "reasons"), [(True, ["why", "Airflow DAG dag, task task"]), (False, ["why"])])
def test_a_reason_of_a_list_entry_names_the_task(hook, back_link, reasons):
    operator = AssemblylineAddToListOperator(
        task_id="block", list_name="badlist", hashes=SHA256, reason="why", back_link=back_link
    )
    operator.execute(context(operator))
    [source] = hook.get_list_entry("badlist", SHA256)["sources"]
    assert source["reason"] == reasons
