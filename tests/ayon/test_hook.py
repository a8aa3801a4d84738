"""Signing in, over a real socket."""

from __future__ import annotations

import asyncio
import re

import pytest

from self_hosted.ayon.hook import AyonHook
from self_hosted.core.errors import LoginRefused, Uncertain
from self_hosted.core.flow import Request
from self_hosted.sandbox.ayon.product import API_KEY, PASSWORD


def connected(served, connect, *, login=None, password=None, **extra) -> AyonHook:
    extra = {"api_key": None if password else API_KEY, **extra}
    return AyonHook(connect("ayon_default", served.connection(login=login, password=password, extra=extra)))


def test_an_api_key_signs_in(hook):
    assert hook.test_connection() == (True, "Signed in to AYON 1.16.0 as airflow")


def test_a_password_signs_in_and_the_lack_of_a_service_user_is_told(served, connect):
    done, words = connected(served, connect, login="boss", password=PASSWORD).test_connection()
    assert done
    assert re.fullmatch(r"Signed in to AYON 1.16.0 as boss; warning: .*no service user.*", words)


def test_a_service_user_acts_as_another(served, connect):
    hook = connected(served, connect, as_user="boss")
    assert hook.me()["name"] == "boss"
    assert hook.test_connection() == (True, "Signed in to AYON 1.16.0 as airflow, acting as boss")


def test_acting_as_nobody_is_refused_before_it_looks_like_an_outage(served, connect):
    with pytest.raises(ValueError, match="as_user names 'ghost', whom AYON does not know"):
        connected(served, connect, as_user="ghost").projects()


def test_acting_from_an_ordinary_user_is_refused_instead_of_being_ignored(served, connect):
    served.seed({"users": [{"name": "lead", "data": {"isManager": True}, "apiKey": "lead-key"}]})
    with pytest.raises(ValueError, match="'lead' is none"):
        connected(served, connect, api_key="lead-key", as_user="anna").projects()


def test_acting_is_proven_once_per_hook(served, connect):
    hook = connected(served, connect, as_user="boss")
    hook.me()
    served.fail("status", path="/api/users/boss", times=100)
    assert hook.me()["name"] == "boss"


def test_a_bad_key_is_refused_in_the_same_words_however_often(served, connect):
    hook = connected(served, connect, api_key="bad")
    for _ in range(2):
        with pytest.raises(LoginRefused, match="Invalid API key"):
            hook.me()


def test_a_refused_login_is_not_tried_again(served, connect):
    hook = connected(served, connect, login="anna", password="wrong")
    with pytest.raises(LoginRefused, match="Invalid login/password combination"):
        hook.me()
    assert served.product.studio.failed_logins == 1


def test_a_service_user_is_told_that_passwords_are_not_for_it(served, connect):
    done, words = connected(served, connect, login="airflow", password="x").test_connection()
    assert (done, "Service users cannot log in" in words) == (False, True)


def test_a_session_that_ended_is_renewed_once(served, connect):
    hook = connected(served, connect, login="boss", password=PASSWORD)
    hook.me()
    served.end_sessions()
    assert hook.me()["name"] == "boss"
    assert len(served.product.studio.sessions) == 1


def test_a_trigger_signs_in_too(served, connect):
    hook = connected(served, connect, login="boss", password=PASSWORD)

    async def name():
        async with hook.asking() as ask:
            return await ask(hook.signed_in())

    assert "as boss" in asyncio.run(name())


def test_every_request_says_who_sends_it(served, connect):
    connected(served, connect, sender="nightly.sync").create_project({"name": "a", "code": "a"}, sender="one.task")
    connected(served, connect, sender="nightly.sync").update_project("a", {"label": "A"})
    (event, first) = served.tables()["events"]
    assert (first["sender"], first["senderType"]) == ("one.task", "airflow")
    assert (event["sender"], event["senderType"]) == ("nightly.sync", "airflow")


def test_the_usual_sender_is_airflow_and_a_creation_adds_a_word_of_its_own(served, hook):
    hook.create_project({"name": "a", "code": "a"})
    hook.update_project("a", {"label": "A"})
    change, creation = (event["sender"] for event in served.tables()["events"])
    assert change == "airflow"
    assert re.fullmatch(r"airflow\.[0-9a-f]{32}", creation)


def test_an_outage_is_waited_out_by_reading_again(served, hook):
    served.fail("status", status=500, body="Internal Server Error", headers={"content-type": "text/plain"}, times=2)
    assert hook.me()["name"] == "airflow"


def test_an_outage_that_lasts_is_told(served, connect):
    hook = connected(served, connect, retry_budget=0)
    served.fail("status", status=500, body="Internal Server Error", headers={"content-type": "text/plain"})
    with pytest.raises(Uncertain, match="the server is failing"):
        hook.me()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"api_key": None}, "the credential is missing"),
        ({"api_key": None, "login": "boss"}, "the credential is missing"),
        ({"api_key": "k", "login": "boss", "password": "x"}, "not both"),
        ({"login": "boss", "password": "x", "as_user": "anna"}, "as_user needs the api_key"),
        ({"as_user": "a b"}, "as_user must be"),
        ({"sender": "has space"}, "sender must be"),
        ({"sender": "dot."}, "sender must be"),
        ({"site_id": "Upper"}, "site_id must be"),
    ],
)
def test_a_wrong_connection_is_told_by_its_field(served, connect, fields, words):
    done, told = connected(served, connect, **fields).test_connection()
    assert not done
    assert re.search(words, told)
    assert "connection 'ayon_default'" in told


def test_a_key_of_a_wrong_form_is_not_shown(served, connect):
    done, told = connected(served, connect, api_key="secret key").test_connection()
    assert not done
    assert "api_key must be printable" in told
    assert "secret" not in told


def test_the_site_goes_along(served, connect):
    hook = connected(served, connect, site_id="my-site")
    sent = next(hook.auth(hook.settings).send(Request("GET", "/")))
    assert isinstance(sent, Request)
    assert sent.headers["x-ayon-site-id"] == "my-site"


def test_what_is_published_can_be_asked(served, hook):
    served.seed({"presets": {"film": {"tags": [{"name": "hero"}]}}, "projects": [{"name": "alpha", "code": "alp"}]})
    assert hook.anatomy_presets() == ["film"]
    assert hook.anatomy_preset("film")["tags"][0]["name"] == "hero"
    assert hook.access_groups() == ["artist", "freelancer", "supervisor"]
    assert len(hook.attributes()) == 30
    assert hook.info()["version"] == "1.16.0"
    assert hook.user("anna")["attrib"] == {"fullName": "Anna Artist"}
    assert [one["name"] for one in hook.projects()] == ["alpha"]
    assert hook.project("ALPHA")["code"] == "alp"
    hook.set_project_user("alpha", "anna", ["freelancer"])
    assert hook.project_users("alpha") == {"anna": ["freelancer"]}
