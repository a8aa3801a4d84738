"""Authentication at the fake AYON server: API keys, sessions, acting as another user."""

from __future__ import annotations

import contextlib
import http.client
from urllib.parse import urlsplit

from self_hosted.sandbox.ayon import API_KEY, PASSWORD
from tests.sandbox.ayon.client import KEY, log_in


def test_missing_and_invalid_tokens_have_different_messages(call):
    details = {
        "Access token is missing": [{}, {"Authorization": "Bearer short"}],
        "Invalid session": [{"Authorization": f"Bearer {'0' * 64}"}],
    }
    for detail, cases in details.items():
        for headers in cases:
            assert call("GET", "/api/users/me", headers=headers) == (401, {"code": 401, "detail": detail}), headers


def test_a_repeated_invalid_key_is_reported_as_an_invalid_session(call):
    details = [call("GET", "/api/users/me", headers={"X-Api-Key": "bad"})[1]["detail"] for _ in range(2)]
    assert details == ["Invalid API key", "Invalid session"]


def test_the_authorization_header_may_contain_an_api_key(call):
    assert call("GET", "/api/users/me", headers={"Authorization": f"ApiKey {API_KEY}"})[1]["name"] == "airflow"


def test_a_failed_login_has_status_403(call):
    failed = (403, {"code": 403, "detail": "Invalid login/password combination"})
    assert call("POST", "/api/auth/login", {"name": "anna", "password": "wrong"}) == failed
    assert call("POST", "/api/auth/login", {"name": "ghost", "password": "wrong"}) == failed
    service_user = call("POST", "/api/auth/login", {"name": "airflow", "password": "x"})
    assert service_user[1]["detail"] == "Service users cannot log in"


def test_too_many_failed_logins_block_all_logins(call):
    for _ in range(11):
        call("POST", "/api/auth/login", {"name": "anna", "password": "wrong"})
    blocked = call("POST", "/api/auth/login", {"name": "anna", "password": PASSWORD})
    assert blocked[1]["detail"] == "Too many failed login attempts"


def test_a_login_without_its_fields_has_status_400(call):
    status, body = call("POST", "/api/auth/login", {})
    assert (status, body["traceback"]) == (400, "name: field required\npassword: field required")


def test_ending_sessions_invalidates_tokens_but_not_keys(served, call):
    session = log_in(call, "boss")
    assert call("GET", "/api/users/me", headers=session)[1]["name"] == "boss"
    served.end_sessions()
    assert call("GET", "/api/users/me", headers=session)[1]["detail"] == "Invalid session"
    assert call("GET", "/api/users/me")[0] == 200


def test_a_logout_ends_the_session(call):
    session = log_in(call, "boss")
    assert call("POST", "/api/auth/logout", headers=session) == (200, {"detail": "Logged out"})
    assert call("GET", "/api/users/me", headers=session)[0] == 401


def test_only_administrators_see_hashes(call):
    assert len(call("GET", "/api/users/anna")[1]["data"]["password"]) == 64
    assert call("GET", "/api/users/airflow", headers=log_in(call, "anna"))[1]["data"] == {}


def test_only_service_users_act_as_other_users(call):
    assert call("GET", "/api/users/me", headers={**KEY, "X-as-user": "anna"})[1]["name"] == "anna"
    assert call("GET", "/api/users/me", headers={**log_in(call, "admin"), "X-as-user": "anna"})[1]["name"] == "admin"
    assert call("GET", "/api/users/me", headers={**KEY, "X-as-user": ""})[1]["name"] == "airflow"


def test_acting_as_a_missing_user_crashes_and_closes_the_connection(served):
    url = urlsplit(served.base_url)
    connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", f"{url.path}/api/users/me", headers={**KEY, "X-as-user": "ghost"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (500, b"Internal Server Error")
        assert response.headers["Connection"] is None  # the server closes without announcing it
        assert connection.sock.recv(1) == b""


def test_server_information_needs_no_valid_credentials(call):
    assert set(call("GET", "/api/info", headers={})[1]) == {"version", "uptime"}
    assert set(call("GET", "/api/info", headers={"X-Api-Key": "bad"})[1]) == {"version", "uptime"}
    assert len(call("GET", "/api/info")[1]["attributes"]) == 30
    assert call("GET", "/api/info", headers={**KEY, "X-as-user": "ghost"}) == (500, "Internal Server Error")


def test_the_web_page_needs_no_credentials(call):
    assert call("GET", "/", headers={})[0] == 200


def test_an_unknown_path_is_part_of_the_error(call):
    body = {"code": 404, "detail": "API endpoint /api/nope not found", "path": "/api/nope"}
    assert call("GET", "/api/nope") == (404, body)
