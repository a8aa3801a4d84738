"""Rules, change requests and nodes as assets: for lineage, and for DAGs that their events trigger."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Asset, AssetAlias, TaskDeferred
from airflow.sdk.execution_time.context import OutletEventAccessors

from self_hosted.rudder.operators import RudderUpdatePoliciesOperator, RudderUpdateRuleOperator
from self_hosted.rudder.sensors import (
    RudderChangeRequestSensor,
    RudderComplianceSensor,
    RudderNodeRunSensor,
    RudderRuleStatusSensor,
)
from tests.context import context
from tests.lineage import collected
from tests.rudder.conftest import SHARE

CHANGES = AssetAlias("changes")
SENSORS = [
    (RudderChangeRequestSensor(task_id="wait", change_request_id=7), "changeRequest/7"),
    (RudderRuleStatusSensor(task_id="wait", rule_id="e1"), "rule/e1"),
    (RudderComplianceSensor(task_id="wait", rule_id="e1"), "rule/e1"),
    (RudderComplianceSensor(task_id="wait", node="n1"), "node/n1"),
    (RudderNodeRunSensor(task_id="wait", node="n1", after="2026-01-01T00:00:00Z"), "node/n1"),
]


@pytest.fixture(autouse=True)
def collector(hook, monkeypatch):
    return collected(monkeypatch)


def uri(served, path: str) -> str:
    return f"rudder://{served.base_url.removeprefix('http://')}/{path}"


def execute(task: Any) -> tuple[Any, OutletEventAccessors]:
    """Return the result, and the events of the outlets."""
    events = OutletEventAccessors()
    return task.execute({**context(task), "outlet_events": events}), events


def update(**arguments: Any) -> RudderUpdateRuleOperator:
    given: dict[str, Any] = {"rule_id": SHARE, "enabled": True, "reason": "The show starts", **arguments}
    return RudderUpdateRuleOperator(task_id="update", poll_interval=0.02, outlets=[CHANGES], **given)


def list_outputs(collector: Any) -> list[str]:
    return [output.asset.uri for output in collector.collected_assets.outputs]


def test_a_changed_rule_is_an_asset_whose_event_names_the_changed_fields(served, collector):
    result, events = execute(update())
    [event] = events[CHANGES].asset_alias_events
    assert (event.dest_asset_key.uri, event.extra) == (uri(served, f"rule/{SHARE}"), result)
    assert event.extra["changed"] == ["enabled"]
    assert list_outputs(collector) == [uri(served, f"rule/{SHARE}")]


def test_a_pending_change_request_is_an_asset(served, collector):
    served.seed({"validation": True})
    result, events = execute(update(wait_for_completion=False))
    request = uri(served, f"changeRequest/{result['change_request_id']}")
    [event] = events[CHANGES].asset_alias_events
    assert (event.dest_asset_key.uri, event.extra["outcome"]) == (request, "pending")
    assert list_outputs(collector) == [request]


def test_a_change_request_is_an_output_of_a_task_that_waits_for_it(served, collector):
    served.seed({"validation": True})
    operator = update(wait_for_completion=True, deferrable=True)
    with pytest.raises(TaskDeferred):
        operator.execute(context(operator))
    [number] = [request["id"] for request in served.tables()["change requests"]]
    assert list_outputs(collector) == [uri(served, f"changeRequest/{number}")]


def test_an_update_of_the_policies_is_an_event_of_an_asset(served, collector):
    policies = Asset("rudder://rudder.example.com/policies")
    result, events = execute(RudderUpdatePoliciesOperator(task_id="update", outlets=[policies]))
    assert events[policies].extra == {"uri": uri(served, "policies"), **result}
    assert list_outputs(collector) == [uri(served, "policies")]


@pytest.mark.parametrize(("sensor", "path"), SENSORS, ids=lambda value: type(value).__name__)
def test_what_a_sensor_waits_for_is_its_input(served, collector, sensor, path):
    sensor.deferrable = True
    with pytest.raises(TaskDeferred):
        sensor.execute(context(sensor))
    assert [found.asset.uri for found in collector.collected_assets.inputs] == [uri(served, path)]
