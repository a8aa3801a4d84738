"""The sensors: poked by a worker, deferred, and begun in the triggerer, against the stand-in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from airflow.triggers.base import TaskSuccessEvent

from self_hosted.ayon.sensors import (
    AyonBackgroundOperationSensor,
    AyonEntityStatusSensor,
    AyonEventSensor,
    AyonReviewableSensor,
)
from self_hosted.core.errors import Broken
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.trigger import SensorTrigger
from tests.ayon import questions
from tests.ayon.questions import NOBODY
from tests.conftest import Served
from tests.context import context

Ended = Callable[..., Any]
QUICK = {"task_id": "wait", "poke_interval": 0.02, "timeout": 5}


@pytest.fixture(autouse=True)
def _connected(served, connect):
    connect("ayon_default", served.connection())


@pytest.fixture(params=["poked", "deferred", "begun in the triggerer"])
def ended(request: pytest.FixtureRequest) -> Ended:
    """A sensor's result, in one of the ways it may run: ``ended(AyonEventSensor, event_id="...")``."""

    def end(kind: type[ProductSensor], **arguments: Any) -> Any:
        sensor: Any = kind(**{**QUICK, "deferrable": request.param != "poked", **arguments})
        if request.param == "begun in the triggerer":
            return gone_on(sensor, SensorTrigger(**sensor.start_args().trigger_kwargs))
        try:
            return sensor.execute(context(sensor))
        except TaskDeferred as deferral:
            return gone_on(sensor, deferral.trigger)

    return end


def gone_on(sensor: ProductSensor, trigger: Any) -> Any:
    """The result after the trigger, which may end the task itself."""

    async def first_event() -> Any:
        return await anext(trigger.run())

    event: Any = asyncio.run(first_event())
    if isinstance(event, TaskSuccessEvent) and event.xcoms:
        return event.xcoms["return_value"]
    return sensor.execute_complete(context(sensor), event.payload)


def of_status(key: str) -> dict[str, Any]:
    project, entity_type, entity_id, statuses = key.split("/")
    return {"project": project, "entity_type": entity_type, "entity_id": entity_id, "statuses": statuses.split("|")}


def of_operation(key: str) -> dict[str, Any]:
    project, operation_id = key.split("/")
    return {"project": project, "operation_id": operation_id}


def of_version(key: str) -> dict[str, Any]:
    project, version_id = key.split("/")
    return {"project": project, "version_id": version_id}


def test_an_event_that_finishes_ends_the_wait(served: Served, ended: Ended):
    seeded = {"description": "done", "summary": {"frames": 7}, "after": 0.1, "becomes": {"status": "finished"}}
    event_id = questions.event(served, project="film", **seeded)
    assert ended(AyonEventSensor, event_id=event_id) == {
        "event_id": event_id,
        "status": "finished",
        "topic": "studio.job",
        "project": "film",
        "description": "done",
        "summary": {"frames": 7},
        "url": f"{served.base_url}/events",
    }


def test_a_failed_event_is_left_to_the_tasks_retries(served: Served, ended: Ended):
    event_id = questions.event(served, status="failed", description="no licence")
    words = re.escape(f"event {event_id} (studio.job) is failed: no licence; see {served.base_url}/events")
    with pytest.raises(Broken, match=words):
        ended(AyonEventSensor, event_id=event_id)


def test_an_aborted_event_ends_the_task(served: Served, ended: Ended):
    event_id = questions.event(served, status="aborted")
    with pytest.raises(AirflowFailException, match="is aborted: it does not say why"):
        ended(AyonEventSensor, event_id=event_id)


def test_an_event_that_is_not_there_ends_the_task(ended: Ended):
    with pytest.raises(AirflowFailException, match=f"event {NOBODY} is not there"):
        ended(AyonEventSensor, event_id=NOBODY)


def test_time_runs_out_while_nothing_happens(served: Served, ended: Ended):
    event_id = questions.event(served)
    with pytest.raises(AirflowSensorTimeout, match=f"for event {event_id}, .* its last seen state is 'in_progress'"):
        ended(AyonEventSensor, event_id=event_id, timeout=0.1)


def test_a_status_that_is_reached_ends_the_wait(served: Served, ended: Ended):
    key = questions.status(served, "Approved|In progress", after=0.1, becomes={"status": "In progress"})
    project, _, entity_id, _ = key.split("/")
    assert ended(AyonEntityStatusSensor, **of_status(key)) == {
        "project": project,
        "entity_type": "folder",
        "entity_id": entity_id,
        "status": "In progress",
        "url": f"{served.base_url}/projects/{project}/overview",
    }


def test_one_status_may_be_given_as_text(served: Served, ended: Ended):
    project, entity_id = questions.entity(served, status="In progress")
    entity = {"project": project, "entity_type": "folder", "entity_id": entity_id}
    assert ended(AyonEntityStatusSensor, **entity, statuses="In progress")["status"] == "In progress"


def test_an_entity_that_is_not_there_is_waited_for(served: Served, ended: Ended):
    key = f"{questions.project(served)}/task/{NOBODY}/Approved"
    with pytest.raises(AirflowSensorTimeout, match="it was never seen"):
        ended(AyonEntityStatusSensor, **of_status(key), timeout=0.1)


def test_an_operation_that_succeeds_ends_the_wait(served: Served, ended: Ended):
    told = {"id": "1", "type": "create", "entityType": "task", "success": True, "status": 201, "detail": None}
    key = questions.operation(served, seconds=0.1, result={"success": True, "operations": [told]})
    operation = of_operation(key)
    url = f"{served.base_url}/projects/{operation['project']}/overview"
    assert ended(AyonBackgroundOperationSensor, **operation) == {**operation, "operations": 1, "url": url}


def test_an_operation_that_completed_without_success_ends_the_task(served: Served, ended: Ended):
    told = {"id": "1", "type": "create", "entityType": "task", "success": False, "status": 409, "detail": "is there"}
    key = questions.operation(served, result={"success": False, "operations": [told]})
    with pytest.raises(AirflowFailException, match="failed: create task: is there; see http"):
        ended(AyonBackgroundOperationSensor, **of_operation(key))


def test_an_operation_that_is_not_known_ends_the_task(served: Served, ended: Ended):
    key = f"{questions.project(served)}/{NOBODY}"
    with pytest.raises(AirflowFailException, match=f"background operation {key} is not there"):
        ended(AyonBackgroundOperationSensor, **of_operation(key))


def test_a_reviewable_that_becomes_ready_ends_the_wait(served: Served, ended: Ended):
    key = questions.reviewable(
        served, availability="conversionRequired", after=0.1, becomes={"availability": "conversionRecommended"}
    )
    result = ended(AyonReviewableSensor, **of_version(key))
    [shown] = result.pop("reviewables")
    assert (shown["filename"], shown["state"]) == ("review.png", "conversionRecommended")
    url = f"{served.base_url}/projects/{key.split('/')[0]}/overview"
    assert result == {**of_version(key), "url": url}


def test_one_reviewable_may_be_waited_for(served: Served, ended: Ended):
    project, version = questions.version(served)
    mine = questions.new_id()
    for given in ({"activityId": mine}, {"availability": "conversionRequired"}):
        served.seed({"reviewables": [{"project": project, "version": version, **given}]})
    result = ended(AyonReviewableSensor, project=project, version_id=version, activity_id=mine)
    assert [one["activity_id"] for one in result["reviewables"]] == [mine]


def test_a_failed_conversion_ends_the_task(served: Served, ended: Ended):
    processing = {"eventId": None, "status": "failed", "description": "no such codec"}
    key = questions.reviewable(served, availability="conversionRequired", processing=processing)
    with pytest.raises(AirflowFailException, match=r"is failed: review\.png: no such codec; see http"):
        ended(AyonReviewableSensor, **of_version(key))


def test_a_version_that_is_not_there_ends_the_task(served: Served, ended: Ended):
    with pytest.raises(AirflowFailException, match="is not there"):
        ended(AyonReviewableSensor, project=questions.project(served), version_id=NOBODY)


UPPER = "A" * 32
DASHED = "12345678-1234-1234-1234-123456789012"
STATUS = {"project": "film", "entity_type": "task", "entity_id": NOBODY, "statuses": ["Approved"]}


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        (AyonEventSensor, {"event_id": UPPER}, "event_id must be 32 hexadecimal digits in small letters"),
        (AyonEventSensor, {"event_id": DASHED}, "event_id must be"),
        (AyonEventSensor, {"event_id": None}, "event_id must be"),
        (AyonEntityStatusSensor, {**STATUS, "project": "a-b"}, "project must be 1 to 55 letters"),
        (AyonEntityStatusSensor, {**STATUS, "entity_type": "tasks"}, "entity_type must be one of folder, task"),
        (AyonEntityStatusSensor, {**STATUS, "entity_id": UPPER}, "entity_id must be"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": []}, "statuses must name at least one"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": ["a|b"]}, "statuses must be names of letters, .*not 'a|b'"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": "['Approved']"}, "statuses must be names"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": [7]}, "statuses must be names"),
        (AyonEntityStatusSensor, {**STATUS, "statuses": None}, "statuses must name at least one"),
        (AyonBackgroundOperationSensor, {"project": "", "operation_id": NOBODY}, "project must be"),
        (AyonBackgroundOperationSensor, {"project": "film", "operation_id": "7"}, "operation_id must be"),
        (AyonReviewableSensor, {"project": "film", "version_id": UPPER}, "version_id must be"),
        (AyonReviewableSensor, {"project": "film/x", "version_id": NOBODY}, "project must be"),
        (
            AyonReviewableSensor,
            {"project": "film", "version_id": NOBODY, "activity_id": UPPER},
            "activity_id must be",
        ),
    ],
)
def test_wrong_arguments_are_named_before_anybody_is_asked(ended: Ended, kind, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        ended(kind, **arguments)


@pytest.mark.parametrize(
    "kind", [AyonEventSensor, AyonEntityStatusSensor, AyonBackgroundOperationSensor, AyonReviewableSensor]
)
def test_arguments_are_templated(kind):
    names = [name for name in kind.template_fields if name != "statuses"]
    sensor = kind(task_id="wait", **dict.fromkeys(kind.template_fields, "{{ run_id }}"))
    sensor.render_template_fields({"run_id": "nightly"})
    assert {getattr(sensor, name) for name in names} == {"nightly"}
