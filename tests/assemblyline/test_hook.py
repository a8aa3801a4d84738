"""How one signs in, against the stand-in."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import io
import json

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Forbidden, LoginRefused
from self_hosted.core.flow import Upload
from self_hosted.sandbox.assemblyline.access import BEARER_TOKEN
from tests.assemblyline.conftest import upload

KEY = {"api_key": None}
PASSWORD = {"login": "admin", "password": "admin", "extra": KEY}
TOKEN = {"login": None, "extra": {**KEY, "bearer_token": BEARER_TOKEN}}


@pytest.fixture
def signed_in(served, connect):
    """``signed_in(password="admin", ...)``: a hook on the stand-in's connection, changed."""
    return lambda **changes: AssemblylineHook(connect("changed", served.connection(**changes)))


@pytest.mark.parametrize("changes", [{}, PASSWORD, TOKEN], ids=["key", "password", "token"])
def test_the_test_button_names_version_user_and_roles(signed_in, changes):
    sentence = "Signed in to Assemblyline 4.7.4.25 as admin, with the roles to submit and to read results"
    assert signed_in(**changes).test_connection() == (True, sentence)


@pytest.mark.parametrize("changes", [{}, PASSWORD, TOKEN], ids=["key", "password", "token"])
def test_every_way_of_signing_in_works_in_worker_and_trigger(signed_in, ask, changes):
    hook = signed_in(**changes)
    assert ask(hook, api.search_submissions("*")) == []


def test_the_test_button_names_a_missing_role(signed_in):
    passed, sentence = signed_in(extra={"api_key": "readonly:readonly-secret"}).test_connection()
    assert not passed
    assert "lacks the role submission_create (to submit)" in sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extra": {"api_key": "sandbox:wrong"}}, "Invalid user or APIKey"),
        ({**PASSWORD, "password": "wrong"}, "Wrong username or password"),
        ({"login": None, "extra": {**KEY, "bearer_token": "a.b.c"}}, "oAuth login is disabled"),
    ],
)
def test_the_test_button_says_why_a_credential_is_refused(signed_in, changes, words):
    passed, sentence = signed_in(**changes).test_connection()
    assert not passed
    assert words in sentence


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extra": KEY}, "fill in api_key, password or bearer_token"),
        ({"password": "admin"}, "api_key and password are given"),
        ({"extra": {"bearer_token": BEARER_TOKEN}}, "api_key and bearer_token are given"),
        ({"login": None}, "login is missing: the user whose API key it is"),
        ({**PASSWORD, "login": " "}, "login is missing: the user whose password it is"),
        ({"extra": {"api_key": "sandbox-secret"}}, "name:secret"),
        ({"extra": {**KEY, "bearer_token": "Bearer abc"}}, "must be a JWT"),
    ],
)
def test_a_credential_that_cannot_be_right_is_refused_in_one_sentence_without_its_value(signed_in, changes, words):
    passed, sentence = signed_in(**changes).test_connection()
    assert not passed
    assert words in sentence
    assert "connection 'changed'" in sentence
    assert "sandbox-secret" not in sentence
    assert "abc" not in sentence


def test_blanks_around_a_pasted_key_do_no_harm(signed_in):
    assert signed_in(extra={"api_key": " sandbox:sandbox-secret\n"}).test_connection()[0]


def test_a_key_is_never_sent_beside_an_authorization_header(signed_in):
    auth = signed_in().auth(signed_in().settings)
    assert set(auth.headers) == {"X-User", "X-Apikey"}


def test_one_login_serves_many_threads(served, signed_in):
    hook = signed_in(**PASSWORD)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: hook.configuration(), range(8)))
    assert len(served.tables()["sessions"]) == 1


def test_a_session_that_ended_is_renewed_once(served, signed_in):
    hook = signed_in(**PASSWORD)
    hook.configuration()
    served.end_sessions()
    assert hook.search_submissions("*") == []
    assert len(served.tables()["sessions"]) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Session not found",
        "Session expired",
        "Invalid session",
        "Invalid source IP for this session",
        "Invalid user agent for this session",
    ],
)
def test_whatever_ended_the_session_one_login_more_goes_on(served, signed_in, ask, words):
    hook = signed_in(**PASSWORD)
    ask(hook, api.configuration())
    before = served.product.access.logins
    served.fail("status", path="/api/v4/search/.*", **refusal(words))
    assert ask(hook, api.search_submissions("*")) == []
    assert served.product.access.logins <= before + 2  # a trigger signs in anew for each time it asks


def test_a_session_that_ended_before_an_upload_makes_one_submission(served, signed_in):
    hook = signed_in(**PASSWORD)
    hook.configuration()
    served.end_sessions()
    assert hook.submit(upload("a"), {})["state"] == "submitted"
    assert len(served.tables()["submissions"]) == 1


@pytest.mark.parametrize(
    "words", ["Invalid user or APIKey", "This owner of this API Key is not active.", "APIKey login is disabled"]
)
def test_an_api_key_that_is_refused_is_sent_once(served, signed_in, words):
    served.fail("status", path="/api/v4/.*", **refusal(words))
    with pytest.raises(LoginRefused, match=words):
        signed_in().configuration()
    assert signed_in().configuration()


def refusal(words):
    """An answer with the status 401, as a fault has it."""
    envelope = {"api_error_message": words, "api_response": {}, "api_status_code": 401}
    return {"status": 401, "body": json.dumps(envelope), "headers": {"content-type": "application/json"}}


def test_a_refused_password_is_tried_once_only(served, signed_in):
    with pytest.raises(LoginRefused):
        signed_in(**{**PASSWORD, "password": "wrong"}).configuration()
    assert served.product.access.logins == 1


def test_the_session_is_renewed_in_a_trigger_too(served, signed_in):
    async def asked():
        async with signed_in(**PASSWORD).asking() as ask:
            await ask(api.configuration())
            await asyncio.to_thread(served.end_sessions)
            return await ask(api.search_submissions("*"))

    assert asyncio.run(asked()) == []


def test_reading_needs_no_right_to_submit_and_submitting_does(signed_in):
    hook = signed_in(extra={"api_key": "readonly:readonly-secret"})
    assert hook.search_submissions("*") == []
    with pytest.raises(Forbidden, match="submission_create"):
        hook.submit(Upload("a", lambda: io.BytesIO(b"a"), 1), {})


def test_published_flows_keep_signature_and_docstring():
    signature = inspect.signature(AssemblylineHook.submissions)
    assert list(signature.parameters) == ["self", "sids"]
    assert "by one search" in (AssemblylineHook.submissions.__doc__ or "")
