"""The stand-in of AYON behaves, and misbehaves, as the real server does."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
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
    finally:
        server.close_session()
