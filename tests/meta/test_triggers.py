"""Every trigger survives its way through the metadata database, and holds no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.triggers.base import BaseEventTrigger, BaseTrigger

from self_hosted.core.events.trigger import FeedTrigger
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.wait.trigger import SensorTrigger, WaitTrigger
from self_hosted.sandbox.server import create_servers
from tests.meta.source import PRODUCTS, assert_none, find_classes, list_arguments, list_parameters, provider_modules
from tests.meta.tasks import SENSORS, DagSerialization, create_task, list_required

WAIT: dict[str, Any] = {
    "wait_spec": "some.SPEC",
    "conn_id": "some_default",
    "keys": ["a", "b"],
    "since": 1.5,
    "deadline": 2.5,
}
FEED_TRIGGERS: list[FeedTrigger] = [
    kind() for product in PRODUCTS for kind in find_classes(product, "triggers", FeedTrigger)
]


def create_sensor_trigger(sensor: Any) -> SensorTrigger:
    """Return the trigger of a sensor that starts in the triggerer."""
    arguments = {name: name for name in list_required(sensor)}
    task = create_task(sensor, start_from_trigger=True, **arguments)
    return SensorTrigger(**task.start_trigger_args.trigger_kwargs)


TRIGGERS: list[BaseTrigger] = [
    WaitTrigger(**WAIT, poll_interval=7, cancel_on_kill=True, submitted={"id": "a"}),
    *(create_sensor_trigger(sensor) for sensor in SENSORS),
    *FEED_TRIGGERS,
]


def list_subclasses(kind: type) -> set[type]:
    children: list[type] = kind.__subclasses__()
    return {*children, *(found for child in children for found in list_subclasses(child))}


def list_secrets(connection: dict[str, Any]) -> Iterator[str]:
    values = [connection.get("password"), *connection.get("extra", {}).values()]
    yield from (str(value) for value in values if value and len(str(value)) > 6)


def test_every_trigger_class_is_tested_here():
    for module in provider_modules():
        if module.part in {"core", *PRODUCTS}:
            import_module(module.name)
    ours = {kind for kind in list_subclasses(BaseTrigger) if kind.__module__.startswith("self_hosted.")}
    assert ours == {type(trigger) for trigger in TRIGGERS} | {FeedTrigger}


def test_a_stored_trigger_is_equal_to_the_original():
    for trigger in TRIGGERS:
        path, arguments = json.loads(json.dumps(trigger.serialize()))
        assert import_string(path)(**arguments).serialize() == (path, arguments) == trigger.serialize(), trigger


def test_a_trigger_names_a_connection_and_holds_no_secret():
    secrets = [secret for server in create_servers() for secret in list_secrets(server.connection("http://sandbox"))]
    assert len(secrets) >= len(PRODUCTS)
    for trigger in TRIGGERS:
        _, arguments = trigger.serialize()
        assert any(name.endswith("conn_id") for name in arguments), trigger
        assert [secret for secret in secrets if secret in json.dumps(arguments)] == [], trigger


def list_own_fields(sensor: type[SelfHostedSensor]) -> set[str]:
    return set(sensor.template_fields) - set(SelfHostedSensor.template_fields)


def test_arguments_of_sensors_have_names_that_their_trigger_does_not_use():
    used = {found.name for found in list_parameters(SensorTrigger.__init__)}
    used |= set(dir(SensorTrigger)) | set(vars(TRIGGERS[0]))
    assert_none(f"{sensor.__name__}.{name}" for sensor in SENSORS for name in list_own_fields(sensor) if name in used)


def test_the_trigger_of_a_sensor_carries_all_its_arguments():
    for sensor in SENSORS:
        assert {found.name for found in list_arguments(sensor)} == list_own_fields(sensor), sensor


def test_an_event_trigger_is_the_same_after_its_dag_was_stored():
    for trigger in FEED_TRIGGERS:
        asset = Asset("objects", watchers=[AssetWatcher(name="watch", trigger=trigger)])
        with DAG("watching", schedule=[asset]) as dag:
            pass
        stored = json.loads(json.dumps(DagSerialization.to_dict(dag)))
        [kept] = stored["dag"]["timetable"]["__var"]["asset_condition"]["objects"]
        expected = dict(zip(("classpath", "kwargs"), trigger.serialize(), strict=True))
        assert kept["watchers"][0]["trigger"] == expected


def test_event_triggers_with_equal_arguments_are_equal():
    for trigger in FEED_TRIGGERS:
        _, arguments = trigger.serialize()
        same, other = type(trigger)(**arguments), type(trigger)(**{**arguments, "poll_interval": 7})
        assert BaseEventTrigger.hash(*same.serialize()) == BaseEventTrigger.hash(*trigger.serialize())
        assert BaseEventTrigger.hash(*other.serialize()) != BaseEventTrigger.hash(*trigger.serialize())
        assert same.state_key == other.state_key


def test_arguments_of_event_triggers_are_stored_under_their_own_names():
    for trigger in FEED_TRIGGERS:
        names = {found.name for found in list_parameters(type(trigger).__init__)}
        assert names <= set(vars(trigger)), trigger
        assert {"poll_interval", "since"} <= names, trigger
        assert names.isdisjoint(dir(FeedTrigger)), trigger


def test_a_feed_is_read_with_the_arguments_of_its_trigger():
    for trigger in FEED_TRIGGERS:
        arguments = set(trigger.arguments())
        read = {found.name for found in list_parameters(trigger.feed.read)}
        assert read == {"start", "offset", "rows", *arguments}, trigger
        assert {found.name for found in list_parameters(trigger.feed.newest)} == arguments, trigger


@pytest.mark.meta
def test_event_triggers_are_defined_in_the_module_that_the_provider_info_names():
    for trigger in FEED_TRIGGERS:
        assert type(trigger).__module__.endswith(".triggers"), trigger
