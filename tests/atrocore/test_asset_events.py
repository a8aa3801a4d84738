"""Entities and jobs as assets: for lineage, and for DAGs that their events trigger."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Asset, TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.atrocore.operators import (
    AtrocoreSyncProductsApplyOperator,
    AtrocoreSyncProductsOperator,
    AtrocoreSyncProductsPlanOperator,
)
from self_hosted.atrocore.sensors import AtrocoreExportJobSensor, AtrocoreImportJobSensor, AtrocoreJobSensor
from self_hosted.core.tasks.lineage import lineage_of
from tests.atrocore.conftest import NO_COUNTS
from tests.context import context
from tests.lineage import collected

PRODUCTS = Asset("atrocore://atrocore.example.com/products")
CATALOGUE = [{"number": "A", "name": "Wheel"}, {"number": "B", "name": "Bolt"}]
SENSORS = [
    (AtrocoreJobSensor(task_id="wait", job_id="j1"), "Job/j1"),
    (AtrocoreImportJobSensor(task_id="wait", job_id="j1"), "ImportJob/j1"),
    (AtrocoreImportJobSensor(task_id="wait", feed_id="f1", after="2026-01-01T00:00:00Z"), "ImportFeed/f1"),
    (AtrocoreExportJobSensor(task_id="wait", job_id="j1"), "ExportJob/j1"),
]


@pytest.fixture(autouse=True)
def collector(hook, monkeypatch):
    return collected(monkeypatch)


def uri(served, path: str) -> str:
    return f"atrocore://{served.base_url.removeprefix('http://')}/{path}"


def create(**arguments: Any) -> AtrocoreSyncProductsOperator:
    return AtrocoreSyncProductsOperator(**{"task_id": "sync", "source": CATALOGUE, "outlets": [PRODUCTS], **arguments})


def execute(task: Any) -> tuple[Any, OutletEventAccessors]:
    """Return the result, and the events of the outlets."""
    events = OutletEventAccessors()
    return task.execute({**context(task), "outlet_events": events}), events


def list_outputs(collector: Any) -> list[str]:
    return [output.asset.uri for output in collector.collected_assets.outputs]


def test_the_entity_is_an_asset_whose_event_has_the_counts(served, collector):
    task = create()
    result, events = execute(task)
    assert events[PRODUCTS].extra == {
        "uri": uri(served, "Product"),
        **{name: result[name] for name in NO_COUNTS},
    }
    assert list_outputs(collector) == [uri(served, "Product")]
    assert lineage_of(task.hook).outputs == {uri(served, "Product"): 2}


def test_the_file_of_the_rows_is_an_input(collector, tmp_path):
    file = tmp_path / "catalogue.csv"
    file.write_text("number,name\nA,Wheel\n")
    execute(create(source=str(file)))
    assert [found.asset.uri for found in collector.collected_assets.inputs] == [file.as_uri()]


def test_a_dry_run_has_no_output(collector):
    _, events = execute(create(dry_run=True))
    assert (list_outputs(collector), events[PRODUCTS].extra) == ([], {})


def test_the_entity_is_an_output_of_a_sync_that_fails(served, collector):
    with pytest.raises(AirflowFailException):
        execute(create(source=[*CATALOGUE, {"number": "C", "price": "a lot"}]))
    assert list_outputs(collector) == [uri(served, "Product")]


def test_a_plan_changes_no_asset_and_its_apply_does(served, collector, tmp_path):
    plan_uri = tmp_path / "plan.jsonl"
    _, events = execute(
        AtrocoreSyncProductsPlanOperator(task_id="plan", source=CATALOGUE, plan_uri=plan_uri, outlets=[PRODUCTS])
    )
    assert (list_outputs(collector), events[PRODUCTS].extra) == ([plan_uri.as_uri()], {})
    task = AtrocoreSyncProductsApplyOperator(task_id="apply", plan_uri=plan_uri, outlets=[PRODUCTS])
    result, events = execute(task)
    assert events[PRODUCTS].extra == {"uri": uri(served, "Product"), **{name: result[name] for name in NO_COUNTS}}
    assert list_outputs(collector) == [plan_uri.as_uri(), uri(served, "Product")]
    assert lineage_of(task.hook).outputs == {uri(served, "Product"): 2}


@pytest.mark.parametrize(("sensor", "path"), SENSORS, ids=lambda value: type(value).__name__)
def test_what_a_sensor_waits_for_is_its_input(served, collector, sensor, path):
    sensor.deferrable = True
    with pytest.raises(TaskDeferred):
        sensor.execute(context(sensor))
    assert [found.asset.uri for found in collector.collected_assets.inputs] == [uri(served, path)]
