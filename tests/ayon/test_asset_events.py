"""Projects and other objects as assets: for lineage, and for DAGs that their events trigger."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Asset, AssetAlias, TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.ayon.sensors import (
    AyonBackgroundOperationSensor,
    AyonEntityStatusSensor,
    AyonEventSensor,
    AyonReviewableSensor,
)
from tests.context import context
from tests.lineage import collected

PROJECTS = AssetAlias("projects")
ID = "a" * 32
SENSORS = [
    (AyonEventSensor(task_id="wait", event_id=ID), f"event/{ID}"),
    (
        AyonEntityStatusSensor(task_id="wait", project="alpha", entity_type="task", entity_id=ID, statuses="Done"),
        f"project/alpha/task/{ID}",
    ),
    (AyonBackgroundOperationSensor(task_id="wait", project="alpha", operation_id=ID), "project/alpha"),
    (AyonReviewableSensor(task_id="wait", project="alpha", version_id=ID), f"project/alpha/version/{ID}"),
]


@pytest.fixture(autouse=True)
def collector(served, connect, monkeypatch):
    connect("ayon_default", served.connection())
    return collected(monkeypatch)


def uri(served, path: str) -> str:
    return f"ayon://{served.base_url.removeprefix('http://')}/{path}"


def execute(**arguments: Any) -> tuple[Any, OutletEventAccessors]:
    """Return the result, and the events of the outlets."""
    operator = AyonCreateProjectOperator(**{"task_id": "create", "name": "alpha", "code": "alp", **arguments})
    events = OutletEventAccessors()
    task_context: Any = {**context(operator), "outlet_events": events}
    return operator.execute(task_context), events


def test_a_project_is_an_asset_whose_event_has_the_result(served, collector):
    result, events = execute(outlets=[PROJECTS])
    [event] = events[PROJECTS].asset_alias_events
    assert (event.dest_asset_key.uri, event.extra) == (uri(served, "project/alpha"), result)
    assert [output.asset.uri for output in collector.collected_assets.outputs] == [uri(served, "project/alpha")]


def test_an_asset_of_the_dag_gets_the_changed_values_in_its_event(served):
    execute()
    projects = Asset("ayon://ayon.example.com/projects")
    _, events = execute(label="Alpha", if_exists="update", outlets=[projects])
    assert events[projects].extra["updated"] == ["label"]
    assert events[projects].extra["uri"] == uri(served, "project/alpha")


def test_a_project_of_another_task_is_no_output(monkeypatch):
    execute(code="oth")
    collector = collected(monkeypatch)
    with pytest.raises(AirflowFailException):
        execute()
    assert not collector.collected_assets.outputs


@pytest.mark.parametrize(("sensor", "path"), SENSORS, ids=lambda value: type(value).__name__)
def test_what_a_sensor_waits_for_is_its_input(served, collector, sensor, path):
    sensor.deferrable = True
    with pytest.raises(TaskDeferred):
        sensor.execute(context(sensor))
    assert [found.asset.uri for found in collector.collected_assets.inputs] == [uri(served, path)]
