"""Tests of ayon/hook.py: credentials, senders, and the methods."""

from __future__ import annotations

import asyncio
import re

import pytest

from self_hosted.ayon.hook import AyonHook
from self_hosted.core.http.errors import AuthenticationError, OutcomeUnknownError
from self_hosted.core.http.flow import Request
from self_hosted.sandbox.ayon import API_KEY, PASSWORD


def create_hook(served, connect, *, login=None, password=None, **extra) -> AyonHook:
    extra = {"api_key": None if password else API_KEY, **extra}
    return AyonHook(connect("ayon_default", served.connection(login=login, password=password, extra=extra)))


def test_an_api_key_signs_in(hook):
    assert hook.test_connection() == (True, "Signed in to AYON 1.16.0 as airflow")


def test_a_password_signs_in_with_a_warning_that_the_user_is_no_service_user(served, connect):
    is_accepted, message = create_hook(served, connect, login="boss", password=PASSWORD).test_connection()
    assert is_accepted
    assert re.fullmatch(r"Signed in to AYON 1.16.0 as boss; warning: this is not a service user.*", message)


def test_a_service_user_acts_as_another(served, connect):
    hook = create_hook(served, connect, as_user="boss")
    assert hook.get_current_user()["name"] == "boss"
    assert hook.test_connection() == (True, "Signed in to AYON 1.16.0 as airflow, acting as boss")


def test_acting_as_an_unknown_user_is_an_error_of_the_connection(served, connect):
    with pytest.raises(ValueError, match="as_user must be an existing user of AYON, not 'ghost'"):
        create_hook(served, connect, as_user="ghost").list_projects()


def test_only_a_service_user_can_act_as_another(served, connect):
    served.seed({"users": [{"name": "lead", "data": {"isManager": True}, "apiKey": "lead-key"}]})
    with pytest.raises(ValueError, match="'lead' is not a service user"):
        create_hook(served, connect, api_key="lead-key", as_user="anna").list_projects()


def test_acting_as_another_is_checked_once_per_hook(served, connect):
    hook = create_hook(served, connect, as_user="boss")
    hook.get_current_user()
    served.fail("status", path="/api/users/boss", times=100)
    assert hook.get_current_user()["name"] == "boss"


def test_an_invalid_key_has_the_same_error_each_time(served, connect):
    hook = create_hook(served, connect, api_key="bad")
    for _ in range(2):
        with pytest.raises(AuthenticationError, match="Invalid API key"):
            hook.get_current_user()


def test_a_rejected_login_is_not_repeated(served, connect):
    hook = create_hook(served, connect, login="anna", password="wrong")
    with pytest.raises(AuthenticationError, match="Invalid login/password combination"):
        hook.get_current_user()
    assert served.product.state.failed_logins == 1


def test_a_service_user_cannot_log_in_with_a_password(served, connect):
    is_accepted, message = create_hook(served, connect, login="airflow", password="x").test_connection()
    assert (is_accepted, "Service users cannot log in" in message) == (False, True)


def test_an_expired_session_is_renewed_once(served, connect):
    hook = create_hook(served, connect, login="boss", password=PASSWORD)
    hook.get_current_user()
    served.end_sessions()
    assert hook.get_current_user()["name"] == "boss"
    assert len(served.product.state.sessions) == 1


def test_a_trigger_signs_in(served, connect):
    hook = create_hook(served, connect, login="boss", password=PASSWORD)

    async def verify():
        async with hook.async_client() as client:
            return await client(hook.verify_credentials())

    assert "as boss" in asyncio.run(verify())


def test_events_contain_the_sender_of_the_connection_or_of_the_request(served, connect):
    create_hook(served, connect, sender="nightly.sync").create_project({"name": "a", "code": "a"}, sender="one.task")
    create_hook(served, connect, sender="nightly.sync").update_project("a", {"label": "A"})
    (event, first) = served.tables()["events"]
    assert (first["sender"], first["senderType"]) == ("one.task", "airflow")
    assert (event["sender"], event["senderType"]) == ("nightly.sync", "airflow")


def test_the_default_sender_is_airflow_and_a_creation_appends_a_random_word(served, hook):
    hook.create_project({"name": "a", "code": "a"})
    hook.update_project("a", {"label": "A"})
    update, creation = (event["sender"] for event in served.tables()["events"])
    assert update == "airflow"
    assert re.fullmatch(r"airflow\.[0-9a-f]{32}", creation)


def test_a_read_is_retried_during_an_outage(served, hook):
    served.fail("status", status=500, body="Internal Server Error", headers={"content-type": "text/plain"}, times=2)
    assert hook.get_current_user()["name"] == "airflow"


def test_a_longer_outage_is_an_error(served, connect):
    hook = create_hook(served, connect, retry_timeout=0)
    served.fail("status", status=500, body="Internal Server Error", headers={"content-type": "text/plain"})
    with pytest.raises(OutcomeUnknownError, match="the server is failing"):
        hook.get_current_user()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"api_key": None}, "the credential is missing"),
        ({"api_key": None, "login": "boss"}, "the credential is missing"),
        ({"api_key": "k", "login": "boss", "password": "x"}, "not both"),
        ({"login": "boss", "password": "x", "as_user": "anna"}, "as_user requires the api_key"),
        ({"as_user": "a b"}, "as_user must be"),
        ({"sender": "has space"}, "sender must be"),
        ({"sender": "dot."}, "sender must be"),
        ({"site_id": "Upper"}, "site_id must be"),
    ],
)
def test_the_error_names_the_connection_and_the_invalid_field(served, connect, fields, message):
    is_accepted, error = create_hook(served, connect, **fields).test_connection()
    assert not is_accepted
    assert re.search(message, error)
    assert "connection 'ayon_default'" in error


def test_an_invalid_key_is_not_shown(served, connect):
    is_accepted, error = create_hook(served, connect, api_key="secret key").test_connection()
    assert not is_accepted
    assert "api_key must be printable" in error
    assert "secret" not in error


def test_requests_contain_the_site_id(served, connect):
    hook = create_hook(served, connect, site_id="my-site")
    request = next(hook.auth(hook.settings).send(Request("GET", "/")))
    assert isinstance(request, Request)
    assert request.headers["x-ayon-site-id"] == "my-site"


def test_methods_run_flows(served, hook):
    served.seed({"presets": {"film": {"tags": [{"name": "hero"}]}}, "projects": [{"name": "alpha", "code": "alp"}]})
    assert hook.list_anatomy_presets() == ["film"]
    assert hook.get_anatomy_preset("film")["tags"][0]["name"] == "hero"
    assert hook.list_access_groups() == ["artist", "freelancer", "supervisor"]
    assert len(hook.list_attributes()) == 30
    assert hook.get_server_info()["version"] == "1.16.0"
    assert hook.get_user("anna")["attrib"] == {"fullName": "Anna Artist"}
    assert [project["name"] for project in hook.list_projects()] == ["alpha"]
    assert hook.get_project("ALPHA")["code"] == "alp"
    hook.set_project_user("alpha", "anna", ["freelancer"])
    assert hook.get_project_users("alpha") == {"anna": ["freelancer"]}
