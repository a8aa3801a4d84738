"""A response that does not match its endpoint is a `ServerError` that names endpoint and field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.ayon.api import (
    anatomy_presets,
    background_operations,
    entities,
    events,
    graphql,
    reviewables,
    session,
    studio,
    users,
)
from self_hosted.ayon.api.projects import creation, records
from self_hosted.ayon.waits import BACKGROUND_OPERATION, EVENT, REVIEWABLE
from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow
from tests.ayon.conftest import simulate_flow
from tests.ayon.wait_cases import UNKNOWN_ID, operation_key, reviewable_key

USER = {"name": "anna", "data": {}}
ROW = {"name": "film", "code": "flm", "library": False}
PROJECT: dict[str, Any] = {**ROW, "attrib": {}, "data": {}, "statuses": [{"name": "Approved"}]}
EVENT_BODY: dict[str, Any] = {
    "id": UNKNOWN_ID,
    "topic": "a.b",
    "project": None,
    "status": "finished",
    "description": "",
    "summary": {},
}
OPERATION = {"id": "1", "type": "create", "entityType": "task", "success": True, "status": 201, "detail": None}
REVIEWABLE_BODY = {
    "activityId": "1",
    "fileId": "2",
    "filename": "a.png",
    "label": None,
    "availability": "ready",
    "processing": None,
}


def in_graphql(name: str, node: Any) -> dict[str, Any]:
    return {"data": {name: {"edges": [{"node": node}]}}}


def operation(**fields: Any) -> dict[str, Any]:
    return {"status": "completed", "progress": 100.0, "result": {"success": True, "operations": [OPERATION]}, **fields}


def get_statuses() -> Flow[Any]:
    return entities.get_statuses({"film": {"folder": [UNKNOWN_ID]}})


CASES: list[tuple[Callable[[], Flow[Any]], Any, str]] = [
    (users.get_current, {"name": "anna"}, "data"),
    (users.get_current, {**USER, "name": None}, "name"),
    (lambda: users.get("anna"), {**USER, "data": []}, "data"),
    (lambda: session.log_in("anna", "secret"), {"token": None}, "token"),
    (studio.get_info, {}, "version"),
    (studio.get_info, {"version": "1", "attributes": [{}]}, "attributes[0].name"),
    (studio.list_attributes, {"attributes": [{"name": "fps", "scope": None}]}, "attributes[0].scope"),
    (studio.list_access_groups, [{"name": 7}], "[0].name"),
    (anatomy_presets.list_names, {"presets": [[]]}, "presets[0]"),
    (anatomy_presets.get, {"attributes": []}, "attributes"),
    (lambda: records.get("film"), {**PROJECT, "statuses": None}, "statuses"),
    (lambda: records.get("film"), {**PROJECT, "attrib": None}, "attrib"),
    (records.list_all, {"count": "1", "projects": []}, "count"),
    (records.list_all, {"count": 1, "projects": [{**ROW, "code": None}]}, "projects[0].code"),
    (lambda: records.get_anatomy("film"), {"templates": []}, "templates"),
    (lambda: records.get_users("film"), {"anna": "artist"}, "anna"),
    (lambda: events.get(UNKNOWN_ID), {**EVENT_BODY, "summary": "{}"}, "summary"),
    (lambda: events.list_by_ids([UNKNOWN_ID]), {"data": None}, "data"),
    (lambda: events.list_by_ids([UNKNOWN_ID]), {"data": {"events": {"edges": None}}}, "data.events.edges"),
    (lambda: events.list_by_ids([UNKNOWN_ID]), in_graphql("events", None), "data.events.edges[0].node"),
    (
        lambda: events.list_by_ids([UNKNOWN_ID]),
        in_graphql("events", {**EVENT_BODY, "summary": "[" * 100_000}),
        "the summary of an event is not JSON",
    ),
    (lambda: events.list_by_ids([UNKNOWN_ID]), in_graphql("events", {**EVENT_BODY, "summary": "[]"}), "summary"),
    (get_statuses, {"data": {}}, "data.p0"),
    (get_statuses, in_graphql("p0", {}), "data.p0.edges[0].node.name"),
    (get_statuses, in_graphql("p0", {"name": "film", "folders": None}), "data.p0.folders"),
    (
        get_statuses,
        in_graphql("p0", {"name": "film", "folders": {"edges": [{"node": {"id": "1", "status": None}}]}}),
        "data.p0.folders.edges[0].node.status",
    ),
    (lambda: creation.get_creator("film"), in_graphql("events", {}), "data.events.edges[0].node.sender"),
    (lambda: graphql.query("{ me }", {}), {"data": []}, "data"),
    (lambda: background_operations.get("film", UNKNOWN_ID), operation(result=None), "result"),
    (lambda: background_operations.get("film", UNKNOWN_ID), operation(status=None), "status"),
    (lambda: background_operations.get("film", UNKNOWN_ID), operation(progress="half"), "progress"),
    (
        lambda: background_operations.get("film", UNKNOWN_ID),
        operation(result={"success": True, "operations": [{**OPERATION, "success": None}]}),
        "result.operations[0].success",
    ),
    (
        lambda: reviewables.list_all("film", UNKNOWN_ID),
        {"reviewables": [{**REVIEWABLE_BODY, "processing": "x"}]},
        "reviewables[0].processing",
    ),
    (lambda: reviewables.list_all("film", UNKNOWN_ID), {"id": UNKNOWN_ID}, "reviewables"),
]


@pytest.mark.parametrize(("make_flow", "body", "field"), CASES)
def test_the_error_names_the_field(make_flow, body, field):
    with pytest.raises(ServerError, match=re.escape(f"unexpected response: {field}")):
        simulate_flow(make_flow(), lambda _: body)


@pytest.mark.parametrize("body", [None, 1, [None]])
def test_any_other_json_is_an_error_of_the_server(body):
    for make_flow, _, _ in CASES:
        with pytest.raises(ServerError, match="unexpected response: "):
            simulate_flow(make_flow(), lambda _: body)


def test_an_endless_list_of_projects_is_an_error():
    with pytest.raises(ServerError, match="count is 1000000000"):
        simulate_flow(records.list_all(), lambda _: {"count": 10**9, "projects": []})


# Texts of the server in observations


def test_descriptions_in_observations_are_short_and_without_control_characters():
    text = "\x1b[31mred" + "x" * 5000
    node = {**EVENT_BODY, "description": text, "summary": "{}"}
    part = {**OPERATION, "success": False, "detail": text}
    reviewable = {**REVIEWABLE_BODY, "processing": {"eventId": None, "status": "failed", "description": text}}
    key, version = operation_key("film", UNKNOWN_ID), reviewable_key("film", UNKNOWN_ID)
    observed = [
        observe(EVENT.refresh([UNKNOWN_ID]), in_graphql("events", node))["description"],
        observe(EVENT.refresh([UNKNOWN_ID]), {"data": {"events": {"edges": []}}}, {**EVENT_BODY, "description": text})[
            "description"
        ],
        observe(BACKGROUND_OPERATION.refresh([key]), operation(result={"success": False, "operations": [part]}))[
            "failed"
        ][0]["detail"],
        observe(REVIEWABLE.refresh([version]), {"reviewables": [reviewable]})["reviewables"][0]["description"],
    ]
    for found in observed:
        assert found.startswith("[31mredxxx")
        assert len(found) <= 500


def observe(flow: Flow[Any], *bodies: Any) -> Any:
    """Return the details of the only observation."""
    responses = list(bodies)
    [observation] = simulate_flow(flow, lambda _: responses.pop(0))[0].values()
    return observation.details


def test_an_operation_that_failed_without_a_reason_is_described():
    part = {**OPERATION, "success": False, "detail": None}
    body = operation(result={"success": False, "operations": [part]})
    key = operation_key("film", UNKNOWN_ID)
    assert observe(BACKGROUND_OPERATION.refresh([key]), body)["failed"][0]["detail"] == "rejected without a reason"
