"""The sign-in, over a real socket."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode

import pytest

from self_hosted.atrocore.api import records
from self_hosted.atrocore.hook import AtrocoreAuth, AtrocoreHook
from self_hosted.core.http.errors import (
    AuthenticationError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    UnavailableError,
)
from self_hosted.core.http.flow import Request

USER, PASSWORD = "airflow", "sandbox-password"
EXISTING_TOKEN = b64encode(f"{USER}:an-existing-token".encode()).decode()
VERSIONS = {"2.3": "2.3.16", "1.x-2.2": "2.2.31", "espo": "of unknown version"}


def count_tokens(served):
    return sum(row["tokens"] for row in served.tables()["tokens"])


@pytest.fixture
def masked(monkeypatch):
    """Return the list of secrets that are passed to Airflow's mask."""
    secrets: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", lambda secret, name=None: secrets.append(secret))
    return secrets


# dialects


def test_every_dialect_is_detected_and_named(hook, dialect):
    accepted, message = hook.test_connection()
    assert accepted
    assert message == f"Signed in as airflow at AtroCore {VERSIONS[dialect]}, API dialect {dialect}"


@pytest.mark.parametrize("core", ["1.2.0", "1.3.11", "1.10.0", "2.0.28", "2.3.0"])
def test_the_dialect_of_every_core_is_detected(served, hook, core):
    served.seed({"core": core})
    assert hook.list_records("Product") == []


def test_a_configured_dialect_is_not_detected(hook_as, dialect):
    assert hook_as(extra={"dialect": dialect}).get_session()["user"]["userName"] == USER
    assert AtrocoreAuth.detected_dialects == {}


def test_a_wrong_configured_dialect_is_an_error(served, hook_as):
    served.seed({"dialect": "1.x-2.2"})
    with pytest.raises(NotFoundError, match="check the base URL and the dialect"):
        hook_as(extra={"dialect": "2.3"}).get_session()


def test_the_dialect_is_detected_if_the_openapi_document_is_hidden(served, hook):
    served.fail("status", path="/openapi.json", status=403)
    assert hook.list_records("Product") == []
    assert [dialect.name for dialect in AtrocoreAuth.detected_dialects.values()] == ["2.3"]


def test_the_dialect_is_detected_once_per_process(served, hook, hook_as):
    hook.get_session()
    served.fail("status", path="/openapi.json", status=503, times=9)
    assert hook_as(extra={"retry_timeout": 0}).get_session()["user"]["userName"] == USER
    AtrocoreAuth.detected_dialects.clear()
    with pytest.raises(UnavailableError):
        hook_as(extra={"retry_timeout": 0}).get_session()


def test_after_an_update_of_the_server_the_dialect_is_detected_again(served, hook, connect):
    served.seed({"dialect": "1.x-2.2"})
    hook.get_session()
    served.seed({"dialect": "2.3"})
    second = AtrocoreHook(connect("atrocore_second", served.connection()))
    assert second.get_session()["user"]["userName"] == USER
    assert [dialect.name for dialect in AtrocoreAuth.detected_dialects.values()] == ["2.3"]


# login


def test_threads_share_one_login(served, hook, dialect):
    errors = []

    def work():
        try:
            for _ in range(5):
                hook.list_records("Product")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert count_tokens(served) == 1


def test_the_flows_of_a_trigger_share_one_login(served, hook, dialect):
    async def run_many():
        async with hook.async_client() as client:
            await asyncio.gather(*(client(records.list_all("Product")) for _ in range(8)))

    asyncio.run(run_many())
    assert count_tokens(served) == 1


def test_an_expired_session_is_renewed_once(served, hook, dialect):
    hook.list_records("Product")
    served.end_sessions()
    assert hook.list_records("Product") == []
    assert count_tokens(served) == 1


def test_a_rejected_login_is_never_repeated(served, hook_as, dialect):
    hook = hook_as(password="wrong-password")
    for _ in range(20):
        with pytest.raises(AuthenticationError):
            hook.get_session()
    # ten failed logins within a minute would have locked the address out
    assert hook_as().get_session()["user"]["userName"] == USER


def test_a_lockout_is_reported_in_the_servers_words(served, hook_as):
    for _ in range(11):
        with pytest.raises(AuthenticationError):
            hook_as(password="wrong-password").get_session()
    accepted, message = hook_as(password="wrong-password").test_connection()
    assert not accepted
    assert "Max failed login attempts exceeded." in message
    with pytest.raises(PermissionDeniedError):
        hook_as().get_session()


def test_an_existing_token_is_used_unchanged(served, hook_as, dialect):
    served.seed({"token": "an-existing-token"})
    hook = hook_as(login=None, password=None, extra={"authorization_token": EXISTING_TOKEN})
    assert hook.test_connection()[0]
    assert hook.list_records("Product") == []
    assert count_tokens(served) == 1


def test_an_expired_existing_token_is_a_clear_error(served, hook_as, dialect):
    served.seed({"token": "an-existing-token"})
    hook = hook_as(login=None, password=None, extra={"authorization_token": EXISTING_TOKEN})
    hook.list_records("Product")
    served.end_sessions()
    with pytest.raises(AuthenticationError, match="the authorization token is not, or no longer, accepted"):
        hook.list_records("Product")


def test_a_login_with_a_lost_response_is_repeated(served, hook):
    served.fail("drop", path="/api/userSession")
    assert hook.list_records("Product") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"login": None, "password": None},
        {"login": None},
        {"password": None},
        {"extra": {"authorization_token": EXISTING_TOKEN}},
    ],
)
def test_the_error_about_a_missing_or_second_credential_names_the_fields(hook_as, changes):
    accepted, message = hook_as(**changes).test_connection()
    assert not accepted
    assert "connection 'atrocore_other': give user (login) and password, or an authorization_token" in message


def test_encoded_password_and_token_are_masked(served, hook_as, dialect, masked):
    hook = hook_as()
    hook.get_session()
    assert b64encode(f"{USER}:{PASSWORD}".encode()).decode() in masked
    token = next(iter(hook._auth._session.values()))
    assert token in masked


def test_language_and_booleans_are_not_masked(served, hook_as, masked):
    served.seed({"dialect": "espo"})
    hook_as(extra={"language": "de_DE"}).get_session()
    assert not {"de_DE", "true"}.intersection(text for text in masked if isinstance(text, str))


# requests


@pytest.mark.parametrize(
    ("request_", "language"),
    [
        (Request("GET", "/api/Product/1"), "de_DE"),
        (Request("GET", "/api/Product/1", headers={"language": "fr_FR"}), "fr_FR"),
        (Request("GET", "/api/Product/1", headers={"language": ""}), None),
        (Request("POST", "/api/Product", json={}), None),
        (Request("PATCH", "/api/Product/1", json={}), None),
        (Request("DELETE", "/api/Product/1"), None),
    ],
    ids=["read", "read in another language", "read in the main language", "create", "update", "delete"],
)
def test_the_content_language_is_that_of_reads_unless_a_flow_sets_another(hook_as, dialect, request_, language):
    hook = hook_as(extra={"language": "de_DE"})
    hook.get_session()
    flow = hook._auth.send(request_)
    assert next(flow).headers.get("language") == language
    flow.close()


def test_requests_are_retried_while_the_server_is_updated(served, hook):
    hook.get_session()
    served.fail("status", path="/api/Product", status=503)
    assert hook.list_records("Product") == []


def test_without_retries_an_update_of_the_server_is_an_error(served, hook_as):
    hook = hook_as(extra={"retry_timeout": 0})
    hook.get_session()
    served.fail("status", path="/api/Product", status=503)
    with pytest.raises(UnavailableError, match="the server is being updated"):
        hook.list_records("Product")


def test_without_retries_the_outcome_of_a_lost_response_is_unknown(served, hook_as):
    hook = hook_as(extra={"retry_timeout": 0})
    hook.get_session()
    served.fail("drop", path="/api/Product")
    with pytest.raises(OutcomeUnknownError):
        hook.list_records("Product")


def test_the_error_about_a_wrong_address_names_the_base_url(served, hook_as):
    accepted, message = hook_as(host=f"{served.base_url}/elsewhere").test_connection()
    assert not accepted
    assert "check the base URL" in message
