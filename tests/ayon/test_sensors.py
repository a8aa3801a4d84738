"""Tests of ayon/sensors.py: results, failures and arguments, and the same results in the triggerer."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout

from self_hosted.ayon.sensors import (
    AyonBackgroundOperationSensor,
    AyonEntityStatusSensor,
    AyonEventSensor,
    AyonReviewableSensor,
)
from self_hosted.core.http.errors import ServerError
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.trigger import SensorTrigger
from tests.ayon.wait_cases import (
    UNKNOWN_ID,
    add_entity,
    add_event,
    add_folder_status,
    add_operation,
    add_project,
    add_reviewable,
    add_version,
    new_id,
)
from tests.conftest import Served
from tests.context import context

FRAMES = {"description": "done", "summary": {"frames": 7}}


@pytest.fixture(autouse=True)
def _connection(served, connect) -> None:
    connect("ayon_default", served.connection())


def create(sensor_class: type[SelfHostedSensor], **arguments: Any) -> Any:
    return sensor_class(**{"task_id": "wait", "poke_interval": 0.02, "timeout": 60, "deferrable": False, **arguments})


def run(sensor_class: type[SelfHostedSensor], **arguments: Any) -> Any:
    sensor = create(sensor_class, **arguments)
    return sensor.execute(context(sensor))


def run_in_triggerer(sensor_class: type[SelfHostedSensor], **arguments: Any) -> Any:
    sensor = create(sensor_class, **arguments)
    trigger = SensorTrigger(**sensor.start_args().trigger_kwargs)

    async def first_event() -> Any:
        return await anext(trigger.run())

    event = asyncio.run(first_event())
    return sensor.execute_complete(context(sensor), event.payload)


def status_arguments(key: str) -> dict[str, Any]:
    entity_id, (project, entity_type, *statuses) = WaitKey.from_text(key)
    return {"project": project, "entity_type": entity_type, "entity_id": entity_id, "statuses": statuses}


def operation_arguments(key: str) -> dict[str, Any]:
    operation_id, (project,) = WaitKey.from_text(key)
    return {"project": project, "operation_id": operation_id}


def version_arguments(key: str) -> dict[str, Any]:
    version_id, (project,) = WaitKey.from_text(key)
    return {"project": project, "version_id": version_id}


def test_a_sensor_in_the_triggerer_has_the_same_result(served: Served):
    operation = {"id": "1", "type": "create", "entityType": "task", "success": True, "status": 201, "detail": None}
    operation_key = add_operation(served, result={"success": True, "operations": [operation]})
    sensors: list[tuple[type[SelfHostedSensor], dict[str, Any]]] = [
        (AyonEventSensor, {"event_id": add_event(served, status="finished")}),
        (AyonEntityStatusSensor, status_arguments(add_folder_status(served, status="Approved"))),
        (AyonBackgroundOperationSensor, operation_arguments(operation_key)),
        (AyonReviewableSensor, version_arguments(add_reviewable(served))),
    ]
    for sensor_class, arguments in sensors:
        assert run_in_triggerer(sensor_class, **arguments) == run(sensor_class, **arguments)


# Events


def test_a_finished_event_ends_the_wait(served: Served):
    changes: dict[str, Any] = {"changes": {"status": "finished"}, "after_seconds": 60}
    event_id = add_event(served, project="film", **FRAMES, **changes)
    sensor = create(AyonEventSensor, event_id=event_id)
    assert not sensor.poke(context(sensor)).is_done
    served.seed({"advance_seconds": 60})
    assert sensor.execute(context(sensor)) == {
        "event_id": event_id,
        "topic": "studio.job",
        "project": "film",
        "status": "finished",
        **FRAMES,
        "url": f"{served.base_url}/events",
    }


def test_a_failed_event_is_left_to_the_retries_of_the_task(served: Served):
    event_id = add_event(served, status="failed", description="no licence")
    message = f"event {event_id} (studio.job) is failed: no licence; see {served.base_url}/events"
    with pytest.raises(ServerError, match=re.escape(message)):
        run(AyonEventSensor, event_id=event_id)


def test_an_aborted_event_is_not_retried(served: Served):
    with pytest.raises(AirflowFailException, match="is aborted: it has no description"):
        run(AyonEventSensor, event_id=add_event(served, status="aborted"))


def test_a_missing_event_is_not_retried():
    with pytest.raises(AirflowFailException, match=f"event {UNKNOWN_ID} does not exist"):
        run(AyonEventSensor, event_id=UNKNOWN_ID)


def test_the_wait_for_an_event_times_out(served: Served):
    event_id = add_event(served)
    message = rf"timed out after \d+ s waiting for event {event_id}: its last state is 'in_progress'"
    with pytest.raises(AirflowSensorTimeout, match=message):
        run(AyonEventSensor, event_id=event_id, timeout=0.05)


# Statuses of entities


def test_one_of_several_statuses_ends_the_wait(served: Served):
    changes: dict[str, Any] = {"changes": {"status": "In progress"}, "after_seconds": 60}
    arguments = status_arguments(add_folder_status(served, "Approved", "In progress", **changes))
    sensor = create(AyonEntityStatusSensor, **arguments)
    assert not sensor.poke(context(sensor)).is_done
    served.seed({"advance_seconds": 60})
    assert sensor.execute(context(sensor)) == {
        "project": arguments["project"],
        "entity_type": "folder",
        "entity_id": arguments["entity_id"],
        "status": "In progress",
        "url": f"{served.base_url}/projects/{arguments['project']}/overview",
    }


@pytest.mark.parametrize("statuses", ["In progress", "['In progress', 'Approved']", ("In progress",)])
def test_statuses_may_be_a_text_or_the_text_of_a_list(served: Served, statuses: Any):
    project, entity_id = add_entity(served, status="In progress")
    entity = {"project": project, "entity_type": "folder", "entity_id": entity_id}
    assert run(AyonEntityStatusSensor, **entity, statuses=statuses)["status"] == "In progress"


def test_a_missing_entity_is_waited_for(served: Served):
    entity = {"project": add_project(served), "entity_type": "task", "entity_id": UNKNOWN_ID}
    with pytest.raises(AirflowSensorTimeout, match="it was never found"):
        run(AyonEntityStatusSensor, **entity, statuses="Approved", timeout=0.05)


# Background operations


def test_a_completed_operation_ends_the_wait(served: Served):
    part = {"id": "1", "type": "create", "entityType": "task", "success": True, "status": 201, "detail": None}
    key = add_operation(served, duration_seconds=60, result={"success": True, "operations": [part]})
    sensor = create(AyonBackgroundOperationSensor, **operation_arguments(key))
    assert not sensor.poke(context(sensor)).is_done
    served.seed({"advance_seconds": 60})
    url = f"{served.base_url}/projects/{sensor.project}/overview"
    assert sensor.execute(context(sensor)) == {**operation_arguments(key), "operations": 1, "url": url}


def test_an_operation_without_success_is_not_retried(served: Served):
    part = {"id": "1", "type": "create", "entityType": "task", "success": False, "status": 409, "detail": "exists"}
    key = add_operation(served, result={"success": False, "operations": [part]})
    with pytest.raises(AirflowFailException, match="failed: create task: exists; see http"):
        run(AyonBackgroundOperationSensor, **operation_arguments(key))


def test_an_unknown_operation_is_not_retried(served: Served):
    with pytest.raises(AirflowFailException, match=f"background operation {UNKNOWN_ID} does not exist"):
        run(AyonBackgroundOperationSensor, project=add_project(served), operation_id=UNKNOWN_ID)


# Reviewables


def test_a_converted_reviewable_ends_the_wait(served: Served):
    changes: dict[str, Any] = {"changes": {"availability": "conversionRecommended"}, "after_seconds": 60}
    arguments = version_arguments(add_reviewable(served, availability="conversionRequired", **changes))
    sensor = create(AyonReviewableSensor, **arguments)
    assert not sensor.poke(context(sensor)).is_done
    served.seed({"advance_seconds": 60})
    result = sensor.execute(context(sensor))
    [reviewable] = result.pop("reviewables")
    assert (reviewable["filename"], reviewable["state"]) == ("review.png", "conversionRecommended")
    assert result == {**arguments, "url": f"{served.base_url}/projects/{arguments['project']}/overview"}


def test_the_wait_may_be_for_one_reviewable(served: Served):
    project, version = add_version(served)
    activity_id = new_id()
    for fields in ({"activityId": activity_id}, {"availability": "conversionRequired"}):
        served.seed({"reviewables": [{"project": project, "version": version, **fields}]})
    result = run(AyonReviewableSensor, project=project, version_id=version, activity_id=activity_id)
    assert [reviewable["activity_id"] for reviewable in result["reviewables"]] == [activity_id]


def test_a_failed_conversion_is_not_retried(served: Served):
    processing = {"eventId": None, "status": "failed", "description": "no such codec"}
    key = add_reviewable(served, availability="conversionRequired", processing=processing)
    with pytest.raises(AirflowFailException, match=r"is failed: review\.png: no such codec; see http"):
        run(AyonReviewableSensor, **version_arguments(key))


def test_a_missing_version_is_not_retried(served: Served):
    with pytest.raises(AirflowFailException, match=f"reviewables of version {UNKNOWN_ID} does not exist"):
        run(AyonReviewableSensor, project=add_project(served), version_id=UNKNOWN_ID)


# Arguments

UPPER = "A" * 32
DASHED = "12345678-1234-1234-1234-123456789012"
STATUS = {"project": "film", "entity_type": "task", "entity_id": UNKNOWN_ID, "statuses": ["Approved"]}


@pytest.mark.parametrize(
    ("sensor_class", "arguments", "message"),
    [
        (AyonEventSensor, {"event_id": UPPER}, "event_id must be 32 hexadecimal digits in lower case"),
        (AyonEventSensor, {"event_id": DASHED}, "event_id must be"),
        (AyonEventSensor, {"event_id": None}, "event_id must be the id of an event"),
        (AyonEventSensor, {"event_id": "None"}, "event_id must be the id of an event"),
        (AyonEntityStatusSensor, {**STATUS, "project": "a-b"}, "project must be 1 to 55 letters"),
        (AyonEntityStatusSensor, {**STATUS, "entity_type": "tasks"}, "entity_type must be one of folder, task"),
        (AyonEntityStatusSensor, {**STATUS, "entity_id": UPPER}, "entity_id must be"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": []}, "statuses must name at least one"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": ["a|b"]}, "statuses must be names of letters, .*not 'a|b'"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": [7.5]}, "statuses must be a text or a list of texts"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": None}, "statuses must name at least one"),
        (AyonBackgroundOperationSensor, {"project": "", "operation_id": UNKNOWN_ID}, "project must be"),
        (AyonBackgroundOperationSensor, {"project": "film", "operation_id": "7"}, "operation_id must be"),
        (AyonBackgroundOperationSensor, {"project": "None", "operation_id": UNKNOWN_ID}, "project is 'None'"),
        (AyonReviewableSensor, {"project": "film", "version_id": UPPER}, "version_id must be"),
        (AyonReviewableSensor, {"project": "film/x", "version_id": UNKNOWN_ID}, "project must be"),
        (
            AyonReviewableSensor,
            {"project": "film", "version_id": UNKNOWN_ID, "activity_id": "None"},
            "activity_id must be the id of an activity",
        ),
    ],
)
def test_invalid_arguments_are_rejected_before_any_request(served: Served, sensor_class, arguments, message):
    served.fail("status", status=418)
    with pytest.raises(AirflowFailException, match=message):
        run(sensor_class, **arguments)


@pytest.mark.parametrize(
    "sensor_class", [AyonEventSensor, AyonEntityStatusSensor, AyonBackgroundOperationSensor, AyonReviewableSensor]
)
def test_arguments_are_templated(sensor_class):
    sensor = sensor_class(task_id="wait", **dict.fromkeys(sensor_class.template_fields, "{{ run_id }}"))
    sensor.render_template_fields({"run_id": "nightly"})
    assert {getattr(sensor, name) for name in sensor_class.template_fields} == {"nightly"}
