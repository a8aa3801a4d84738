"""Envelope, paths, authentication and roles."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.assemblyline.authentication import BEARER_TOKEN
from tests.sandbox.assemblyline.api import READ_ONLY_KEY, STANDARD_KEY, parse_reply


@pytest.fixture
def log_in(send):
    """``log_in(password="admin")``: the HTTP response with the cookies."""
    return lambda **credentials: send("POST", "auth/login/", {}, json={"user": "admin", **credentials})


def test_every_json_response_has_the_envelope(send):
    envelope = send("GET", "user/whoami/").json()
    assert set(envelope) == {"api_response", "api_error_message", "api_server_version", "api_status_code"}
    assert envelope["api_status_code"] == 200


def test_a_path_without_its_final_slash_is_redirected_with_html(served, send):
    reply = send("GET", "user/whoami")
    assert reply.status_code == 308
    assert reply.headers["location"] == f"{served.base_url}/api/v4/user/whoami/"
    assert "html" in reply.headers["content-type"]


def test_a_wrong_method_is_rejected_with_html(send):
    reply = send("PUT", "submit/")
    assert reply.status_code == 405
    assert "html" in reply.headers["content-type"]


def test_an_unknown_path_is_rejected_with_the_envelope(call):
    assert call("GET", "no/such/").error == (404, "Api does not exist (/api/v4/no/such/)")


def test_a_body_with_another_content_type_than_json_is_an_error_with_status_200(call):
    status, message = call("POST", "search/submission/", data="x").error
    assert status == 200
    assert message.startswith("415 Unsupported Media Type")


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, (401, "Session not found")),
        ({"X-User": "admin"}, (401, "Session not found")),
        ({"X-User": "admin", "X-Apikey": "a:b"}, (401, "Invalid user or APIKey")),
        ({"Cookie": "session=old"}, (401, "Session not found")),
        ({**STANDARD_KEY, "Authorization": "Basic YTpi"}, (500, "Internal Server Error")),
        ({**STANDARD_KEY, "Authorization": "Bearer abc"}, (500, "Internal Server Error")),
        ({"Authorization": "Bearer a.b.c"}, (403, "Access Denied (/api/v4/user/whoami/) [oAuth login is disabled]")),
        ({"Authorization": f"Bearer {BEARER_TOKEN}"}, (200, "")),
    ],
)
def test_credentials_are_checked_like_on_the_real_server(call, headers, error):
    assert call("GET", "user/whoami/", headers).error == error


def test_a_session_by_password_has_all_roles_and_requires_its_xsrf_token(call, log_in):
    cookies = log_in(password="admin").cookies
    cookie = {"Cookie": f"session={cookies['session']}"}
    message = "Access Denied (/api/v4/user/whoami/) [Invalid XSRF token]"
    assert call("GET", "user/whoami/", cookie).error == (403, message)
    user = call("GET", "user/whoami/", {**cookie, "X-XSRF-TOKEN": cookies["XSRF-TOKEN"]}).response
    assert "administration" in user["roles"]


def test_a_session_by_key_requires_no_xsrf_token_and_can_be_ended(served, call, log_in):
    session = {"Cookie": f"session={log_in(apikey='sandbox:sandbox-secret').cookies['session']}"}
    assert call("GET", "user/whoami/", session).status == 200
    served.end_sessions()
    assert call("GET", "user/whoami/", session).status == 401


def test_a_wrong_password_is_rejected(log_in):
    assert parse_reply(log_in(password="x")).error == (401, "Wrong username or password")


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("POST", "submit/", "submission_create"),
        ("PUT", "badlist/", "badlist_manage"),
        ("DELETE", f"safelist/{'ab' * 32}/", "safelist_manage"),
        ("POST", "bundle/", "submission_create"),
        ("PUT", "retrohunt/", "retrohunt_run"),
        ("PUT", "archive/a/", "archive_trigger"),
        ("PUT", "workflow/", "workflow_manage"),
        ("DELETE", f"file/filestore/{'ab' * 32}/", "file_purge"),
        ("PUT", "submission/verdict/a/malicious/", "submission_manage"),
        ("POST", "alert/label/a/", "alert_manage"),
        ("GET", "service/RigScan/", "administration"),
    ],
)
def test_a_missing_role_is_named_in_the_error(call, method, path, role):
    reason = f"[API /api/v4/{path} requires one of the following roles: {role}]"
    assert call(method, path, READ_ONLY_KEY, json={}).error == (403, f"Access Denied (/api/v4/{path}) {reason}")


def test_calls_count_toward_the_daily_quota_even_if_they_find_nothing(served, call):
    paths = ["badlist/abc/", "bundle/a/", "retrohunt/a/", "workflow/a/", "workflow/labels/"]
    for path in paths:
        served.reset()
        served.seed({"quotas": {"daily_api_calls": 1}})
        assert call("GET", path, READ_ONLY_KEY).status != 503
        message = "You've exceeded your daily maximum API calls quota of 1"
        assert call("GET", path, READ_ONLY_KEY).error == (503, message)
