"""Outages of PostgreSQL and Redis: waits and creations continue, and no error of an outage is final."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from self_hosted.ayon.errors import parse_error
from self_hosted.ayon.hook import AyonHook
from self_hosted.ayon.operators import AyonCreateProjectOperator
from self_hosted.ayon.sensors import (
    AyonBackgroundOperationSensor,
    AyonEntityStatusSensor,
    AyonEventSensor,
    AyonReviewableSensor,
)
from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Reply, Request
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.sandbox.ayon import outage
from tests.ayon.test_sensors import operation_arguments, status_arguments, version_arguments
from tests.ayon.wait_cases import add_event, add_folder_status, add_operation, add_reviewable
from tests.conftest import Served
from tests.context import context, executed

PATHS = {
    *("/graphql", "/api/events/1", "/api/projects", "/api/projects/film", "/api/projects/film/anatomy"),
    *("/api/projects/film/users", "/api/users/anna", "/api/info", "/api/attributes", "/api/anatomy/presets"),
    *("/api/accessGroups/_", "/api/auth/login", "/api/projects/film/versions/1/reviewables"),
}
# how they respond differs: JSON, or plain text from outside of all handlers
two_components = pytest.mark.parametrize("component", ["database", "redis"])


class Wait(NamedTuple):
    """A wait, and how the sandbox creates its finished object.

    :param sensor_class: the sensor
    :param create: creates the object and returns the arguments of the sensor
    :param is_result: whether a result of the sensor is about the object
    """

    sensor_class: type[SelfHostedSensor]
    create: Callable[[Served], dict[str, Any]]
    is_result: Callable[[Any], bool]


WAITS = {
    "event": Wait(
        AyonEventSensor,
        lambda served: {"event_id": add_event(served, status="finished")},
        lambda result: result["status"] == "finished",
    ),
    "status": Wait(
        AyonEntityStatusSensor,
        lambda served: status_arguments(add_folder_status(served, status="Approved")),
        lambda result: result["status"] == "Approved",
    ),
    "operation": Wait(
        AyonBackgroundOperationSensor,
        lambda served: operation_arguments(add_operation(served)),
        lambda result: result["operations"] == 0,
    ),
    "reviewable": Wait(
        AyonReviewableSensor,
        lambda served: version_arguments(add_reviewable(served)),
        lambda result: result["reviewables"][0]["state"] == "ready",
    ),
}


@pytest.fixture(autouse=True)
def _connection(served, connect) -> None:
    connect("ayon_default", served.connection())


@pytest.mark.parametrize("component", outage.COMPONENTS)
@pytest.mark.parametrize("path", sorted(PATHS))
def test_the_outcome_of_a_request_during_an_outage_is_unknown(component, path):
    status, headers, body = outage.reply(component, "POST", path)
    lower = {name.lower(): value for name, value in headers.items()}
    error = parse_error(Reply(status, lower, body, Request("POST", path)))
    assert type(error) is OutcomeUnknownError


@two_components
@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_continues_after_an_outage(served, name, component, deferrable):
    wait = WAITS[name]
    arguments: dict[str, Any] = {"task_id": "wait", "deferrable": deferrable, "poke_interval": 0.02, "timeout": 60}
    arguments |= wait.create(served)
    served.fail("outage", component=component, times=2)
    assert wait.is_result(executed(lambda: wait.sensor_class(**arguments)))


def run_creation(**arguments: Any) -> Any:
    task = AyonCreateProjectOperator(task_id="create", name="alpha", code="alp", **arguments)
    return task.execute(context(task))


@pytest.mark.parametrize("component", ["database", "redis", "transaction lost"])
@pytest.mark.parametrize("processed", [False, True])
def test_a_creation_continues_after_an_outage_with_one_project(served, component, processed):
    served.fail("outage", component=component, method="POST", path="/api/projects", processed=processed)
    served.fail("outage", component=component, method="GET", path="/api/projects", times=2)
    result = run_creation(label="Alpha", users={"anna": ["freelancer"]})
    assert (result["created"], result["updated"]) == (True, [])
    assert [project["label"] for project in served.tables()["projects"]] == ["Alpha"]
    assert AyonHook().get_project_users("alpha") == {"anna": ["freelancer"]}


@two_components
def test_an_update_continues_after_an_outage(served, component):
    served.seed({"projects": [{"name": "alpha", "code": "alp", "label": "Old"}]})
    served.fail("outage", component=component, method="PATCH", path="/api/projects/alpha", processed=True)
    assert run_creation(label="New", if_exists="update")["updated"] == ["label"]
    assert served.tables()["projects"][0]["label"] == "New"
