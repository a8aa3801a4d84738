"""The link of a sensor: published by its worker, or by the triggerer if it starts there."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred, XCom
from airflow.triggers.base import TriggerEvent

from self_hosted.core.http.errors import ServerError
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.operator import LINK_KEY
from self_hosted.core.tasks.sensor import SelfHostedSensor
from tests.core.toy import JobSensor, Toy, ToyHook
from tests.lineage import collected

TASK: Any = SimpleNamespace(dag_id="dag", task_id="wait", run_id="run", map_index=3)


@pytest.fixture
def stored(monkeypatch) -> list[Any]:
    """The XComs that are stored from now on, in place of those of a triggerer."""
    xcoms: list[Any] = []

    async def store(key: str, value: Any, **task: Any) -> None:
        xcoms.append((key, value, task))

    monkeypatch.setattr(XCom, "aset", store, raising=False)
    return xcoms


def make_sensor(**arguments: Any) -> JobSensor:
    return JobSensor(**{
        "task_id": "wait",
        "job_id": "a",
        "start_from_trigger": True,
        "poke_interval": 0.05,
        **arguments,
    })


starts_in_triggerer = pytest.mark.skipif(
    not hasattr(XCom, "aset"), reason="sensors start in the triggerer since Airflow 3.3"
)


def create_trigger(sensor: JobSensor, task_instance: Any = TASK) -> Any:
    """Return the trigger of a sensor as a triggerer creates it."""
    start: Any = sensor.start_trigger_args
    trigger = import_string(start.trigger_cls)(**json.loads(json.dumps(start.trigger_kwargs)))
    trigger.task_instance = task_instance
    return trigger


async def run(trigger: Any) -> Any:
    [event] = [event async for event in trigger.run()]
    assert isinstance(event, TriggerEvent)
    return event.payload


@starts_in_triggerer
async def test_a_sensor_that_starts_in_the_triggerer_publishes_its_link_there(hook: ToyHook, toy: Toy, stored):
    toy.seed({"jobs": {"a": {"polls": 1, "state": "done"}}})
    payload = await run(create_trigger(make_sensor()))
    names = ("dag_id", "task_id", "run_id", "map_index")
    assert payload["observation"]["state"] == "done"
    assert stored == [
        (LINK_KEY, f"{hook.settings.address.base_url}/jobs/a", {name: getattr(TASK, name) for name in names})
    ]


@starts_in_triggerer
async def test_a_link_that_cannot_be_stored_does_not_end_the_wait(hook: ToyHook, toy: Toy, monkeypatch, caplog):
    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no API server")

    monkeypatch.setattr(XCom, "aset", fail, raising=False)
    toy.seed({"jobs": {"a": {"polls": 1, "state": "done"}}})
    assert (await run(create_trigger(make_sensor())))["observation"]["state"] == "done"
    assert f"The link to {hook.settings.address.base_url}/jobs/a cannot be stored: no API server" in caplog.text


async def test_without_a_connection_there_is_no_link(stored):
    payload = await run(create_trigger(make_sensor(toy_conn_id="missing")))
    assert "error" in payload
    assert stored == []


async def test_a_trigger_without_task_publishes_nothing(hook: ToyHook, toy: Toy, stored):
    toy.seed({"jobs": {"a": {"polls": 0, "state": "done"}}})
    await run(create_trigger(make_sensor(), None))
    assert stored == []


def test_a_worker_publishes_the_link_of_a_sensor_that_started_in_the_triggerer(hook: ToyHook, make_context):
    sensor = make_sensor()
    context = make_context(sensor)
    with pytest.raises(ServerError):
        sensor.execute_complete(context, {"error": ServerError("down").as_json()})
    assert context["ti"].pushed[LINK_KEY] == f"{hook.settings.address.base_url}/jobs/a"


@pytest.mark.parametrize("deferrable", [False, True])
def test_the_link_opens_the_page_that_only_the_wait_has_found(
    hook: ToyHook, toy: Toy, make_context, monkeypatch, deferrable
):
    toy.seed({"jobs": {"a": {"polls": 0, "state": "done"}}})
    base_url = hook.settings.address.base_url
    monkeypatch.setattr(JobSensor, "build_result", lambda *_: {"url": f"{base_url}/found"})
    sensor = make_sensor(start_from_trigger=False, deferrable=deferrable)
    context = make_context(sensor)
    if deferrable:
        with pytest.raises(TaskDeferred):
            sensor.execute(context)
        assert context["ti"].pushed[LINK_KEY] == f"{base_url}/jobs/a"
        observation = {"state": "done", "done": True, "details": {}, "progress": None}
        sensor.execute_complete(context, {"observation": observation, "base_url": base_url})
    else:
        sensor.execute(context)
    assert context["ti"].pushed[LINK_KEY] == f"{base_url}/found"


class PlainSensor(JobSensor):
    """Waits for a job that has neither a page nor an asset."""

    external_url = SelfHostedSensor.external_url
    external_asset = SelfHostedSensor.external_asset


def test_without_a_page_of_its_own_the_link_opens_the_product(hook: ToyHook, toy: Toy, make_context, monkeypatch):
    toy.seed({"jobs": {"a": {"polls": 0, "state": "done"}}})
    collector = collected(monkeypatch)
    sensor = PlainSensor(task_id="wait", job_id="a", deferrable=True)
    context = make_context(sensor)
    with pytest.raises(TaskDeferred):
        sensor.execute(context)
    assert context["ti"].pushed[LINK_KEY] == hook.settings.address.base_url
    assert not collector.has_collected
