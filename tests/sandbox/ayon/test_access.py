"""How the stand-in of AYON lets in: keys, sessions, refusals."""

from __future__ import annotations

import contextlib
import http.client
from urllib.parse import urlsplit

import pytest

from self_hosted.sandbox.ayon.product import API_KEY, PASSWORD
from tests.sandbox.ayon.asking import KEY, bearer


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
