"""The asset of each submission, for lineage and for DAGs that it triggers."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Asset, AssetAlias, TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.assemblyline.operators import (
    AssemblylineAddToListOperator,
    AssemblylineGetReportOperator,
    AssemblylineIngestFilesOperator,
    AssemblylineSearchOperator,
    AssemblylineSetVerdictOperator,
    AssemblylineSubmitFileOperator,
    AssemblylineSubmitFilesOperator,
)
from self_hosted.assemblyline.sensors import (
    AssemblylineIngestSensor,
    AssemblylineRetrohuntSensor,
    AssemblylineSubmissionSensor,
)
from tests.context import context
from tests.lineage import collected

SUBMISSIONS = AssetAlias("submissions")
QUICK: dict[str, Any] = {"deferrable": False, "poll_interval": 0.02, "wait_timeout": 60}


@pytest.fixture(autouse=True)
def collector(conn_id, monkeypatch):
    return collected(monkeypatch)


def execute(operator: Any) -> tuple[Any, OutletEventAccessors]:
    """Return the result, and the events of the outlets."""
    events = OutletEventAccessors()
    return operator.execute({**context(operator), "outlet_events": events}), events


def uri(served, sid: str) -> str:
    return asset(served, f"submission/{sid}")


def asset(served, path: str) -> str:
    return f"assemblyline://{served.base_url.removeprefix('http://')}/{path}"


def list_uris(found: Any) -> list[str]:
    return [one.asset.uri for one in found]


def test_a_submission_is_an_asset_whose_event_has_the_verdict(served, write, collector):
    file = write("RIG-SCORE:350")
    result, events = execute(AssemblylineSubmitFileOperator(task_id="scan", file=file, outlets=[SUBMISSIONS], **QUICK))
    [event] = events[SUBMISSIONS].asset_alias_events
    assert event.dest_asset_key.uri == uri(served, result["sid"])
    assert event.extra == result
    assert [one.asset.uri for one in collector.collected_assets.outputs] == [uri(served, result["sid"])]
    assert [one.asset.uri for one in collector.collected_assets.inputs] == [f"file://{file}"]


def test_an_asset_of_the_dag_gets_the_verdict_in_its_event(served, write):
    scans = Asset("assemblyline://assemblyline.example.com/submissions")
    operator = AssemblylineSubmitFileOperator(task_id="scan", file=write("RIG-SCORE:350"), outlets=[scans], **QUICK)
    result, events = execute(operator)
    assert events[scans].extra == {"uri": uri(served, result["sid"]), **result}


def test_each_of_many_files_is_an_asset(served, write, tmp_path, collector):
    write("RIG-SCORE:5", "a.txt")
    write("RIG-SCORE:7", "b.txt")
    operator = AssemblylineSubmitFilesOperator(
        task_id="scan", folder=str(tmp_path), pattern="*.txt", outlets=[SUBMISSIONS], **QUICK
    )
    _, events = execute(operator)
    made = {row["sid"] for row in served.tables()["submissions"]}
    assert {event.dest_asset_key.uri for event in events[SUBMISSIONS].asset_alias_events} == {
        uri(served, sid) for sid in made
    }
    assert {event.extra["max_score"] for event in events[SUBMISSIONS].asset_alias_events} == {5, 7}


def test_an_asset_of_the_dag_gets_the_summary_of_many_files(served, write, tmp_path):
    write("RIG-SCORE:5", "a.txt")
    write("RIG-SCORE:7", "b.txt")
    scans = Asset("assemblyline://assemblyline.example.com/submissions")
    operator = AssemblylineSubmitFilesOperator(task_id="scan", folder=str(tmp_path), outlets=[scans], **QUICK)
    result, events = execute(operator)
    assert events[scans].extra == {"uri": asset(served, "submission"), **result}


def test_ingests_that_are_not_waited_for_are_assets(served, write, tmp_path):
    write("RIG-SCORE:5", "a.txt")
    operator = AssemblylineIngestFilesOperator(
        task_id="scan", folder=str(tmp_path), wait_for_completion=False, outlets=[SUBMISSIONS], **QUICK
    )
    [row], events = execute(operator)
    [event] = events[SUBMISSIONS].asset_alias_events
    assert (event.dest_asset_key.uri, event.extra) == (asset(served, f"ingest/{row['ingest_id']}"), row)


def test_the_submissions_are_outputs_of_a_task_that_fails_because_of_a_verdict(served, write, tmp_path, collector):
    write("RIG-SCORE:900", "a.txt")
    with pytest.raises(AirflowFailException):
        execute(AssemblylineSubmitFilesOperator(task_id="scan", folder=str(tmp_path), fail_on_score=500, **QUICK))
    [row] = served.tables()["submissions"]
    assert list_uris(collector.collected_assets.outputs) == [uri(served, row["sid"])]


def test_each_file_of_a_folder_is_an_input(write, tmp_path, collector):
    files = [write("RIG-SCORE:5", "a.txt"), write("RIG-SCORE:7", "b.txt")]
    execute(AssemblylineSubmitFilesOperator(task_id="scan", folder=str(tmp_path), **QUICK))
    assert list_uris(collector.collected_assets.inputs) == [f"file://{file}" for file in files]


def test_the_submission_is_an_output_of_a_task_that_fails_because_of_its_verdict(served, write, collector):
    operator = AssemblylineSubmitFileOperator(task_id="scan", file=write("RIG-SCORE:900"), fail_on_score=500, **QUICK)
    with pytest.raises(AirflowFailException):
        execute(operator)
    [row] = served.tables()["submissions"]
    assert list_uris(collector.collected_assets.outputs) == [uri(served, row["sid"])]


def test_changed_objects_are_outputs_and_read_ones_inputs(served, write, tmp_path, collector):
    sid = execute(AssemblylineSubmitFileOperator(task_id="scan", file=write("RIG-SCORE:5"), **QUICK))[0]["sid"]
    rows = tmp_path / "rows.jsonl"
    list_name = {"list_name": "badlist", "hashes": "a" * 64, "reason": "seen"}
    tasks: list[Any] = [
        AssemblylineSetVerdictOperator(task_id="judge", sid=sid, verdict="malicious"),
        AssemblylineAddToListOperator(task_id="block", **list_name),
        AssemblylineGetReportOperator(task_id="report", sid=sid),
        AssemblylineSearchOperator(task_id="search", index="submission", query="*", output_uri=str(rows)),
    ]
    for task in tasks:
        execute(task)
    outputs, inputs = collector.collected_assets.outputs, collector.collected_assets.inputs
    badlist = asset(served, f"badlist/{'a' * 64}")
    assert {uri(served, sid), badlist, rows.as_uri()} <= set(list_uris(outputs))
    assert {uri(served, sid), asset(served, "submission")} <= set(list_uris(inputs))


SENSORS = [
    (AssemblylineSubmissionSensor(task_id="wait", sid="s1"), "submission/s1"),
    (AssemblylineIngestSensor(task_id="wait", ingest_id="i1"), "ingest/i1"),
    (AssemblylineRetrohuntSensor(task_id="wait", key="r1"), "retrohunt/r1"),
]


@pytest.mark.parametrize(("sensor", "path"), SENSORS, ids=lambda value: type(value).__name__)
def test_what_a_sensor_waits_for_is_its_input(served, collector, sensor, path):
    sensor.deferrable = True
    with pytest.raises(TaskDeferred):
        sensor.execute(context(sensor))
    assert list_uris(collector.collected_assets.inputs) == [asset(served, path)]
