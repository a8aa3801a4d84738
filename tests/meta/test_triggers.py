"""Every trigger survives its way through the metadata database, and holds no secret."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.serialization import serialized_objects
from airflow.triggers.base import BaseEventTrigger, BaseTrigger

from self_hosted.core.event_trigger import FeedTrigger
from self_hosted.core.question import imported
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.trigger import SensorTrigger, WaitTrigger
from self_hosted.sandbox.server import all_products
from tests.meta.code import PRODUCTS, classes, modules, own_parameters

SENSORS = [sensor for product in PRODUCTS for sensor in classes(product, "sensors", ProductSensor)]
WAIT: dict[str, Any] = {
    "question": "some.QUESTION",
    "conn_id": "some_default",
    "keys": ["a", "b"],
    "since": 1.5,
    "deadline": 2.5,
}
FEEDS = [kind() for product in PRODUCTS for kind in classes(product, "triggers", FeedTrigger)]
TRIGGERS: list[BaseTrigger] = [
    WaitTrigger(**WAIT, poll_interval=7, cancel_on_kill=True, started={"id": "a"}),
    *(
        SensorTrigger(**sensor(task_id="a", start_from_trigger=True, **arguments).start_trigger_args.trigger_kwargs)
        for sensor in SENSORS
        for arguments in [{one.name: one.name for one in own_parameters(sensor.__init__) if one.default is one.empty}]
    ),
    *FEEDS,
]
every_trigger = pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda one: getattr(one, "sensor", type(one).__name__))


def test_every_class_of_trigger_is_covered():
    for module in modules():
        if module.part in {"core", *PRODUCTS}:
            import_module(module.name)
    ours = {kind for kind in descendants(BaseTrigger) if kind.__module__.startswith("self_hosted.")}
    assert ours == {type(trigger) for trigger in TRIGGERS} | {FeedTrigger}


def descendants(kind: type) -> set[type]:
    children: list[type] = kind.__subclasses__()
    return {*children, *(found for child in children for found in descendants(child))}


@every_trigger
def test_it_is_the_same_after_it_was_stored(trigger: Any):
    path, arguments = json.loads(json.dumps(trigger.serialize()))
    assert imported(path)(**arguments).serialize() == (path, arguments) == trigger.serialize()


@every_trigger
def test_it_names_a_connection_and_holds_nothing_of_it(trigger: Any):
    _, arguments = trigger.serialize()
    assert any(name.endswith("conn_id") for name in arguments)
    secrets = [secret for product in all_products() for secret in secrets_of(product.connection("http://sandbox"))]
    assert len(secrets) >= len(PRODUCTS)
    assert [secret for secret in secrets if secret in json.dumps(arguments)] == []


def secrets_of(connection: dict[str, Any]) -> list[str]:
    found = [connection.get("password"), *connection.get("extra", {}).values()]
    return [str(value) for value in found if value and len(str(value)) > 6]


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_sensors_arguments_have_names_of_their_own(sensor):
    taken = (
        {one.name for one in own_parameters(SensorTrigger.__init__)} | set(dir(SensorTrigger)) | set(vars(TRIGGERS[0]))
    )
    assert taken.intersection(sensor.template_fields) == set()


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_sensor_has_no_argument_but_those_its_trigger_carries(sensor):
    assert {one.name for one in own_parameters(sensor.__init__)} == set(sensor.template_fields)


every_feed = pytest.mark.parametrize("trigger", FEEDS, ids=lambda one: type(one).__name__)


@every_feed
def test_an_event_trigger_is_the_same_after_its_dag_was_stored(trigger: FeedTrigger):
    asset = Asset("things", watchers=[AssetWatcher(name="watch", trigger=trigger)])
    with DAG("watching", schedule=[asset]) as dag:
        pass
    names = vars(serialized_objects)
    serializer = names.get("DagSerialization") or names["SerializedDAG"]  # Airflow 3.1
    stored = json.loads(json.dumps(serializer.to_dict(dag)))
    [kept] = stored["dag"]["timetable"]["__var"]["asset_condition"]["objects"]
    assert kept["watchers"][0]["trigger"] == dict(zip(("classpath", "kwargs"), trigger.serialize(), strict=True))


@every_feed
def test_an_event_trigger_is_known_by_its_arguments(trigger: FeedTrigger):
    _, arguments = trigger.serialize()
    same, other = type(trigger)(**arguments), type(trigger)(**{**arguments, "poll_interval": 7})
    assert BaseEventTrigger.hash(*same.serialize()) == BaseEventTrigger.hash(*trigger.serialize())
    assert BaseEventTrigger.hash(*other.serialize()) != BaseEventTrigger.hash(*trigger.serialize())
    assert same.state_key == other.state_key


@every_feed
def test_an_event_triggers_arguments_are_stored_under_their_own_names(trigger: FeedTrigger):
    names = {one.name for one in own_parameters(type(trigger).__init__)}
    assert names <= set(vars(trigger))
    assert {"poll_interval", "since"} <= names
    assert names.isdisjoint(dir(FeedTrigger))


@every_feed
def test_a_feed_is_read_with_the_triggers_arguments(trigger: FeedTrigger):
    given = set(trigger.arguments())
    assert {one.name for one in own_parameters(trigger.feed.read)} == {"start", "offset", "rows", *given}
    assert {one.name for one in own_parameters(trigger.feed.newest)} == given
