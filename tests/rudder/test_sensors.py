"""Tests of rudder/sensors.py: results, failures and arguments, and the same results in the triggerer."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from self_hosted.core.imports import import_string
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.wait.key import WaitKey
from self_hosted.rudder.sensors import (
    RudderChangeRequestSensor,
    RudderComplianceSensor,
    RudderNodeRunSensor,
    RudderRuleStatusSensor,
)
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, PENDING_NODE, SHARE
from tests.rudder.wait_cases import HOUR_AGO, add_change_request

pytestmark = pytest.mark.usefixtures("hook")

RULE_PAGE = "/secure/configurationManager/ruleManagement/rule/"
NODE_PAGE = "/secure/nodeManager/node/"


def create(sensor_class: type[SelfHostedSensor], **arguments: Any) -> Any:
    return sensor_class(**{"task_id": "wait", "poke_interval": 0.02, "timeout": 60, "deferrable": False, **arguments})


def run(sensor_class: type[SelfHostedSensor], **arguments: Any) -> Any:
    sensor = create(sensor_class, **arguments)
    return sensor.execute(context(sensor))


def run_deferred(sensor_class: type[SelfHostedSensor], **arguments: Any) -> Any:
    """Return the sensor's result through its trigger, which is stored and read first, as the triggerer does."""
    sensor = create(sensor_class, deferrable=True, **arguments)
    with pytest.raises(TaskDeferred) as deferral:
        sensor.execute(context(sensor))
    path, stored = json.loads(json.dumps(deferral.value.trigger.serialize()))

    async def first_event() -> Any:
        return await anext(import_string(path)(**stored).run())

    event = asyncio.run(first_event())
    return sensor.execute_complete(context(sensor), event.payload)


def assert_fails(message: str, sensor_class: type[SelfHostedSensor], **arguments: Any) -> None:
    with pytest.raises(AirflowFailException, match=message):
        run(sensor_class, **arguments)


def assert_times_out(message: str, sensor_class: type[SelfHostedSensor], **arguments: Any) -> None:
    with pytest.raises(AirflowSensorTimeout, match=message):
        run(sensor_class, timeout=0.05, **arguments)


@pytest.mark.parametrize(
    ("sensor_class", "arguments"),
    [
        (RudderChangeRequestSensor, {"change_request_id": 1}),
        (RudderRuleStatusSensor, {"rule_id": ANTIVIRUS}),
        (RudderComplianceSensor, {"rule_id": ANTIVIRUS}),
        (RudderNodeRunSensor, {"node": FILE_SERVER, "after": HOUR_AGO.replace(year=2020)}),
    ],
)
def test_a_deferred_sensor_has_the_same_result(
    served: Served, sensor_class: type[SelfHostedSensor], arguments: dict[str, Any]
) -> None:
    add_change_request(served, "Deployed")
    assert run_deferred(sensor_class, **arguments) == run(sensor_class, **arguments)


# Change requests


def test_a_deployed_change_request_ends_the_wait(served: Served) -> None:
    number = add_change_request(served, "Deployed")
    assert run(RudderChangeRequestSensor, change_request_id=number) == "Deployed"


def test_a_declined_change_request_fails(served: Served) -> None:
    number = add_change_request(served, "Cancelled")
    assert_fails(
        rf"change request 1 was not deployed, its state is 'Cancelled': http.*/changeRequest/{number}",
        RudderChangeRequestSensor,
        change_request_id=number,
    )


def test_an_open_change_request_is_poked_again(served: Served) -> None:
    sensor = create(RudderChangeRequestSensor, change_request_id=add_change_request(served))
    assert not sensor.poke(context(sensor)).is_done


def test_the_wait_for_a_decision_times_out(served: Served) -> None:
    message = r"timed out after \d+ s waiting for change request 1: its last state is 'Pending validation'"
    assert_times_out(message, RudderChangeRequestSensor, change_request_id=add_change_request(served))


def test_a_missing_change_request_fails(served: Served) -> None:
    served.seed({"validation": True})
    assert_fails("change request 99 does not exist", RudderChangeRequestSensor, change_request_id=99)


def test_a_template_may_render_the_number(served: Served) -> None:
    number = add_change_request(served, "Deployed")
    assert run(RudderChangeRequestSensor, change_request_id=f" {number} ") == "Deployed"


@pytest.mark.parametrize("number", ["", "one", "None", None, -1])
def test_an_invalid_number_is_rejected(number: Any) -> None:
    assert_fails("change_request_id must be a whole number", RudderChangeRequestSensor, change_request_id=number)


# Rules


def test_a_rule_in_application_ends_the_wait(served: Served) -> None:
    assert run(RudderRuleStatusSensor, rule_id=ANTIVIRUS) == {
        "rule_id": ANTIVIRUS,
        "status": "In application",
        "details": "",
        "url": f"{served.base_url}{RULE_PAGE}{ANTIVIRUS}",
    }


def test_a_disabled_rule_fails_unless_that_is_the_desired_status() -> None:
    message = f"rule {SHARE} is disabled, so it will not be 'In application': http.*{RULE_PAGE}{SHARE}"
    assert_fails(message, RudderRuleStatusSensor, rule_id=SHARE)
    result = run(RudderRuleStatusSensor, rule_id=SHARE, status="Disabled")
    assert (result["status"], result["details"]) == ("Disabled", "This rule is disabled. ")


def test_a_rule_that_is_not_applied_yet_is_waited_for(served: Served) -> None:
    served.seed({"disabled_directives": ["antivirus-clamav"]})
    assert_times_out("its last state is 'Not applied'", RudderRuleStatusSensor, rule_id=ANTIVIRUS)
    result = run(RudderRuleStatusSensor, rule_id=ANTIVIRUS, status="Not applied")
    assert result["details"].endswith("disabled")


def test_a_missing_rule_fails() -> None:
    assert_fails("status of rule missing does not exist", RudderRuleStatusSensor, rule_id="missing")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule_id": " "}, "rule_id must be the id of a rule, not ' '"),
        ({"rule_id": None}, "rule_id must be the id of a rule"),
        ({"rule_id": "None"}, "rule_id must be the id of a rule"),
        ({"rule_id": SHARE, "status": "applied"}, "status must be one of In application, .*, not 'applied'"),
    ],
)
def test_invalid_arguments_of_a_status_are_rejected(served: Served, arguments: dict[str, Any], message: str) -> None:
    served.fail("status", status=418)
    assert_fails(message, RudderRuleStatusSensor, **arguments)


# Compliance


def test_the_compliance_of_a_rule_ends_the_wait(served: Served) -> None:
    served.seed({"reports": {ANTIVIRUS: {"compliant_percent": 90, "duration_seconds": 0}}})
    assert run(RudderComplianceSensor, rule_id=ANTIVIRUS, threshold="87.5") == {
        "rule_id": ANTIVIRUS,
        "compliance": 90,
        "details": {"successAlreadyOK": 90, "error": 10},
        "url": f"{served.base_url}{RULE_PAGE}{ANTIVIRUS}",
    }


def test_the_compliance_of_a_node_ends_the_wait(served: Served) -> None:
    assert run(RudderComplianceSensor, node=FILE_SERVER) == {
        "node_id": FILE_SERVER,
        "compliance": 100,
        "details": {"successAlreadyOK": 100},
        "url": f"{served.base_url}{NODE_PAGE}{FILE_SERVER}",
    }


def test_rising_compliance_is_waited_for(served: Served) -> None:
    served.seed({"reports": {ANTIVIRUS: {"compliant_percent": 100, "duration_seconds": 600}}})
    sensor = create(RudderComplianceSensor, rule_id=ANTIVIRUS)
    assert not sensor.poke(context(sensor)).is_done
    served.seed({"advance_seconds": 600})
    assert sensor.execute(context(sensor))["compliance"] == 100


def test_low_compliance_times_out_with_its_percentage(served: Served) -> None:
    served.seed({"reports": {ANTIVIRUS: {"compliant_percent": 82.5, "duration_seconds": 0}}})
    message = f"waiting for compliance of {ANTIVIRUS}: its last state is '82.5 % compliant'"
    assert_times_out(message, RudderComplianceSensor, rule_id=ANTIVIRUS)


def test_a_rule_without_reports_is_waited_for(served: Served) -> None:
    served.seed({"rules": [{"id": "new", "displayName": "New", "enabled": True}]})
    assert_times_out("0 % compliant", RudderComplianceSensor, rule_id="new")


def test_the_compliance_of_a_disabled_rule_fails_with_the_reason() -> None:
    message = f"rule {SHARE} is disabled, so its nodes do not report about it: http.*{RULE_PAGE}{SHARE}"
    assert_fails(message, RudderComplianceSensor, rule_id=SHARE)


def test_after_a_change_the_old_compliance_does_not_end_the_wait(served: Served) -> None:
    served.seed({"generation_seconds": 60, "apply_seconds": 120})
    served.seed({"nodes": [{"id": "n1", "first_run": 0, "run_interval": 300}]})
    served.seed({"rules": [{"id": "r1", "displayName": "R1", "targets": ["policyServer:n1"]}]})
    served.seed({"reports": {"r1": {}}})
    change = requests.post(
        f"{served.base_url}/api/latest/rules/r1",
        json={"directives": ["ntp"]},
        headers={"X-API-Token": TOKENS["automation"]},
        timeout=60,
    )
    assert change.ok
    changed_at = datetime.now(UTC)
    gate = create(RudderComplianceSensor, rule_id="r1", after=changed_at, generation_seconds=60)
    assert create(RudderComplianceSensor, rule_id="r1").poke(context(gate)).is_done, "the old compliance"
    assert not gate.poke(context(gate)).is_done
    served.seed({"advance_seconds": 90})  # policies are generated, and the agent has not applied them
    assert not gate.poke(context(gate)).is_done
    served.seed({"advance_seconds": 240})  # the agent has run
    assert gate.execute(context(gate))["compliance"] == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"after": "yesterday"}, "after must be a timestamp with a time zone"),
        ({"after": "2026-01-01T00:00:00"}, "after must be a timestamp with a time zone"),
        ({"after": "9999-12-31T23:59:59Z"}, "after is too late"),
        ({"generation_seconds": -1}, "generation_seconds must be a number above 0"),
    ],
)
def test_invalid_times_of_a_change_are_rejected(arguments: dict[str, Any], message: str) -> None:
    assert_fails(message, RudderComplianceSensor, rule_id=ANTIVIRUS, **arguments)


def test_a_server_without_compliance_fails(served: Served) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    message = f"no compliance of rule {ANTIVIRUS}: Rudder computes none in its mode 'reports-disabled'"
    assert_fails(message, RudderComplianceSensor, rule_id=ANTIVIRUS)


@pytest.mark.parametrize("target", [{"rule_id": "missing"}, {"node": "missing"}, {"node": PENDING_NODE}])
def test_a_missing_compliance_fails(target: dict[str, str]) -> None:
    assert_fails("compliance of .* does not exist", RudderComplianceSensor, **target)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give exactly one of rule_id, node"),
        ({"rule_id": "r", "node": "n"}, "give exactly one of rule_id, node"),
        ({"rule_id": ""}, "rule_id must be the id of a rule"),
        ({"node": " "}, "node must be the id of a node"),
        ({"node": "None"}, "node must be the id of a node"),
        ({"node": "pending"}, "node must be the id of a node"),
        ({"rule_id": "a b"}, "rule_id must be the id of a rule"),
        ({"rule_id": "tree"}, "rule_id must be the id of a rule"),
        ({"rule_id": "r", "threshold": 0}, "threshold must be a number above 0 and at most 100, not 0"),
        ({"rule_id": "r", "threshold": 100.1}, "threshold must be"),
        ({"rule_id": "r", "threshold": "all"}, "threshold must be .* not 'all'"),
        ({"rule_id": "r", "threshold": "nan"}, "threshold must be"),
        ({"rule_id": "r", "threshold": None}, "threshold must be"),
    ],
)
def test_invalid_arguments_of_compliance_are_rejected(served: Served, arguments: dict[str, Any], message: str) -> None:
    served.fail("status", status=418)
    assert_fails(message, RudderComplianceSensor, **arguments)


# Runs of nodes


def test_a_later_run_ends_the_wait(served: Served) -> None:
    began = datetime.now(UTC) - timedelta(seconds=60)
    served.seed({"nodes": [{"id": "n1", "first_run": -60}]})
    result = run(RudderNodeRunSensor, node="n1", after=HOUR_AGO.isoformat())
    assert abs(datetime.fromisoformat(result.pop("last_run")) - began) < timedelta(seconds=30)
    assert result == {"node_id": "n1", "url": f"{served.base_url}{NODE_PAGE}n1"}


def test_a_future_run_is_waited_for(served: Served) -> None:
    served.seed({"nodes": [{"id": "n1", "first_run": 600}]})
    sensor = create(RudderNodeRunSensor, node="n1", after=HOUR_AGO.isoformat())
    assert not sensor.poke(context(sensor)).is_done
    served.seed({"advance_seconds": 601})
    assert sensor.execute(context(sensor))["node_id"] == "n1"


def test_the_wait_for_a_run_times_out(served: Served) -> None:
    served.seed({"nodes": [{"id": "n1"}]})
    message = "waiting for run of node n1: its last state is 'never ran'"
    assert_times_out(message, RudderNodeRunSensor, node="n1", after=HOUR_AGO.isoformat())


def test_a_missing_node_fails() -> None:
    message = "run of node missing does not exist"
    assert_fails(message, RudderNodeRunSensor, node="missing", after=HOUR_AGO.isoformat())


@pytest.mark.parametrize(
    "after", ["2026-03-01T09:00:00+01:00", " 2026-03-01 08:00:00Z ", datetime(2026, 3, 1, 8, tzinfo=UTC)]
)
def test_equal_times_have_the_same_key(after: Any) -> None:
    sensor = create(RudderNodeRunSensor, node=FILE_SERVER, after=after)
    assert WaitKey.from_text(sensor.external_id()) == (FILE_SERVER, ("2026-03-01T08:00:00+00:00",))


def test_the_trigger_gets_a_datetime_as_text() -> None:
    sensor = create(RudderNodeRunSensor, node=FILE_SERVER, after=HOUR_AGO, deferrable=True)
    with pytest.raises(TaskDeferred) as deferral:
        sensor.execute(context(sensor))
    _, arguments = deferral.value.trigger.serialize()
    assert json.loads(json.dumps(arguments))["after"] == HOUR_AGO.isoformat()


@pytest.mark.parametrize("after", ["", "yesterday", "2026-03-01T08:00:00", None, datetime(2026, 3, 1)])
def test_an_invalid_time_is_rejected(served: Served, after: Any) -> None:
    served.fail("status", status=418)
    message = "after must be a timestamp with a time zone"
    assert_fails(message, RudderNodeRunSensor, node=FILE_SERVER, after=after)


def test_a_node_without_an_id_is_rejected(served: Served) -> None:
    served.fail("status", status=418)
    assert_fails("node must be the id of a node", RudderNodeRunSensor, node="", after="2026-03-01T08:00:00Z")
