"""The stand-in of AYON behaves, and misbehaves, as the real server does."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests

from self_hosted.sandbox.ayon import Ayon
from self_hosted.sandbox.ayon.product import API_KEY, PASSWORD
from tests.conftest import Served

KEY = {"X-Api-Key": API_KEY}


@pytest.fixture(scope="session")
def _served(serve):
    return serve(Ayon())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def ask(served):
    """``ask("GET", "/api/projects")`` gives status and body."""

    def asked(method: str, path: str, json: Any = None, headers: Any = None) -> tuple[int, Any]:
        answer = requests.request(
            method, served.base_url + path, json=json, headers=KEY if headers is None else headers, timeout=10
        )
        text = answer.headers.get("content-type", "").startswith("application/json")
        return answer.status_code, answer.json() if text else answer.text

    return asked


def bearer(ask, name: str) -> dict[str, str]:
    _, body = ask("POST", "/api/auth/login", {"name": name, "password": PASSWORD})
    return {"Authorization": f"Bearer {body['token']}"}


def create(ask, name="alpha", code="alp", **more):
    return ask("POST", "/api/projects", {"name": name, "code": code, **more})


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Access token is missing"),
        ({"Authorization": "Bearer short"}, "Access token is missing"),
        ({"Authorization": f"Bearer {'0' * 64}"}, "Invalid session"),
    ],
)
def test_who_is_not_signed_in_is_told_in_what_way(ask, headers, detail):
    assert ask("GET", "/api/users/me", headers=headers) == (401, {"code": 401, "detail": detail})


def test_a_bad_key_is_called_a_session_from_the_second_time_on(ask):
    details = [ask("GET", "/api/users/me", headers={"X-Api-Key": "bad"})[1]["detail"] for _ in range(2)]
    assert details == ["Invalid API key", "Invalid session"]


def test_a_key_may_come_as_authorization(ask):
    assert ask("GET", "/api/users/me", headers={"Authorization": f"ApiKey {API_KEY}"})[1]["name"] == "airflow"


def test_a_refused_login_is_a_403(ask):
    refused = (403, {"code": 403, "detail": "Invalid login/password combination"})
    assert ask("POST", "/api/auth/login", {"name": "anna", "password": "wrong"}) == refused
    assert ask("POST", "/api/auth/login", {"name": "ghost", "password": "wrong"}) == refused
    assert ask("POST", "/api/auth/login", {"name": "airflow", "password": "x"})[1]["detail"] == (
        "Service users cannot log in"
    )


def test_too_many_refused_logins_ban(ask):
    for _ in range(11):
        ask("POST", "/api/auth/login", {"name": "anna", "password": "wrong"})
    assert ask("POST", "/api/auth/login", {"name": "anna", "password": PASSWORD})[1]["detail"] == (
        "Too many failed login attempts"
    )


def test_a_login_without_fields_is_a_bad_request(ask):
    status, body = ask("POST", "/api/auth/login", {})
    assert (status, body["traceback"]) == (400, "name: field required\npassword: field required")


def test_sessions_end_and_keys_stay(served, ask):
    session = bearer(ask, "boss")
    assert ask("GET", "/api/users/me", headers=session)[1]["name"] == "boss"
    served.end_sessions()
    assert ask("GET", "/api/users/me", headers=session)[1]["detail"] == "Invalid session"
    assert ask("GET", "/api/users/me")[0] == 200


def test_a_logout_ends_the_session(ask):
    session = bearer(ask, "boss")
    assert ask("POST", "/api/auth/logout", headers=session) == (200, {"detail": "Logged out"})
    assert ask("GET", "/api/users/me", headers=session)[0] == 401


def test_administrators_see_hashes(ask):
    assert len(ask("GET", "/api/users/anna")[1]["data"]["password"]) == 64
    assert ask("GET", "/api/users/airflow", headers=bearer(ask, "anna"))[1]["data"] == {}


def test_acting_as_others_is_for_service_users_and_silently_ignored_else(ask):
    assert ask("GET", "/api/users/me", headers={**KEY, "X-as-user": "anna"})[1]["name"] == "anna"
    assert ask("GET", "/api/users/me", headers={**bearer(ask, "admin"), "X-as-user": "anna"})[1]["name"] == "admin"
    assert ask("GET", "/api/users/me", headers={**KEY, "X-as-user": ""})[1]["name"] == "airflow"


def test_acting_as_nobody_breaks_in_plain_text_and_drops_the_connection(served):
    url = urlsplit(served.base_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", f"{url.path}/api/users/me", headers={**KEY, "X-as-user": "ghost"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (500, b"Internal Server Error")
        assert answer.headers["Connection"] is None  # it does not say so, but
        assert connection.sock.recv(1) == b""


def test_info_answers_anybody(ask):
    assert set(ask("GET", "/api/info", headers={})[1]) == {"version", "uptime"}
    assert set(ask("GET", "/api/info", headers={"X-Api-Key": "bad"})[1]) == {"version", "uptime"}
    assert len(ask("GET", "/api/info")[1]["attributes"]) == 30
    assert ask("GET", "/api/info", headers={**KEY, "X-as-user": "ghost"}) == (500, "Internal Server Error")


def test_the_web_page_is_there(ask):
    assert ask("GET", "/", headers={})[0] == 200


def test_an_unknown_path_is_named(ask):
    body = {"code": 404, "detail": "API endpoint /api/nope not found", "path": "/api/nope"}
    assert ask("GET", "/api/nope") == (404, body)


def test_a_project_is_created_with_null_as_answer(ask):
    assert create(ask, label="Alpha", color="#ff0000") == (201, None)
    status, project = ask("GET", "/api/projects/ALPHA")
    assert (status, project["name"], project["data"]) == (200, "alpha", {"color": "#ff0000"})
    assert {"folderTypes", "taskTypes", "linkTypes", "statuses", "tags", "config", "attrib"} < set(project)
    assert "startDate" not in project["attrib"]


@pytest.mark.parametrize(("name", "code"), [("ALPHA", "other"), ("other", "ALP"), ("alpha", "alp")])
def test_a_taken_name_or_code_is_a_conflict_in_any_case(ask, name, code):
    create(ask)
    assert create(ask, name, code) == (409, {"code": 409, "detail": "Project alpha (alp) already exists"})


def test_a_taken_label_breaks_without_a_reason(ask):
    create(ask, label="Alpha")
    status, body = create(ask, "beta", "bet", label="ALPHA")
    assert status == 500
    assert "InFailedSQLTransactionError" in body["detail"]
    assert "code" not in body


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "a-b", "code": "ab"}, 500, "InFailedSQLTransactionError"),
        ({"name": "ab", "code": "a-b"}, 500, "ValidationError"),
        ({"name": "ab", "code": "ab", "label": "it's"}, 500, "ValidationError"),
        ({"name": "ab", "code": "ab", "anatomy": {"statuses": []}}, 500, "at least one"),
        ({"name": "ab"}, 400, "Request validation error in [POST] /api/projects"),
        ({"name": "ab", "code": "ab", "color": "red"}, 400, "Request validation error"),
        ({"name": "ab", "code": "ab", "anatomyPreset": "nope"}, 404, "Anatomy preset nope not found"),
        ({"name": "ab", "code": "ab", "anatomy_preset": "nope"}, 404, "Anatomy preset nope not found"),
        ({"name": "ab", "code": "ab", "anatomy": {"attributes": {"fps": "x"}}}, 400, "Request validation error"),
        ({"name": "ab", "code": "ab", "anatomy": {"tags": [{}]}}, 400, "Request validation error"),
    ],
)
def test_what_is_wrong_about_a_project_is_told_in_many_ways(ask, body, status, words):
    answer = ask("POST", "/api/projects", body)
    assert answer[0] == status
    assert words in answer[1]["detail"]
    assert ("errors" in answer[1]) is (status == 400)


def test_an_empty_code_is_taken(ask):
    assert create(ask, code="")[0] == 201


def test_of_duplicates_at_once_all_but_one_break(served):
    async def race() -> list[int]:
        async with httpx.AsyncClient(base_url=served.base_url, headers=KEY) as client:
            body = {"name": "alpha", "code": "alp"}
            answers = await asyncio.gather(*(client.post("/api/projects", json=body) for _ in range(5)))
        return sorted(answer.status_code for answer in answers)

    statuses = asyncio.run(race())
    assert statuses.count(201) == 1
    assert statuses.count(500) >= 1
    assert len(served.tables()["projects"]) == 1


def test_a_rival_wins_the_race(served, ask):
    served.seed({"rivals": [{"name": "alpha", "code": "theirs"}]})
    assert create(ask)[0] == 500
    assert served.tables()["projects"][0]["code"] == "theirs"


def test_malformed_json_is_a_bad_request(served):
    answer = requests.post(f"{served.base_url}/api/projects", data="{", headers=KEY, timeout=10)
    assert answer.status_code == 400


def test_the_list_is_paged_filtered_and_counted(served, ask):
    served.seed({"projects": [{"name": f"p{i}", "code": f"c{i}", "library": i == 1} for i in range(3)]})
    served.seed({"projects": [{"name": "skel", "code": "ske", "skeleton": True}]})

    def names(query: str) -> list[str]:
        return [one["name"] for one in ask("GET", f"/api/projects?{query}")[1]["projects"]]

    assert names("") == ["p0", "p1", "p2"]
    assert names("skeleton=true&order=name&desc=true") == ["skel", "p2", "p1", "p0"]
    assert names("length=2&page=2") == ["p2"]
    assert names("library=true") == ["p1"]
    assert names("name=P1") == ["p1"]
    assert names("name=p_") == ["p0", "p1", "p2"]
    assert ask("GET", "/api/projects?length=2")[1]["count"] == 3
    assert ask("GET", "/api/projects?length=2&page=9")[1] == {"detail": "No projects", "count": 0, "projects": []}
    assert ask("GET", "/api/projects?page=0")[0] == 400


def test_who_has_no_access_is_not_told_whether_a_project_exists(served, ask):
    served.seed({"users": [{"name": "guest", "password": PASSWORD}], "projects": [{"name": "alpha", "code": "a"}]})
    session = bearer(ask, "guest")
    refused = (403, {"code": 403, "detail": "No access group assigned on this project"})
    assert ask("GET", "/api/projects/alpha", headers=session) == refused
    assert ask("GET", "/api/projects/nope", headers=session) == refused
    assert ask("GET", "/api/projects", headers=session)[1]["projects"] == []
    assert ask("GET", "/api/projects/nope")[1]["detail"] == "Project nope not found"


def test_rights_are_asked_for(served, ask):
    served.seed({"projects": [{"name": "alpha", "code": "a"}]})
    session = bearer(ask, "anna")
    for method, path, body in (
        ("POST", "/api/projects", {"name": "b", "code": "b"}),
        ("PATCH", "/api/projects/alpha", {"label": "x"}),
        ("PATCH", "/api/projects/alpha/users/anna", []),
        ("GET", "/api/accessGroups/_", None),
        ("PUT", "/api/anatomy/presets/x", {}),
    ):
        assert ask(method, path, body, headers=session)[0] == 403


def test_a_patch_merges_replaces_and_ignores(ask):
    create(ask, label="Alpha")
    patch = {
        "label": None,
        "library": True,
        "attrib": {"fps": 30, "nope": 1},
        "data": {"a": 1},
        "tags": [{"name": "hero"}],
        "unknown": 1,
    }
    assert ask("PATCH", "/api/projects/alpha", patch) == (204, "")
    ask("PATCH", "/api/projects/alpha", {"data": {"b": 2}})
    project = ask("GET", "/api/projects/alpha")[1]
    assert (project["label"], project["library"], project["data"]) == ("Alpha", True, {"a": 1, "b": 2})
    assert (project["attrib"]["fps"], project["attrib"]["frameStart"]) == (30, 1001)
    assert project["tags"] == [{"name": "hero", "color": "#cacaca"}]
    assert "nope" not in project["attrib"]


@pytest.mark.parametrize(
    ("patch", "status"),
    [({"attrib": {"fps": "x"}}, 400), ({"label": "it's"}, 400), ({"code": "a-b"}, 400), ({"code": "BET"}, 500)],
)
def test_a_bad_patch_is_refused(ask, patch, status):
    create(ask)
    create(ask, "beta", "bet")
    assert ask("PATCH", "/api/projects/alpha", patch)[0] == status


def test_an_anatomy_is_replaced_as_a_whole(ask):
    create(ask, anatomy={"attributes": {"fps": 12}})
    assert ask("POST", "/api/projects/alpha/anatomy", {"tags": {}})[0] == 400
    assert ask("POST", "/api/projects/alpha/anatomy", {"tags": [{"name": "hero"}]})[0] == 204
    anatomy = ask("GET", "/api/projects/alpha/anatomy")[1]
    assert (anatomy["attributes"]["fps"], len(anatomy["tags"]), len(anatomy["folder_types"])) == (25, 1, 4)


def test_a_deleted_project_is_gone(ask):
    create(ask)
    assert ask("DELETE", "/api/projects/alpha")[0] == 204
    assert ask("DELETE", "/api/projects/alpha")[0] == 404


def test_a_skeleton_is_completed_by_a_second_creation(ask):
    create(ask, skeleton=True)
    assert ask("GET", "/api/projects/alpha")[1]["skeleton"] is True
    assert create(ask)[0] == 201
    assert "skeleton" not in ask("GET", "/api/projects/alpha")[1]


def test_presets_are_completed_with_defaults(served, ask):
    assert ask("GET", "/api/anatomy/presets")[1] == {"version": "1.0.0", "presets": []}
    assert ask("PUT", "/api/anatomy/presets/film", {"tags": [{"name": "hero"}]})[0] == 204
    assert ask("GET", "/api/anatomy/presets")[1]["presets"] == [{"name": "film", "primary": False, "version": "1.0.0"}]
    assert ask("GET", "/api/anatomy/presets/film")[1]["folder_types"]
    assert ask("GET", "/api/anatomy/presets/nope")[1]["detail"] == "Anatomy preset nope not found."
    assert ask("GET", "/api/anatomy/presets/__primary__") == ask("GET", "/api/anatomy/presets/__builtin__")
    served.seed({"primaryPreset": "film"})
    create(ask)
    assert ask("GET", "/api/projects/alpha")[1]["tags"] == [{"name": "hero", "color": "#cacaca"}]
    assert ask("GET", "/api/anatomy/presets/__primary__") == ask("GET", "/api/anatomy/presets/film")


def test_access_is_given_by_default_and_set_by_groups(ask):
    create(ask)
    path = "/api/projects/alpha/users"
    assert ask("GET", path)[1] == {"anna": ["artist"]}
    assert ask("PATCH", f"{path}/anna", ["supervisor", "nope"]) == (200, {"anna": ["supervisor"]})
    assert ask("PATCH", f"{path}/anna", []) == (200, {})
    assert ask("PATCH", f"{path}/ghost", [])[0] == 404


def test_events_say_who_sent_the_request_unless_the_name_is_malformed(served, ask):
    for name, sender in (("a", "airflow.1"), ("b", "no good")):
        headers = {**KEY, "X-Sender": sender, "X-Sender-Type": "airflow"}
        ask("POST", "/api/projects", {"name": name, "code": name}, headers=headers)
    assert [event["sender"] for event in served.tables()["events"]] == [None, "airflow.1"]
    query = "query ($projects: [String!]) { events(projects: $projects, last: 1) { edges { node { sender user } } } }"
    body = {"query": query, "variables": {"projects": ["a"]}}
    edges = [{"node": {"sender": "airflow.1", "user": "airflow"}}]
    assert ask("POST", "/graphql", body) == (200, {"data": {"events": {"edges": edges}}})
    assert ask("POST", "/graphql", body, headers=bearer(ask, "anna"))[1]["data"]["events"]["edges"] == []
    assert "errors" in ask("POST", "/graphql", {"query": "{ nope }"})[1]
    assert ask("POST", "/graphql", body, headers={})[0] == 401


ZEROS = "0" * 32


@pytest.fixture
def film(served) -> str:
    """A project, and the path of it."""
    served.seed({"projects": [{"name": "film", "code": "flm"}]})
    return "/api/projects/film"


@pytest.fixture
def make(ask, film):
    """Make an entity and get its id: ``make("folder", name="assets")``."""

    def made(kind: str, **fields: Any) -> str:
        status, body = ask("POST", f"{film}/{kind}s", fields)
        assert status == 201, body
        return str(body["id"])

    return made


def graphql(ask, query: str, headers: Any = None, **variables: Any) -> Any:
    status, body = ask("POST", "/graphql", {"query": query, "variables": variables}, headers=headers)
    assert status == 200
    return body


def test_entities_are_made_below_each_other_with_the_first_status_that_is_meant_for_them(ask, film, make):
    folder = make("folder", name="assets")
    task = make("task", name="modeling", folderId=folder)
    product = make("product", name="render", folderId=folder)
    version = make("version", version=1, productId=product)
    make("representation", name="exr", versionId=version)
    make("workfile", path="/a.ma", taskId=task)
    assert ask("GET", f"{film}/tasks/{task}")[1]["status"] == "Not ready"
    assert ask("GET", f"{film}/folders/{task}") == (404, {"code": 404, "detail": f"Entity {task} not found"})


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("folder", {"name": "ASSETS"}, 409, "Folder with lower(name::text) 'assets' already exists."),
        ("folder", {"name": "b", "status": "Nope"}, 409, "status 'Nope' is not present in table \"statuses\"."),
        ("folder", {"name": "b", "parentId": ZEROS}, 409, f"parent_id '{ZEROS}' is not present in table \"folders\"."),
        ("task", {"name": "b"}, 409, "Missing required field: folder_id"),
        ("folder", {"name": "b", "id": "12345678-1234-1234-1234-123456789012"}, 400, "Request validation error"),
    ],
)
def test_an_unfit_entity_is_a_conflict(ask, film, make, kind, body, status, words):
    make("folder", name="assets")
    answer = ask("POST", f"{film}/{kind}s", body)
    assert answer[0] == status
    assert words in answer[1]["detail"]


def test_an_id_is_taken_once_and_one_in_capitals_is_written_before_it_breaks(ask, film):
    body = {"id": "a" * 32, "name": "assets"}
    assert ask("POST", f"{film}/folders", body)[0] == 201
    taken = "Folder with id 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' already exists."
    assert ask("POST", f"{film}/folders", body) == (409, {"code": 409, "detail": taken})
    assert ask("POST", f"{film}/folders", {"id": "A" * 32, "name": "b"})[0] == 500
    assert ask("POST", f"{film}/folders", {"name": "b"})[0] == 409
    assert ask("GET", f"{film}/folders/{'A' * 32}")[0] == 400


def test_a_change_of_status_is_an_event(served, ask, film, make):
    folder = make("folder", name="assets")
    assert ask("PATCH", f"{film}/folders/{folder}", {"status": "Approved"}) == (204, "")
    assert ask("PATCH", f"{film}/folders/{folder}", {"label": "Assets"}) == (204, "")
    assert ask("PATCH", f"{film}/folders/{folder}", {"status": "Nope"})[0] == 409
    assert ask("DELETE", f"{film}/folders/{folder}")[0] == 204
    assert ask("DELETE", f"{film}/folders/{folder}")[0] == 404
    topics = [event["topic"].rpartition(".")[2] for event in served.tables()["events"]]
    assert topics == ["deleted", "status_changed", "created"]


def test_graphql_reads_aliases_lists_and_variables(ask, film, make):
    folder = make("folder", name="assets")
    query = """query Statuses($p: String!, $ids: [String!]) {
      a: projects(name: $p) { edges { node { name folders(ids: $ids, first: 5) { edges { node { id status } } } } } }
      b: projects(name: "nope") { edges { node { name } } }
    }"""
    edges = [{"node": {"id": folder, "status": "Not ready"}}]
    found = graphql(ask, query, p="FILM", ids=[folder, ZEROS])
    assert found["data"] == {
        "a": {"edges": [{"node": {"name": "film", "folders": {"edges": edges}}}]},
        "b": {"edges": []},
    }


@pytest.mark.parametrize(
    ("query", "words", "status"),
    [
        ('{ a: project(name: "film") { name } b: project(name: "nope") { name } }', "Project not found", 404),
        ('{ events(ids: ["x"]) { edges { node { id } } } }', "Invalid entity ID x", None),
        ("{ events { edges { node { nope } } } }", "Cannot query field 'nope'.", None),
        ("{ events(", "Syntax Error", None),
        ("events", "Syntax Error", None),
    ],
)
def test_one_error_of_graphql_leaves_no_answer_at_all(ask, film, make, query, words, status):
    make("folder", name="assets")
    answer = graphql(ask, query)
    assert answer["data"] is None
    [error] = answer["errors"]
    assert words in error["message"]
    assert error.get("extensions", {}).get("status") == status


def test_graphql_pages_from_either_end(ask, film):
    ids = [ask("POST", "/api/events", {"topic": "a.job", "summary": {"n": n}})[1]["id"] for n in range(3)]

    def found(arguments: str) -> list[str]:
        query = f'{{ events(topics: ["a.job"], {arguments}) {{ edges {{ node {{ id summary }} }} }} }}'
        return [edge["node"]["id"] for edge in graphql(ask, query)["data"]["events"]["edges"]]

    assert found("first: 2") == ids[:2]
    assert found("last: 2") == [ids[2], ids[1]]
    assert found("first: null") == ids


def test_events_of_others_are_shown_to_those_who_know_their_ids(served, ask, film):
    session = bearer(ask, "anna")
    event = ask("POST", "/api/events", {"topic": "a.job", "project": "film", "summary": {"n": 1}})[1]["id"]
    by_topic = '{ events(topics: ["a.job"]) { edges { node { id } } } }'
    by_id = "query ($ids: [String!]) { events(ids: $ids) { edges { node { id summary } } } }"
    assert graphql(ask, by_topic, session)["data"]["events"]["edges"] == []
    edges = graphql(ask, by_id, session, ids=[event])["data"]["events"]["edges"]
    assert edges == [{"node": {"id": event, "summary": '{"n": 1}'}}]
    served.seed({"projects": [{"name": "secret", "code": "s", "assignUsers": False}]})
    hidden = ask("POST", "/api/events", {"topic": "a.job", "project": "secret"})[1]["id"]
    assert ask("GET", f"/api/events/{hidden}", headers=session)[0] == 403


def test_the_status_of_an_event_is_a_matter_of_service_users(ask):
    event = ask("POST", "/api/events", {"topic": "a.job", "finished": False})[1]["id"]
    assert ask("PATCH", f"/api/events/{event}", {"status": "in_progress"}) == (204, "")
    refused = ask("PATCH", f"/api/events/{event}", {"status": "failed"}, headers=bearer(ask, "admin"))
    assert refused == (403, {"code": 403, "detail": "Not allowed to update status of this event"})
    assert ask("PATCH", f"/api/events/{event}", {"status": "done"})[0] == 400
    assert ask("GET", f"/api/events/{event}")[1]["status"] == "in_progress"
    assert ask("POST", "/api/events", {"topic": "a.job"}, headers=bearer(ask, "anna"))[0] == 403
    assert ask("GET", f"/api/events/{ZEROS}") == (404, {"code": 404, "detail": "Event not found"})
    assert ask("GET", "/api/events/x")[0] == 400


def background(ask, film: str, operations: list[Any], **how: Any) -> Any:
    """What becomes of operations in the background."""
    _, started = ask("POST", f"{film}/operations/background", {"operations": operations, **how})
    assert (started["status"], started["result"]) == ("pending", None)
    time.sleep(0.05)
    return ask("GET", f"{film}/operations/background/{started['id']}")[1]


def new_folder(name: str) -> dict[str, Any]:
    return {"type": "create", "entityType": "folder", "data": {"name": name}}


def test_completed_does_not_mean_success(ask, film, make):
    make("folder", name="assets")
    done = background(ask, film, [new_folder("shots"), new_folder("assets"), new_folder("c")])
    assert (done["status"], done["progress"], done["result"]["success"]) == ("completed", 100, False)
    told = [(one["success"], one["status"], one["errorCode"]) for one in done["result"]["operations"]]
    assert told == [(True, 201, None), (False, 409, "unique-violation")]
    assert background(ask, film, [new_folder("shots")])["result"]["success"]  # for it was undone


def test_with_can_fail_the_good_ones_stay(ask, film, make):
    folder = make("folder", name="assets")
    update = {"type": "update", "entityType": "folder", "entityId": folder, "data": {"status": "Approved"}}
    missing = {"type": "delete", "entityType": "folder", "entityId": ZEROS}
    done = background(ask, film, [update, missing, new_folder("shots")], canFail=True)
    assert [one["status"] for one in done["result"]["operations"]] == [204, 404, 201]
    assert ask("GET", f"{film}/folders/{folder}")[1]["status"] == "Approved"
    delete = {"type": "delete", "entityType": "folder", "entityId": folder}
    assert background(ask, film, [delete])["result"]["success"]
    assert ask("GET", f"{film}/folders/{folder}")[0] == 404


def test_a_malformed_list_is_accepted_and_stays_at_the_beginning(ask, film):
    stuck = background(ask, film, [{"type": "update", "entityType": "folder", "data": {}}])
    assert (stuck["status"], stuck["progress"], stuck["result"]) == ("in_progress", 0, None)


def test_progress_stays_at_the_last_operation_while_views_are_refreshed(served, ask, film):
    served.seed({"operations": [{"project": "film", "id": ZEROS, "seconds": 1, "total": 4}]})
    seen = []
    while "completed" not in seen:
        found = ask("GET", f"{film}/operations/background/{ZEROS}")[1]
        seen.append("completed" if found["status"] == "completed" else found["progress"])
        time.sleep(0.01)
    assert sorted(set(seen[:-1])) == [0, 25, 50, 75]
    assert seen.count(75) > seen.count(50)


def test_an_operation_is_forgotten_after_a_while(served, ask, film):
    operation = {"project": "film", "id": ZEROS}
    served.seed({"operations": [{**operation, "stuck": "pending"}]})
    assert ask("GET", f"{film}/operations/background/{ZEROS}")[1]["status"] == "pending"
    served.seed({"operations": [{**operation, "kept": -1}]})
    gone = f"Background operations task '{ZEROS}' not found"
    assert ask("GET", f"{film}/operations/background/{ZEROS}") == (404, {"code": 404, "detail": gone})


def test_a_reviewable_sent_again_is_another_one(served, make):
    folder = make("folder", name="assets")
    version = make("version", version=1, productId=make("product", name="render", folderId=folder))
    url = f"{served.base_url}/api/projects/film/versions/{version}/reviewables"

    def upload(kind: str) -> requests.Response:
        headers = {**KEY, "Content-Type": kind, "X-File-Name": "review"}
        return requests.post(url, data=b"...", headers=headers, timeout=10)

    kinds = ("image/png", "image/png", "video/mp4", "video/quicktime")
    assert [upload(kind).status_code for kind in kinds] == [200] * 4
    refused = upload("text/plain")
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "Only videos and images are supported for reviewables now",
    )
    found = requests.get(url, headers=KEY, timeout=10).json()["reviewables"]
    availability = [one["availability"] for one in found]
    assert availability == ["ready", "ready", "conversionRecommended", "conversionRequired"]
    assert len({one["activityId"] for one in found}) == 4


def test_what_is_seeded_may_change_with_time(served, ask, film):
    becomes = {"after": 0.5, "becomes": {"status": "Approved"}}
    served.seed({"entities": [{"project": "film", "type": "folder", "id": ZEROS, "name": "a", **becomes}]})
    assert served.tables()["entities"] == [
        {"project": "film", "type": "folder", "id": ZEROS, "status": "Not ready"},
    ]
    time.sleep(0.5)
    assert ask("GET", f"{film}/folders/{ZEROS}")[1]["status"] == "Approved"


def test_tables_show_no_secrets(served, ask):
    create(ask)
    shown = str(served.tables())
    assert API_KEY not in shown
    assert PASSWORD not in shown


def test_the_vendors_own_client_works_with_it(served):
    ayon_api = pytest.importorskip("ayon_api", reason="the vendor's client, ayon-python-api, is not installed")
    server = ayon_api.ServerAPI(served.base_url, token=API_KEY)
    try:
        server.create_project("alpha", "alp", library_project=True)
        project = server.get_project("alpha")
        assert (project["name"], project["code"], project["library"]) == ("alpha", "alp", True)
        assert list(server.get_project_names()) == ["alpha"]
        with pytest.raises(ValueError, match="already"):
            server.create_project("alpha", "alp")
        event = server.dispatch_event("airflow.job", project_name="alpha", finished=False, summary={"frames": 7}).data[
            "id"
        ]
        server.update_event(event, status="in_progress")
        found = server.get_event(event)
        assert (found["status"], found["summary"]) == ("in_progress", {"frames": 7})
    finally:
        server.close_session()
