"""Tests of ayon/api: requests of projects, and the creation of a project after errors and lost responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from self_hosted.ayon.api import entities
from self_hosted.ayon.api.projects import changes, creation, provision, records, reference_checks
from self_hosted.ayon.api.projects.project_spec import ProjectSpec
from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.http.flow import Pause, Request
from tests.ayon.conftest import reply, simulate_flow
from tests.ayon.wait_cases import UNKNOWN_ID

PROJECT_SPEC = ProjectSpec(name="alpha", code="alp")
RECORD = {"name": "alpha", "code": "alp", "label": None, "library": False, "skeleton": False, "color": None}
PROJECT: dict[str, Any] = {**RECORD, "attrib": {}, "data": {}, "statuses": []}
CREATION_ERRORS = [ConflictError("exists"), ServerError("InFailedSQL"), OutcomeUnknownError("lost")]


def test_projects_are_read_page_by_page():
    def respond(request: Request) -> Any:
        page = request.query["page"]
        return {"count": 1001, "projects": [{**RECORD, "name": f"p{page}"}] if page < 4 else []}

    projects, steps = simulate_flow(records.list_all(library=True), respond)
    assert [project["name"] for project in projects] == ["p1", "p2", "p3"]
    assert [step.query["page"] for step in steps if isinstance(step, Request)] == [1, 2, 3]


def test_a_project_with_a_similar_name_is_not_found():
    # the name is a pattern on the server: "_" matches any character
    body = {"count": 2, "projects": [{**RECORD, "name": "axb"}, {**RECORD, "name": "A_b"}]}
    project, _ = simulate_flow(records.find("a_b"), lambda _: body)
    assert project == {**RECORD, "name": "A_b"}


def test_names_and_ids_are_variables_of_the_query():
    request = next(entities.get_statuses({"film": {"task": [UNKNOWN_ID]}, "other": {"folder": [UNKNOWN_ID]}}))
    assert isinstance(request, Request)
    assert "film" not in request.json["query"]
    assert UNKNOWN_ID not in request.json["query"]
    variables = {"p0": "film", "p1": "other", "p0_task": [UNKNOWN_ID], "p1_folder": [UNKNOWN_ID]}
    assert request.json["variables"] == variables


def test_an_unknown_entity_type_is_rejected():
    with pytest.raises(ValueError, match="entity_type must be one of folder, task"):
        next(entities.get_statuses({"film": {"tasks": [UNKNOWN_ID]}}))


# creation


def test_only_the_flow_repeats_the_request_that_creates_a_project():
    _, [request] = simulate_flow(creation.create({"name": "a", "code": "b"}, sender="airflow.1"), lambda _: None)
    assert isinstance(request, Request)
    assert (request.method, request.path, request.is_idempotent) == ("POST", "/api/projects", False)
    assert request.headers == {"X-Sender": "airflow.1"}


def respond_to_creations(outcomes: list[Any], creator: str | None = None, **values: Any) -> Callable[..., Any]:
    """Return a server.

    :param outcomes: the outcomes of creations
    :param creator: of the project; default: the last sender
    :param values: of the project
    """
    senders: list[str] = []

    def respond(request: Request) -> Any:
        if request.path == "/graphql":
            return {"data": {"events": {"edges": [{"node": {"sender": creator or f"nightly{senders[-1]}"}}]}}}
        if request.method == "GET":
            project = {**PROJECT, **values}
            return {"count": 1, "projects": [project]} if request.path == "/api/projects" else project
        senders.append(request.headers["X-Sender"])
        return outcomes.pop(0)

    return respond


def create(respond: Callable[..., Any], **sender: str) -> list[Request | Pause]:
    return simulate_flow(creation.create({"name": "alpha", "code": "alp"}, **sender), respond)[1]


@pytest.mark.parametrize("second", [None, *CREATION_ERRORS])
def test_a_creation_whose_response_was_lost_is_sent_again_and_recognized_by_its_sender(second):
    steps = create(respond_to_creations([OutcomeUnknownError("lost"), second]))
    assert [step.method for step in steps if isinstance(step, Request)][:2] == ["POST", "POST"]


@pytest.mark.parametrize("second", CREATION_ERRORS)
@pytest.mark.parametrize("values", [{"code": "other"}, {"library": True}, {"label": "Other"}])
def test_a_project_of_the_same_sender_with_other_values_is_not_recognized(second, values):
    body = {**RECORD, "label": "Alpha"}
    respond = respond_to_creations([OutcomeUnknownError("lost"), second], "airflow.me", **{"label": "Alpha", **values})
    with pytest.raises(type(second)):
        simulate_flow(creation.create(body, sender="airflow.me"), respond)


@pytest.mark.parametrize("second", CREATION_ERRORS)
@pytest.mark.parametrize("sender", [{}, {"sender": "airflow.me"}])
def test_a_project_of_another_sender_is_not_recognized(second, sender):
    respond = respond_to_creations([OutcomeUnknownError("lost"), second], creator="nightly.airflow.me")
    with pytest.raises(type(second)):
        create(respond, **sender)


@pytest.mark.parametrize("error", [ConflictError("exists"), ServerError("boom"), InvalidRequestError("bad")])
def test_a_rejected_creation_is_not_repeated(error):
    with pytest.raises(type(error)):
        create(respond_to_creations([error]))


def test_a_project_without_events_has_no_known_creator():
    creator, _ = simulate_flow(creation.get_creator("alpha"), lambda _: {"data": {"events": {"edges": []}}})
    assert creator is None


# provision


def respond_as_server(
    *, lists: list[list[dict[str, Any]]], outcome: Any, creator: str | None = "airflow.me", **values: Any
) -> Callable[..., Any]:
    """Return a server.

    :param lists: the results of searches for a project, one after the other; the last one is repeated
    :param outcome: of the creation
    :param creator: of the project
    :param values: of the project
    """

    def respond(request: Request) -> Any:
        if request.path == "/graphql":
            return {"data": {"events": {"edges": [{"node": {"sender": creator}}] if creator else []}}}
        if request.method == "POST":
            return outcome
        if request.path == "/api/projects/alpha":
            return {**PROJECT, **values}
        projects = lists[0] if not request.query.get("name") or len(lists) == 1 else lists.pop(0)
        return {"count": len(projects), "projects": projects}

    return respond


def ensure(
    respond: Callable[..., Any], if_exists: str = "fail", **values: Any
) -> tuple[dict[str, Any], list[Request | Pause]]:
    spec = replace(PROJECT_SPEC, **values)
    return simulate_flow(provision.ensure(spec, sender="airflow.me", if_exists=if_exists), respond)


def test_a_new_project_needs_a_search_and_a_creation():
    result, steps = ensure(respond_as_server(lists=[[]], outcome=None))
    assert result == {"name": "alpha", "code": "alp", "library": False, "created": True, "updated": []}
    assert [step.method for step in steps if isinstance(step, Request)] == ["GET", "POST"]


@pytest.mark.parametrize("error", CREATION_ERRORS)
def test_a_project_whose_creation_failed_is_recognized_by_its_sender(error):
    result, _ = ensure(respond_as_server(lists=[[], [RECORD]], outcome=error))
    assert result["created"] is True


@pytest.mark.parametrize("error", CREATION_ERRORS)
def test_a_project_that_another_sender_created_meanwhile_is_not_recognized(error):
    with pytest.raises(ConflictError, match="created by another"):
        ensure(respond_as_server(lists=[[], [RECORD]], outcome=error, creator="rival"))
    result, _ = ensure(respond_as_server(lists=[[], [RECORD]], outcome=error, creator="rival"), if_exists="skip")
    assert result["created"] is False


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_creation_counts_by_the_status_of_its_endpoint_only(status):
    """A proxy may answer with a page of its own, and any status of a success."""
    flow = creation.create({"name": "a", "code": "b"}, sender="airflow.1")
    request = next(flow)
    assert isinstance(request, Request)
    again = flow.send(replace(reply(status, "<html>"), request=request))
    assert isinstance(again, Request)
    assert (again.method, again.path, again.is_idempotent) == ("POST", "/api/projects", True)
    look = flow.send(replace(reply(status, "<html>"), request=again))
    assert isinstance(look, Request)
    assert look.path != "/api/projects" or look.method == "GET"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda: records.update("film", {"attrib": {}}), 200),
        (lambda: records.set_anatomy("film", {}), 200),
        (lambda: records.set_user("film", "anna", ["artist"]), 204),
    ],
)
def test_a_change_counts_by_the_response_of_its_endpoint_only(change, status):
    flow = change()
    request = next(flow)
    with pytest.raises(ServerError):
        flow.send(replace(reply(status, "<html>"), request=request))


def test_a_project_that_is_still_being_created_is_waited_for():
    result, steps = ensure(respond_as_server(lists=[[], [], [], [RECORD]], outcome=ConflictError("exists")))
    assert result["created"] is True
    assert len([step for step in steps if isinstance(step, Pause)]) == 2


def test_a_creation_without_effect_raises_its_own_error():
    with pytest.raises(ServerError, match="boom"):
        ensure(respond_as_server(lists=[[]], outcome=ServerError("boom")))


def test_a_project_without_events_counts_as_created_by_another():
    respond = respond_as_server(lists=[[], [RECORD]], outcome=ConflictError("exists"), creator=None)
    assert ensure(respond, if_exists="skip")[0]["created"] is False


def test_a_project_whose_event_was_lost_with_the_response_is_recognized_by_its_values():
    # AYON writes the event after the project: the database may fail in between
    lost = OutcomeUnknownError("lost")
    assert ensure(respond_as_server(lists=[[], [RECORD]], outcome=lost, creator=None))[0]["created"] is True
    with pytest.raises(ConflictError, match="with other values of library than this task creates"):
        ensure(respond_as_server(lists=[[], [RECORD]], outcome=lost, creator=None, library=True), library=False)


def test_a_project_without_events_that_existed_before_counts_as_created_by_another():
    with pytest.raises(ConflictError, match="created by another"):
        ensure(respond_as_server(lists=[[RECORD]], outcome=None, creator=None))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"label": "Other"}, "label"),
        ({"library": True}, "library"),
        ({"data": {"color": "#000000"}}, "color"),
        ({"attrib": {"fps": 25}}, r"attributes\.fps"),
    ],
)
def test_the_own_project_with_other_values_is_a_conflict_or_is_not_reported_as_created(values, name):
    spec: dict[str, Any] = {"label": "Alpha", "library": False, "color": "#ffffff", "attributes": {"fps": 24}}
    current: dict[str, Any] = {"label": "Alpha", "library": False, "data": {"color": "#ffffff"}, "attrib": {"fps": 24}}
    assert ensure(respond_as_server(lists=[[RECORD]], outcome=None, **current), **spec)[0]["created"] is True
    changed = {**current, **values}
    with pytest.raises(ConflictError, match=f"with other values of {name} than this task creates; to change them"):
        ensure(respond_as_server(lists=[[RECORD]], outcome=None, **changed), **spec)
    skipped, _ = ensure(respond_as_server(lists=[[RECORD]], outcome=None, **changed), if_exists="skip", **spec)
    assert (skipped["created"], skipped["updated"]) == (False, [])


def test_without_access_to_the_own_project_the_values_in_the_list_are_compared():
    def respond(request: Request) -> Any:
        if request.path == "/api/projects/alpha":
            return PermissionDeniedError("No access group assigned on this project")
        return respond_as_server(lists=[[{**RECORD, "color": "#fff"}]], outcome=None)(request)

    assert ensure(respond, color="#fff")[0]["created"] is True
    with pytest.raises(ConflictError, match="other values of color"):
        ensure(respond, color="#000")


def test_the_error_names_the_project_that_has_the_code():
    other = {**RECORD, "name": "other", "code": "ALP"}
    respond = respond_as_server(lists=[[other]], outcome=ServerError("InFailedSQLTransactionError"))
    with pytest.raises(ConflictError, match="the code 'alp' belongs to another project, 'other'"):
        ensure(respond)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({**RECORD, "name": "Alpha"}, "use this spelling instead of 'alpha'"),
        ({**RECORD, "skeleton": True}, "skeleton"),
        ({**RECORD, "code": "other"}, "its code is not 'alp'"),
        (RECORD, "created by another"),
    ],
)
def test_an_existing_project_is_rejected_with_the_reason(record, message):
    with pytest.raises(ConflictError, match=message):
        ensure(respond_as_server(lists=[[record]], outcome=None, creator="rival"))


def test_an_unknown_handling_of_existing_projects_is_rejected():
    with pytest.raises(ValueError, match="if_exists must be one of fail, skip, update"):
        ensure(respond_as_server(lists=[[]], outcome=None), if_exists="replace")


def test_access_groups_are_not_checked_without_the_permission_to_list_them():
    def respond(request: Request) -> Any:
        is_list = "accessGroups" in request.path
        return PermissionDeniedError("managers only") if is_list else {"name": "anna", "data": {}}

    project_spec = ProjectSpec(name="alpha", code="alp", users={"anna": ["unknown"]})
    _, steps = simulate_flow(reference_checks.require_known_references(project_spec), respond)
    assert len(steps) == 2


def test_a_rejected_update_raises_its_own_error_if_code_and_label_are_free():
    def respond(request: Request) -> Any:
        if request.method == "PATCH":
            return ServerError("boom")
        return PROJECT if request.path == "/api/projects/alpha" else {"count": 0, "projects": []}

    with pytest.raises(ServerError, match="boom"):
        simulate_flow(changes.apply(ProjectSpec(name="alpha", code="new")), respond)
