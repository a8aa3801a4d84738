"""Paths, envelope, signing in: how the stand-in of Assemblyline lets in, asked without our hook."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.assemblyline.access import BEARER_TOKEN
from tests.sandbox.assemblyline.asking import KEY, message


def test_every_json_answer_has_the_envelope(call):
    envelope = call("GET", "user/whoami/").json()
    assert set(envelope) == {"api_response", "api_error_message", "api_server_version", "api_status_code"}
    assert envelope["api_status_code"] == 200


def test_a_path_without_its_last_slash_is_redirected_with_html(served, call):
    reply = call("GET", "user/whoami")
    assert reply.status_code == 308
    assert reply.headers["location"] == f"{served.base_url}/api/v4/user/whoami/"
    assert "html" in reply.headers["content-type"]


def test_a_wrong_method_is_answered_with_html(call):
    reply = call("PUT", "submit/")
    assert reply.status_code == 405
    assert "html" in reply.headers["content-type"]


def test_an_unknown_path_is_named(call):
    assert message(call("GET", "no/such/")) == (404, "Api does not exist (/api/v4/no/such/)")


def test_a_body_that_is_not_declared_as_json_is_an_error_with_status_200(call):
    reply = call("POST", "search/submission/", data="x")
    assert message(reply)[0] == 200
    assert message(reply)[1].startswith("415 Unsupported Media Type")


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, (401, "Session not found")),
        ({"X-User": "admin"}, (401, "Session not found")),
        ({"X-User": "admin", "X-Apikey": "a:b"}, (401, "Invalid user or APIKey")),
        ({"Cookie": "session=old"}, (401, "Session not found")),
        ({**KEY, "Authorization": "Basic YTpi"}, (500, "Internal Server Error")),
        ({**KEY, "Authorization": "Bearer abc"}, (500, "Internal Server Error")),
        ({"Authorization": "Bearer a.b.c"}, (403, "Access Denied (/api/v4/user/whoami/) [oAuth login is disabled]")),
        ({"Authorization": f"Bearer {BEARER_TOKEN}"}, (200, "")),
    ],
)
def test_credentials_are_judged_as_the_real_server_does(call, headers, answer):
    assert message(call("GET", "user/whoami/", headers)) == answer


def test_a_session_by_password_needs_its_xsrf_token(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "password": "admin"})
    cookie = {"Cookie": f"session={login.cookies['session']}"}
    status, words = message(call("GET", "user/whoami/", cookie))
    assert (status, words) == (403, "Access Denied (/api/v4/user/whoami/) [Invalid XSRF token]")
    assert call("GET", "user/whoami/", {**cookie, "X-XSRF-TOKEN": login.cookies["XSRF-TOKEN"]}).ok


def test_a_session_by_key_needs_no_xsrf_token(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "apikey": "sandbox:sandbox-secret"})
    assert call("GET", "user/whoami/", {"Cookie": f"session={login.cookies['session']}"}).ok


def test_a_wrong_password_is_refused(call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "password": "x"})
    assert message(login) == (401, "Wrong username or password")


def test_sessions_end_on_demand(served, call):
    login = call("POST", "auth/login/", {}, json={"user": "admin", "apikey": "sandbox:sandbox-secret"})
    served.end_sessions()
    assert call("GET", "user/whoami/", {"Cookie": f"session={login.cookies['session']}"}).status_code == 401


def test_a_missing_role_is_named(call):
    reply = call("POST", "submit/", {"X-User": "admin", "X-Apikey": "readonly:readonly-secret"})
    assert reply.status_code == 403
    assert "requires one of the following roles: submission_create" in message(reply)[1]
