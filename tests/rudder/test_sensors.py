"""Tests of rudder/sensors.py: waiting for what others do, in a worker slot and without one."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from airflow.triggers.base import TaskSuccessEvent

from self_hosted.core.question import imported
from self_hosted.core.sensor import ProductSensor
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.sensors import (
    RudderChangeRequestSensor,
    RudderComplianceSensor,
    RudderNodeRunSensor,
    RudderRuleStatusSensor,
)
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, PENDING_NODE, SHARE
from tests.rudder.questions import HOUR_AGO, change_request

pytestmark = pytest.mark.usefixtures("hook")

RULE_PAGE = "/secure/configurationManager/ruleManagement/rule/"
NODE_PAGE = "/secure/nodeManager/node/"


@pytest.fixture(params=[False, True], ids=["poke", "deferred"])
def deferrable(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def sensor(kind: type[ProductSensor], **arguments: Any) -> Any:
    return kind(**{"task_id": "wait", "poke_interval": 0.02, "timeout": 5, "deferrable": False, **arguments})


def ended(sensor: ProductSensor) -> Any:
    """The sensor's result, through its trigger when it defers."""
    try:
        return sensor.execute(context(sensor))
    except TaskDeferred as deferral:
        path, arguments = deferral.trigger.serialize()
        event = asyncio.run(first_event(imported(path)(**json.loads(json.dumps(arguments)))))
        if isinstance(event, TaskSuccessEvent):
            return (event.xcoms or {})["return_value"]
        return sensor.execute_complete(context(sensor), event.payload)


async def first_event(trigger: Any) -> Any:
    return await anext(trigger.run())


def fails(sensor: ProductSensor, words: str) -> None:
    with pytest.raises(AirflowFailException, match=words):
        ended(sensor)


def runs_out_of_time(sensor: ProductSensor, words: str) -> None:
    with pytest.raises(AirflowSensorTimeout, match=words):
        ended(sensor)


# Change requests


def test_a_deployed_change_request_ends_the_wait(served: Served, deferrable: bool) -> None:
    number = change_request(served, "Deployed")
    assert ended(sensor(RudderChangeRequestSensor, change_request_id=number, deferrable=deferrable)) == "Deployed"


def test_a_declined_change_request_fails(served: Served, deferrable: bool) -> None:
    number = change_request(served, "Cancelled")
    fails(
        sensor(RudderChangeRequestSensor, change_request_id=number, deferrable=deferrable),
        rf"change request 1 was not deployed, its state is 'Cancelled': http.*/changeRequest/{number}",
    )


def test_an_open_change_request_is_poked_again(served: Served) -> None:
    waiting = sensor(RudderChangeRequestSensor, change_request_id=change_request(served))
    assert not waiting.poke(context(waiting)).is_done


def test_time_runs_out_while_nobody_decides(served: Served, deferrable: bool) -> None:
    number = change_request(served)
    runs_out_of_time(
        sensor(RudderChangeRequestSensor, change_request_id=number, deferrable=deferrable, timeout=0.05),
        "waited in vain for change request 1, for .*: its last seen state is 'Pending validation'",
    )


def test_a_change_request_that_does_not_exist_fails(served: Served, deferrable: bool) -> None:
    served.seed({"validation": True})
    fails(
        sensor(RudderChangeRequestSensor, change_request_id=99, deferrable=deferrable),
        "change request 99 is not there, or not any more",
    )


def test_the_number_may_come_from_a_template(served: Served) -> None:
    number = change_request(served, "Deployed")
    assert ended(sensor(RudderChangeRequestSensor, change_request_id=f" {number} ")) == "Deployed"


@pytest.mark.parametrize("number", ["", "one", None, -1])
def test_what_is_no_number_is_refused(number: Any) -> None:
    fails(sensor(RudderChangeRequestSensor, change_request_id=number), "change_request_id must be a number")


# Rules


def test_a_rule_in_application_ends_the_wait(served: Served, deferrable: bool) -> None:
    assert ended(sensor(RudderRuleStatusSensor, rule_id=ANTIVIRUS, deferrable=deferrable)) == {
        "rule_id": ANTIVIRUS,
        "status": "In application",
        "details": "",
        "url": f"{served.base_url}{RULE_PAGE}{ANTIVIRUS}",
    }


def test_a_disabled_rule_fails_unless_that_is_wanted(deferrable: bool) -> None:
    fails(
        sensor(RudderRuleStatusSensor, rule_id=SHARE, deferrable=deferrable),
        f"rule {SHARE} is disabled, so it will not be 'In application': http.*{RULE_PAGE}{SHARE}",
    )
    result = ended(sensor(RudderRuleStatusSensor, rule_id=SHARE, status="Disabled", deferrable=deferrable))
    assert (result["status"], result["details"]) == ("Disabled", "This rule is disabled. ")


def test_a_rule_that_is_not_applied_yet_is_waited_for(served: Served, deferrable: bool) -> None:
    served.seed({"disabled_directives": ["antivirus-clamav"]})
    waiting = {"rule_id": ANTIVIRUS, "deferrable": deferrable, "timeout": 0.05}
    runs_out_of_time(sensor(RudderRuleStatusSensor, **waiting), "its last seen state is 'Not applied'")
    assert ended(sensor(RudderRuleStatusSensor, **waiting, status="Not applied"))["details"].endswith("disabled")


def test_a_rule_that_does_not_exist_fails(deferrable: bool) -> None:
    fails(sensor(RudderRuleStatusSensor, rule_id="nothing", deferrable=deferrable), "status of rule nothing/.* not th")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rule_id": " "}, "rule_id must be an id, not ' '"),
        ({"rule_id": None}, "rule_id must be an id"),
        ({"rule_id": SHARE, "status": "applied"}, "status must be one of In application, .*, not 'applied'"),
    ],
)
def test_a_status_that_cannot_be_is_refused(served: Served, arguments: dict[str, Any], words: str) -> None:
    served.fail("status", status=418)
    fails(sensor(RudderRuleStatusSensor, **arguments), words)


# Compliance


def test_the_compliance_of_a_rule_ends_the_wait(served: Served, deferrable: bool) -> None:
    served.seed({"reports": {ANTIVIRUS: {"share": 90, "takes": 0}}})
    waiting = sensor(RudderComplianceSensor, rule_id=ANTIVIRUS, threshold="87.5", deferrable=deferrable)
    assert ended(waiting) == {
        "rule_id": ANTIVIRUS,
        "compliance": 90,
        "details": {"successAlreadyOK": 90, "error": 10},
        "url": f"{served.base_url}{RULE_PAGE}{ANTIVIRUS}",
    }


def test_the_compliance_of_a_node_ends_the_wait(served: Served, deferrable: bool) -> None:
    assert ended(sensor(RudderComplianceSensor, node=FILE_SERVER, deferrable=deferrable)) == {
        "node_id": FILE_SERVER,
        "compliance": 100,
        "details": {"successAlreadyOK": 100},
        "url": f"{served.base_url}{NODE_PAGE}{FILE_SERVER}",
    }


def test_compliance_that_rises_is_waited_for(served: Served, hook: RudderHook, deferrable: bool) -> None:
    served.seed({"apply_seconds": 0.5})
    hook.update_rule(SHARE, {"enabled": True}, reason="asked by a test")
    waiting = sensor(RudderComplianceSensor, rule_id=SHARE, deferrable=deferrable)
    assert not waiting.poke(context(waiting)).is_done
    began = time.monotonic()
    assert ended(waiting)["compliance"] == 100
    assert time.monotonic() - began < 4


def test_low_compliance_runs_out_of_time_and_says_how_low_it_was(served: Served, deferrable: bool) -> None:
    served.seed({"reports": {ANTIVIRUS: {"share": 82.5, "takes": 0}}})
    runs_out_of_time(
        sensor(RudderComplianceSensor, rule_id=ANTIVIRUS, deferrable=deferrable, timeout=0.05),
        f"for compliance of rule/{ANTIVIRUS}/100, for .*: its last seen state is '82.5 % compliant'",
    )


def test_a_rule_without_reports_is_waited_for(deferrable: bool) -> None:
    runs_out_of_time(sensor(RudderComplianceSensor, rule_id=SHARE, deferrable=deferrable, timeout=0.05), "0 % compl")


def test_a_server_that_tells_no_compliance_fails_the_wait(served: Served, deferrable: bool) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    fails(
        sensor(RudderComplianceSensor, rule_id=ANTIVIRUS, deferrable=deferrable),
        "Rudder tells no compliance, .*: its mode is 'reports-disabled'",
    )


@pytest.mark.parametrize("missing", [{"rule_id": "nothing"}, {"node": "nothing"}, {"node": PENDING_NODE}])
def test_what_has_no_compliance_fails(missing: dict[str, str], deferrable: bool) -> None:
    fails(sensor(RudderComplianceSensor, **missing, deferrable=deferrable), "compliance of .* is not there")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "give one of rule_id and node"),
        ({"rule_id": "r", "node": "n"}, "give one of rule_id and node"),
        ({"rule_id": ""}, "rule_id must be an id"),
        ({"node": " "}, "node must be an id"),
        ({"rule_id": "r", "threshold": 0}, "threshold must be a percentage above 0 and up to 100, not 0"),
        ({"rule_id": "r", "threshold": 100.1}, "threshold must be"),
        ({"rule_id": "r", "threshold": "all"}, "threshold must be .* not 'all'"),
        ({"rule_id": "r", "threshold": "nan"}, "threshold must be"),
        ({"rule_id": "r", "threshold": None}, "threshold must be"),
    ],
)
def test_a_compliance_that_cannot_be_is_refused(served: Served, arguments: dict[str, Any], words: str) -> None:
    served.fail("status", status=418)
    fails(sensor(RudderComplianceSensor, **arguments), words)


# Runs of nodes


def test_a_run_after_that_ends_the_wait(served: Served, deferrable: bool) -> None:
    began = datetime.now(UTC) - timedelta(seconds=60)
    served.seed({"nodes": [{"id": "n1", "first_run": -60}]})
    result = ended(sensor(RudderNodeRunSensor, node="n1", after=HOUR_AGO.isoformat(), deferrable=deferrable))
    assert abs(datetime.fromisoformat(result.pop("last_run")) - began) < timedelta(seconds=2)
    assert result == {"node_id": "n1", "url": f"{served.base_url}{NODE_PAGE}n1"}


def test_a_run_that_is_to_come_is_waited_for(served: Served, deferrable: bool) -> None:
    served.seed({"nodes": [{"id": "n1", "first_run": 0.4}]})
    waiting = sensor(RudderNodeRunSensor, node="n1", after=HOUR_AGO.isoformat(), deferrable=deferrable)
    assert not waiting.poke(context(waiting)).is_done
    assert ended(waiting)["node_id"] == "n1"


def test_time_runs_out_while_the_agent_does_not_run(served: Served, deferrable: bool) -> None:
    served.seed({"nodes": [{"id": "n1"}]})
    runs_out_of_time(
        sensor(RudderNodeRunSensor, node="n1", after=HOUR_AGO.isoformat(), deferrable=deferrable, timeout=0.05),
        "for run of node n1/.*: its last seen state is 'never ran'",
    )


def test_a_node_that_does_not_exist_fails(deferrable: bool) -> None:
    waiting = sensor(RudderNodeRunSensor, node="nothing", after=HOUR_AGO.isoformat(), deferrable=deferrable)
    fails(waiting, "run of node nothing/.* is not there")


@pytest.mark.parametrize(
    "after", ["2026-03-01T09:00:00+01:00", " 2026-03-01 08:00:00Z ", datetime(2026, 3, 1, 8, tzinfo=UTC)]
)
def test_the_moment_may_be_given_in_many_ways(after: Any) -> None:
    waiting = sensor(RudderNodeRunSensor, node=FILE_SERVER, after=after)
    waiting.check()
    assert waiting.key() == f"{FILE_SERVER}/2026-03-01T08:00:00+00:00"


def test_a_moment_that_is_a_datetime_goes_to_the_triggerer_as_text() -> None:
    waiting = sensor(RudderNodeRunSensor, node=FILE_SERVER, after=HOUR_AGO, deferrable=True)
    with pytest.raises(TaskDeferred) as deferral:
        waiting.execute(context(waiting))
    _, arguments = deferral.value.trigger.serialize()
    assert json.loads(json.dumps(arguments))["after"] == HOUR_AGO.isoformat()


@pytest.mark.parametrize("after", ["", "yesterday", "2026-03-01T08:00:00", None, datetime(2026, 3, 1)])
def test_what_is_no_moment_is_refused(served: Served, after: Any) -> None:
    served.fail("status", status=418)
    fails(sensor(RudderNodeRunSensor, node=FILE_SERVER, after=after), "after must be a moment with its time zone")


def test_a_node_is_named_by_its_id(served: Served) -> None:
    served.fail("status", status=418)
    fails(sensor(RudderNodeRunSensor, node="", after="2026-03-01T08:00:00Z"), "node must be an id, not ''")
