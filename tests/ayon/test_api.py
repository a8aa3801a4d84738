"""Flows by hand: no server, no Airflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.ayon import api
from self_hosted.core.errors import (
    Broken,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    LoginRefused,
    NotFound,
    Uncertain,
)
from self_hosted.core.flow import Pause, Request
from tests.ayon.conftest import answered, reply

WANTED = api.WantedProject(name="alpha", code="alp")
ROW = {"name": "alpha", "code": "alp", "label": None, "library": False, "skeleton": False}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (reply(401, {"code": 401, "detail": "Invalid API key"}), LoginRefused, "Invalid API key"),
        (reply(403, {"code": 403, "detail": "No access"}), Forbidden, "No access"),
        (reply(403, {"code": 403, "detail": "Invalid login"}, path="/api/auth/login"), LoginRefused, "Invalid login"),
        (reply(404, {"code": 404, "detail": "Project x not found"}), NotFound, "Project x not found"),
        (reply(409, {"code": 409, "detail": "Project a (b) already exists"}), Conflict, "already exists"),
        (reply(409, {"code": 409, "detail": "status 'X' is not present in table \"statuses\"."}), Invalid, "statuses"),
        (reply(409, {"code": 409, "detail": "Missing required field: folder_id"}), Invalid, "folder_id"),
        (reply(500, {"code": 409, "detail": "label exists", "error": "unique-violation"}), Conflict, "label exists"),
        (reply(500, {"code": 400, "detail": "Missing", "error": "not-null-violation"}), Invalid, "Missing"),
        (reply(500, {"status": 500, "detail": "InFailedSQLTransactionError: x"}), Broken, "InFailedSQL"),
        (reply(500, "Internal Server Error"), Uncertain, "Internal Server Error"),
        (reply(502, "<html>"), Uncertain, "without a reason"),
        (reply(503, {"code": 503, "detail": "Database pool timeout"}), Busy, "pool timeout"),
        (reply(504, "<html>"), Uncertain, "without a reason"),
        (reply(405, {"detail": "Method Not Allowed"}), Invalid, "Method Not Allowed"),
        (reply(307, "", path="/api/x"), Invalid, "redirected"),
        (reply(200, {"data": None, "errors": [{"message": "no field"}]}, path="/graphql"), Invalid, "no field"),
        (
            reply(200, {"errors": [{"message": "gone", "extensions": {"status": 404}}]}, path="/graphql"),
            NotFound,
            "gone",
        ),
    ],
)
def test_an_error_is_told_by_status_and_body(answer, kind, words):
    error = api.error_of(answer)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize("answer", [reply(201, None), reply(200, {"errors": []}), reply(200, {}, path="/graphql")])
def test_a_success_is_no_error(answer):
    assert api.error_of(answer) is None


def test_a_validation_error_names_the_fields():
    body = {"code": 400, "detail": "Request validation error", "traceback": "a: bad\nb: worse", "errors": [{}]}
    assert "a: bad; b: worse" in str(api.error_of(reply(400, body)))


def test_a_bug_keeps_the_servers_files_to_itself():
    body = {"status": 500, "detail": "boom", "traceback": "/backend/secret.py:1", "file": "/backend/secret.py"}
    assert "secret.py" not in str(api.error_of(reply(500, body)))


def test_the_cached_refusal_of_a_key_is_called_what_it_is():
    body = {"code": 401, "detail": "Invalid session"}
    assert "Invalid API key" in str(api.error_of(reply(401, body, headers={"X-Api-Key": "x"})))
    assert "Invalid session" in str(api.error_of(reply(401, body)))


def test_projects_are_read_page_by_page():
    def server(request: Request) -> Any:
        page = request.query["page"]
        return {"count": 1001, "projects": [{"name": f"p{page}"}] if page < 4 else []}

    found, asked = answered(api.projects(library=True), server)
    assert [one["name"] for one in found] == ["p1", "p2", "p3"]
    assert [step.query["page"] for step in asked if isinstance(step, Request)] == [1, 2, 3]


def test_a_project_is_not_found_by_what_only_looks_like_its_name():
    # the name is a pattern on the server: "_" is any character
    found, _ = answered(api.find_project("a_b"), lambda _: {"count": 2, "projects": [{"name": "axb"}, {"name": "A_b"}]})
    assert found == {"name": "A_b"}


def test_a_project_is_created_by_one_request_that_nobody_but_the_flow_repeats():
    _, [request] = answered(api.create_project({"name": "a", "code": "b"}, sender="airflow.1"), lambda _: None)
    assert isinstance(request, Request)
    assert (request.method, request.path, request.may_be_repeated) == ("POST", "/api/projects", False)
    assert request.headers == {"X-Sender": "airflow.1"}


def creations(endings: list[Any], maker: str | None = None) -> Callable[..., Any]:
    """A server: what creations end with, one after the other, and who made the project; by default who asked last."""
    senders: list[str] = []

    def answer(request: Request) -> Any:
        if request.path == "/graphql":
            return {"data": {"events": {"edges": [{"node": {"sender": maker or f"nightly{senders[-1]}"}}]}}}
        senders.append(request.headers["X-Sender"])
        return endings.pop(0)

    return answer


def created(server: Callable[..., Any], **sender: str) -> list[Request | Pause]:
    return answered(api.create_project({"name": "alpha", "code": "alp"}, **sender), server)[1]


@pytest.mark.parametrize("second", [None, Conflict("exists"), Broken("InFailedSQL"), Uncertain("lost again")])
def test_a_creation_whose_answer_was_lost_is_sent_again_and_known_by_its_sender(second):
    assert len(created(creations([Uncertain("lost"), second]))) == (2 if second is None else 3)


@pytest.mark.parametrize("second", [Conflict("exists"), Broken("InFailedSQL"), Uncertain("lost again")])
@pytest.mark.parametrize("sender", [{}, {"sender": "airflow.me"}])
def test_a_project_of_another_sender_is_not_taken_for_ones_own(second, sender):
    with pytest.raises(type(second)):
        created(creations([Uncertain("lost"), second], maker="nightly.airflow.me"), **sender)


@pytest.mark.parametrize("error", [Conflict("exists"), Broken("boom"), Invalid("bad")])
def test_a_creation_that_is_refused_is_refused_at_once(error):
    with pytest.raises(type(error)):
        created(creations([error]))


def test_nobody_is_asked_about_the_creator_of_a_project_without_events():
    creator, _ = answered(api.creator("alpha"), lambda _: {"data": {"events": {"edges": []}}})
    assert creator is None


def studio(*, rows: list[list[dict[str, Any]]], creation: Any, maker: str | None = "airflow.me") -> Callable[..., Any]:
    """A server: what the looks for a project find, one after the other, what its creation ends with, who made it."""

    def answer(request: Request) -> Any:
        if request.path == "/graphql":
            return {"data": {"events": {"edges": [{"node": {"sender": maker}}] if maker else []}}}
        if request.method == "POST":
            return creation
        found = rows[0] if not request.query.get("name") or len(rows) == 1 else rows.pop(0)
        return {"count": len(found), "projects": found}

    return answer


def ensured(server: Callable[..., Any], **how: Any) -> tuple[dict[str, Any], list[Request | Pause]]:
    return answered(api.ensure_project(how.pop("wanted", WANTED), sender="airflow.me", **how), server)


def test_a_new_project_takes_a_look_and_a_creation():
    result, asked = ensured(studio(rows=[[]], creation=None))
    assert result == {"name": "alpha", "code": "alp", "library": False, "created": True, "updated": []}
    assert [step.method for step in asked if isinstance(step, Request)] == ["GET", "POST"]


@pytest.mark.parametrize("error", [Uncertain("lost"), Broken("InFailedSQLTransactionError"), Conflict("exists")])
def test_a_creation_with_a_bad_end_is_known_by_its_sender(error):
    result, _ = ensured(studio(rows=[[], [ROW]], creation=error))
    assert result["created"] is True


@pytest.mark.parametrize("error", [Uncertain("lost"), Broken("InFailedSQLTransactionError"), Conflict("exists")])
def test_what_another_sender_made_meanwhile_is_not_ones_own(error):
    with pytest.raises(Conflict, match="created by another"):
        ensured(studio(rows=[[], [ROW]], creation=error, maker="rival"))
    result, _ = ensured(studio(rows=[[], [ROW]], creation=error, maker="rival"), if_exists="skip")
    assert result["created"] is False


def test_a_project_that_is_still_being_written_is_waited_for():
    result, asked = ensured(studio(rows=[[], [], [], [ROW]], creation=Conflict("exists")))
    assert result["created"] is True
    assert len([step for step in asked if isinstance(step, Pause)]) == 2


def test_a_creation_that_left_nothing_behind_ends_with_its_own_error():
    with pytest.raises(Broken, match="boom"):
        ensured(studio(rows=[[]], creation=Broken("boom")))


def test_a_project_without_an_event_is_taken_for_somebody_elses():
    result, _ = ensured(studio(rows=[[], [ROW]], creation=Conflict("exists"), maker=None), if_exists="skip")
    assert result["created"] is False


def test_a_taken_code_is_told_with_its_owner():
    server = studio(rows=[[{**ROW, "name": "other", "code": "ALP"}]], creation=Broken("InFailedSQLTransactionError"))
    with pytest.raises(Conflict, match="the code 'alp' belongs to another project, 'other'"):
        ensured(server)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({**ROW, "name": "Alpha"}, "spell it the same"),
        ({**ROW, "skeleton": True}, "skeleton"),
        ({**ROW, "code": "other"}, "its code is not 'alp'"),
        (ROW, "created by another"),
    ],
)
def test_a_project_that_is_there_is_refused_with_the_reason(row, words):
    with pytest.raises(Conflict, match=words):
        ensured(studio(rows=[[row]], creation=None, maker="rival"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": ""}, "name must be 1 to 55"),
        ({"name": "a-b"}, "name must be"),
        ({"name": "a\n"}, "name must be"),
        ({"name": "a" * 56}, "name must be"),
        ({"name": 7}, "name must be"),
        ({"code": ""}, "code must be"),
        ({"code": "a b"}, "code must be"),
        ({"label": "it's"}, "label must be"),
        ({"color": "red"}, "color must be"),
        ({"color": "#12345"}, "color must be"),
        ({"library": "True"}, "library must be true or false"),
        ({"anatomy": {}, "anatomy_preset": "film"}, "not both"),
        ({"anatomy": []}, "anatomy must be a mapping"),
        ({"anatomy": {"folderTypes": []}}, "anatomy has no 'folderTypes'"),
        ({"anatomy": {"tags": {}}}, "tags must be a list"),
        ({"anatomy": {"folder_types": []}}, "at least one entry"),
        ({"attributes": ["fps"]}, "attributes must be a mapping"),
        ({"users": ["anna"]}, "users must be a mapping"),
        ({"users": {"anna": "artist"}}, "'anna' needs a list"),
        ({"users": {"anna": [1]}}, "'anna' needs a list"),
        ({"users": {"a/b": []}}, "a user's name"),
    ],
)
def test_a_malformed_project_is_refused_with_the_argument(arguments, words):
    with pytest.raises(ValueError, match=words):
        api.WantedProject(**{"name": "alpha", "code": "alp", **arguments}).check()


def test_a_well_formed_project_is_fine():
    api.WantedProject(
        name="a_1",
        code="A",
        label="A: one",
        color="#fff",
        library=False,
        anatomy={"tags": [], "attributes": {"fps": 24}},
        attributes={"frameStart": 1},
        users={"anna.b": ["artist"], "bob": []},
    ).check()
