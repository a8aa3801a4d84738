"""Signing in, over a real socket."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode

import pytest

from self_hosted.atrocore import api
from self_hosted.atrocore.hook import AtrocoreAuth, AtrocoreHook
from self_hosted.core.errors import Busy, Forbidden, LoginRefused, NotFound, Uncertain
from self_hosted.core.flow import Request

USER, PASSWORD = "airflow", "sandbox-password"
READY = b64encode(f"{USER}:a-ready-token".encode()).decode()
VERSIONS = {"2.3": "2.3.16", "1.x-2.2": "2.2.31", "espo": "of unknown version"}


def tokens(served):
    return sum(row["tokens"] for row in served.tables()["tokens"])


@pytest.fixture
def masked(monkeypatch):
    """What was given to Airflow to be hidden."""
    secrets: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", lambda secret, name=None: secrets.append(secret))
    return secrets


def test_every_dialect_is_found_out_and_named(hook, dialect):
    accepted, words = hook.test_connection()
    assert accepted
    assert words == f"Signed in as airflow at AtroCore {VERSIONS[dialect]}, which speaks the dialect {dialect}"


@pytest.mark.parametrize("core", ["1.2.0", "1.3.11", "1.10.0", "2.0.28", "2.3.0"])
def test_cores_between_are_found_out_too(served, hook, core):
    served.seed({"core": core})
    assert hook.records("Product") == []


def test_the_connection_may_prescribe_the_dialect(hook_as, dialect):
    assert hook_as(extra={"dialect": dialect}).session()["user"]["userName"] == USER
    assert AtrocoreAuth.detected == {}


def test_a_dialect_that_is_prescribed_wrongly_is_an_error(served, hook_as):
    served.seed({"dialect": "1.x-2.2"})
    with pytest.raises(NotFound, match="check the base URL and the dialect"):
        hook_as(extra={"dialect": "2.3"}).session()


def test_a_server_that_hides_its_description_is_found_out_all_the_same(served, hook):
    served.fail("status", path="/openapi.json", status=403)
    assert hook.records("Product") == []
    assert [dialect.name for dialect in AtrocoreAuth.detected.values()] == ["2.3"]


def test_the_dialect_is_found_out_once_per_process(served, hook, hook_as):
    hook.session()
    served.fail("status", path="/openapi.json", status=503, times=9)
    assert hook_as(extra={"retry_budget": 0}).session()["user"]["userName"] == USER
    AtrocoreAuth.detected.clear()
    with pytest.raises(Busy):
        hook_as(extra={"retry_budget": 0}).session()


def test_an_updated_server_is_found_out_anew(served, hook, connect):
    served.seed({"dialect": "1.x-2.2"})
    hook.session()
    served.seed({"dialect": "2.3"})
    assert AtrocoreHook(connect("atrocore_second", served.connection())).session()["user"]["userName"] == USER
    assert [dialect.name for dialect in AtrocoreAuth.detected.values()] == ["2.3"]


def test_one_login_serves_all_threads(served, hook, dialect):
    failures = []

    def work():
        try:
            for _ in range(5):
                hook.records("Product")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert tokens(served) == 1


def test_one_login_serves_all_that_a_trigger_asks(served, hook, dialect):
    async def ask_a_lot():
        async with hook.asking() as ask:
            await asyncio.gather(*(ask(api.records("Product")) for _ in range(8)))

    asyncio.run(ask_a_lot())
    assert tokens(served) == 1


def test_a_session_that_ended_is_renewed_once(served, hook, dialect):
    hook.records("Product")
    served.end_sessions()
    assert hook.records("Product") == []
    assert tokens(served) == 1


def test_a_refused_login_is_never_repeated(served, hook_as, dialect):
    hook = hook_as(password="wrong-password")
    for _ in range(20):
        with pytest.raises(LoginRefused):
            hook.session()
    # ten denied logins within a minute would have locked us out
    assert hook_as().session()["user"]["userName"] == USER


def test_the_lock_out_is_told_in_the_servers_words(served, hook_as):
    for _ in range(11):
        with pytest.raises(LoginRefused):
            hook_as(password="wrong-password").session()
    accepted, words = hook_as(password="wrong-password").test_connection()
    assert not accepted
    assert "Max failed login attempts exceeded." in words
    with pytest.raises(Forbidden):
        hook_as().session()


def test_a_ready_token_is_used_as_it_is(served, hook_as, dialect):
    served.seed({"token": "a-ready-token"})
    hook = hook_as(login=None, password=None, extra={"authorization_token": READY})
    assert hook.test_connection()[0]
    assert hook.records("Product") == []
    assert tokens(served) == 1


def test_a_ready_token_that_is_over_is_told_clearly(served, hook_as, dialect):
    served.seed({"token": "a-ready-token"})
    hook = hook_as(login=None, password=None, extra={"authorization_token": READY})
    hook.records("Product")
    served.end_sessions()
    with pytest.raises(LoginRefused, match="the authorization token is not, or no longer, accepted"):
        hook.records("Product")


def test_a_login_whose_answer_was_lost_is_repeated(served, hook):
    served.fail("drop", path="/api/userSession")
    assert hook.records("Product") == []


def test_a_server_in_the_middle_of_an_update_is_waited_for(served, hook):
    hook.session()
    served.fail("status", path="/api/Product", status=503)
    assert hook.records("Product") == []


def test_without_patience_an_update_is_told(served, hook_as):
    hook = hook_as(extra={"retry_budget": 0})
    hook.session()
    served.fail("status", path="/api/Product", status=503)
    with pytest.raises(Busy, match="the server is being updated"):
        hook.records("Product")


def test_without_patience_a_lost_answer_is_uncertain(served, hook_as):
    hook = hook_as(extra={"retry_budget": 0})
    hook.session()
    served.fail("drop", path="/api/Product")
    with pytest.raises(Uncertain):
        hook.records("Product")


@pytest.mark.parametrize(
    "changes",
    [
        {"login": None, "password": None},
        {"login": None},
        {"password": None},
        {"extra": {"authorization_token": READY}},
    ],
)
def test_a_missing_or_contradicting_credential_is_named(hook_as, changes):
    accepted, words = hook_as(**changes).test_connection()
    assert not accepted
    assert "connection 'atrocore_other': give user (login) and password, or an authorization_token" in words


def test_password_encoded_password_and_token_are_hidden(served, hook_as, dialect, masked):
    hook = hook_as()
    hook.session()
    assert b64encode(f"{USER}:{PASSWORD}".encode()).decode() in masked
    session = next(iter(hook._auth._session.values()))
    assert session in masked


def test_neither_language_nor_switches_are_taken_for_secrets(served, hook_as, masked):
    served.seed({"dialect": "espo"})
    hook_as(extra={"language": "de_DE"}).session()
    assert not {"de_DE", "true"}.intersection(text for text in masked if isinstance(text, str))


def test_the_content_language_goes_with_every_request(hook_as, dialect):
    hook = hook_as(extra={"language": "de_DE"})
    hook.session()
    flow = hook._auth.send(Request("GET", "/api/Product/1"))
    assert next(flow).headers["language"] == "de_DE"
    flow.close()


def test_a_base_url_without_atrocore_is_told(served, hook_as):
    accepted, words = hook_as(host=f"{served.base_url}/elsewhere").test_connection()
    assert not accepted
    assert "check the base URL" in words
