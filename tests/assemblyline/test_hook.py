"""The hook: sign-ins and methods."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import io
import json

import pytest

from self_hosted.assemblyline.api import server
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.errors import AuthenticationError, PermissionDeniedError
from self_hosted.core.http.flow import Upload
from self_hosted.sandbox.assemblyline.authentication import BEARER_TOKEN
from tests.assemblyline.conftest import upload

KEY = {"api_key": None}
PASSWORD = {"login": "admin", "password": "admin", "extra": KEY}
TOKEN = {"login": None, "extra": {**KEY, "bearer_token": BEARER_TOKEN}}


@pytest.fixture
def create_hook(served, connect):
    """``create_hook(password="admin", ...)`` returns a hook with a changed connection to the fake server."""
    return lambda **changes: AssemblylineHook(connect("changed", served.connection(**changes)))


@pytest.mark.parametrize("changes", [{}, PASSWORD, TOKEN], ids=["key", "password", "token"])
def test_the_test_button_names_version_user_and_roles(create_hook, changes):
    sentence = "Signed in to Assemblyline 4.7.4.25 as admin, with the roles to submit and to read results"
    assert create_hook(**changes).test_connection() == (True, sentence)


@pytest.mark.parametrize("changes", [{}, PASSWORD, TOKEN], ids=["key", "password", "token"])
def test_every_sign_in_works_in_worker_and_trigger(create_hook, run_flow, changes):
    hook = create_hook(**changes)
    assert run_flow(hook, submissions.search("*")) == []


def test_the_test_button_names_a_missing_role(create_hook):
    passed, sentence = create_hook(extra={"api_key": "readonly:readonly-secret"}).test_connection()
    assert not passed
    assert "the role submission_create (to submit) is missing" in sentence


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extra": {"api_key": "sandbox:wrong"}}, "Invalid user or APIKey"),
        ({**PASSWORD, "password": "wrong"}, "Wrong username or password"),
        ({"login": None, "extra": {**KEY, "bearer_token": "a.b.c"}}, "oAuth login is disabled"),
    ],
)
def test_the_test_button_explains_a_rejected_credential(create_hook, changes, message):
    passed, sentence = create_hook(**changes).test_connection()
    assert not passed
    assert message in sentence


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extra": KEY}, "fill in api_key, password or bearer_token"),
        ({"password": "admin"}, "api_key and password are given"),
        ({"extra": {"bearer_token": BEARER_TOKEN}}, "api_key and bearer_token are given"),
        ({"login": None}, "login is missing: enter the user of the API key"),
        ({**PASSWORD, "login": " "}, "login is missing: enter the user of the password"),
        ({"extra": {"api_key": "sandbox-secret"}}, "name:secret"),
        ({"extra": {**KEY, "bearer_token": "Bearer abc"}}, "must be a JWT"),
    ],
)
def test_an_invalid_credential_is_rejected_without_showing_its_value(create_hook, changes, message):
    passed, sentence = create_hook(**changes).test_connection()
    assert not passed
    assert message in sentence
    assert "connection 'changed'" in sentence
    assert "sandbox-secret" not in sentence
    assert "abc" not in sentence


def test_spaces_around_an_api_key_are_removed(create_hook):
    assert create_hook(extra={"api_key": " sandbox:sandbox-secret\n"}).test_connection()[0]


def test_an_api_key_is_sent_without_an_authorization_header(create_hook):
    auth = create_hook().auth(create_hook().settings)
    assert set(auth.headers) == {"X-User", "X-Apikey"}


def test_one_login_serves_many_threads(served, create_hook):
    hook = create_hook(**PASSWORD)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: hook.get_configuration(), range(8)))
    assert len(served.tables()["sessions"]) == 1


def test_an_expired_session_is_renewed_once(served, create_hook):
    hook = create_hook(**PASSWORD)
    hook.get_configuration()
    served.end_sessions()
    assert hook.search_submissions("*") == []
    assert len(served.tables()["sessions"]) == 1


@pytest.mark.parametrize(
    "message",
    [
        "Session not found",
        "Session expired",
        "Invalid session",
        "Invalid source IP for this session",
        "Invalid user agent for this session",
    ],
)
def test_every_expired_session_is_renewed_by_one_login(served, create_hook, run_flow, message):
    hook = create_hook(**PASSWORD)
    run_flow(hook, server.get_configuration())
    before = served.product.authentication.login_count
    served.fail("status", path="/api/v4/search/.*", **rejection(message))
    assert run_flow(hook, submissions.search("*")) == []
    assert served.product.authentication.login_count <= before + 2  # each run of a trigger signs in


def test_an_upload_after_an_expired_session_makes_one_submission(served, create_hook):
    hook = create_hook(**PASSWORD)
    hook.get_configuration()
    served.end_sessions()
    assert hook.submit(upload("a"), {})["state"] == "submitted"
    assert len(served.tables()["submissions"]) == 1


@pytest.mark.parametrize(
    "message", ["Invalid user or APIKey", "This owner of this API Key is not active.", "APIKey login is disabled"]
)
def test_a_rejected_api_key_is_sent_once(served, create_hook, message):
    served.fail("status", path="/api/v4/.*", **rejection(message))
    with pytest.raises(AuthenticationError, match=message):
        create_hook().get_configuration()
    assert create_hook().get_configuration()


def rejection(message):
    """Return the arguments of a fault with status 401."""
    envelope = {"api_error_message": message, "api_response": {}, "api_status_code": 401}
    return {"status": 401, "body": json.dumps(envelope), "headers": {"content-type": "application/json"}}


def test_a_rejected_password_is_sent_once(served, create_hook):
    with pytest.raises(AuthenticationError):
        create_hook(**{**PASSWORD, "password": "wrong"}).get_configuration()
    assert served.product.authentication.login_count == 1


def test_an_expired_session_is_renewed_in_a_trigger(served, create_hook):
    async def run_flows():
        async with create_hook(**PASSWORD).async_client() as client:
            await client(server.get_configuration())
            await asyncio.to_thread(served.end_sessions)
            return await client(submissions.search("*"))

    assert asyncio.run(run_flows()) == []


def test_only_submitting_requires_the_role_submission_create(create_hook):
    hook = create_hook(extra={"api_key": "readonly:readonly-secret"})
    assert hook.search_submissions("*") == []
    with pytest.raises(PermissionDeniedError, match="submission_create"):
        hook.submit(Upload("a", lambda: io.BytesIO(b"a"), 1), {})


def test_hook_methods_keep_signature_and_docstring():
    signature = inspect.signature(AssemblylineHook.get_submissions)
    assert list(signature.parameters) == ["self", "sids"]
    assert "by one search" in (AssemblylineHook.get_submissions.__doc__ or "")
