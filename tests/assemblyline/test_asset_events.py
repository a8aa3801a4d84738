"""The asset of each submission, for lineage and for DAGs that it triggers."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.assemblyline.operators import AssemblylineSubmitFileOperator, AssemblylineSubmitFilesOperator
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
    return f"assemblyline://{served.base_url.removeprefix('http://')}/submission/{sid}"


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
