"""Tests of rudder/sensors.py: waiting for a change request that somebody else opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.sensors import RudderChangeRequestSensor
from tests.conftest import Served
from tests.context import context
from tests.rudder.conftest import SHARE

Sensor = Callable[..., RudderChangeRequestSensor]


@pytest.fixture
def sensor(served: Served, hook: RudderHook) -> Sensor:
    """A sensor on the one change request."""
    served.seed({"validation": True})
    number = hook.update_rule(SHARE, {"enabled": True}, reason="asked by a test")["change_request_id"]

    def make(**arguments: Any) -> RudderChangeRequestSensor:
        given = {"change_request_id": number, "poke_interval": 0.02, "timeout": 5, **arguments}
        return RudderChangeRequestSensor(task_id="approved", **given)

    return make


def run(sensor: RudderChangeRequestSensor) -> Any:
    return sensor.execute(context(sensor))


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(("status", "failure"), [("Deployed", None), ("Cancelled", "'Cancelled'")])
def test_a_decision_ends_the_wait(
    served: Served, sensor: Sensor, deferrable: bool, status: str, failure: str | None
) -> None:
    served.seed({"decisions": {"1": status}})
    waiting = sensor(deferrable=deferrable)
    if failure:
        with pytest.raises(AirflowFailException, match=f"change request 1 was not deployed, its state is {failure}"):
            ended(waiting)
    else:
        assert ended(waiting) == status


def ended(sensor: RudderChangeRequestSensor) -> Any:
    """The sensor's result, through its trigger when it defers."""
    try:
        return run(sensor)
    except TaskDeferred as deferral:
        event = asyncio.run(first_event(deferral.trigger))
        return sensor.execute_complete(context(sensor), event.payload)


async def first_event(trigger: Any) -> Any:
    return await anext(trigger.run())


def test_an_open_request_is_poked_again(sensor: Sensor) -> None:
    waiting = sensor()
    assert not waiting.poke(context(waiting)).is_done


@pytest.mark.parametrize("deferrable", [False, True])
def test_time_runs_out_while_nobody_decides(sensor: Sensor, deferrable: bool) -> None:
    with pytest.raises(AirflowSensorTimeout):
        ended(sensor(deferrable=deferrable, timeout=0.05))


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_request_that_does_not_exist_fails(sensor: Sensor, deferrable: bool) -> None:
    with pytest.raises(AirflowFailException, match="'missing'"):
        ended(sensor(change_request_id=99, deferrable=deferrable))


def test_the_number_may_come_from_a_template(served: Served, sensor: Sensor) -> None:
    served.seed({"decisions": {"1": "Deployed"}})
    assert run(sensor(change_request_id=" 1 ", deferrable=False)) == "Deployed"


@pytest.mark.parametrize("number", ["", "one", None, -1])
def test_what_is_no_number_is_refused(sensor: Sensor, number: Any) -> None:
    with pytest.raises(AirflowFailException, match="change_request_id must be a number"):
        run(sensor(change_request_id=number))
