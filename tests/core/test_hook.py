"""From a connection to a hook, and flows as its methods."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import log
from airflow.sdk._shared.secrets_masker import redact

from self_hosted.core import hook as hooks
from self_hosted.core.flow import Flow
from self_hosted.core.hook import ProductHook, published
from tests.core.toy import FORM, Toy, ToyHook, bricks

# published flows


def test_a_published_flow_runs_and_returns_its_result(hook: ToyHook):
    assert hook.bricks("bo", limit=5) == {"red": 2, "blue": 3}


def test_its_parameters_are_those_of_the_flow_and_its_result_is_no_generator():
    signature = inspect.signature(ToyHook.bricks)
    assert str(signature) == "(self, user: 'str', limit: 'int' = 10) -> dict[str, int]"
    assert str(inspect.signature(ToyHook("toy").bricks)) == "(user: 'str', limit: 'int' = 10) -> dict[str, int]"


def test_help_shows_name_result_and_docstring():
    words = pydoc.plain(pydoc.render_doc(ToyHook.bricks))
    assert "bricks(self, user: 'str', limit: 'int' = 10) -> dict[str, int]" in words
    assert "The bricks of a user." in words
    assert ":param user: whose" in words
    assert "Generator" not in words


def test_the_help_of_the_hook_lists_it():
    assert "bricks(self, user: 'str', limit: 'int' = 10) -> dict[str, int]" in pydoc.plain(pydoc.render_doc(ToyHook))


def test_the_method_leads_back_to_the_flow():
    assert inspect.unwrap(ToyHook.bricks) is bricks


def test_wrong_arguments_are_told_as_those_of_the_flow(hook: ToyHook):
    with pytest.raises(TypeError, match=r"bricks\(\) missing 1 required positional argument: 'user'"):
        hook.bricks()  # type: ignore[call-arg]


def test_a_flow_without_result_is_published_too():
    def done(what: str) -> Flow[None]:
        """Do it."""
        return
        yield

    assert inspect.signature(published(done)).return_annotation is type(None)


# what Airflow looks for in a hook class


def test_names_follow_from_the_form():
    assert (ToyHook.hook_name, ToyHook.conn_type) == ("Toy", "toy")
    assert (ToyHook.conn_name_attr, ToyHook.default_conn_name) == ("toy_conn_id", "toy_default")


def test_the_parameter_of_the_constructor_is_the_one_that_airflow_is_told():
    hook: Any = ToyHook(**{ToyHook.conn_name_attr: "other_toy"})
    assert hook.conn_id == "other_toy"


def test_a_product_must_fill_the_holes():
    class Hollow(ProductHook):
        form = FORM

    hook: Any = Hollow("toy_default")
    for hole in (hook.auth, hook.error_of):
        with pytest.raises(NotImplementedError):
            hole(None)
    with pytest.raises(NotImplementedError):
        hook.signed_in()


@pytest.mark.parametrize(("version", "asks_the_hook"), [("3.1.8", True), ("3.2.0", False), ("3.10.0", False)])
def test_only_airflow_3_1_finds_the_form_at_the_hook_itself(monkeypatch, version, asks_the_hook):
    monkeypatch.setattr(hooks, "airflow_version", version)

    class Shown(ToyHook):
        pass

    assert ("get_ui_field_behaviour" in vars(Shown)) is asks_the_hook
    assert ("get_connection_form_widgets" in vars(Shown)) is asks_the_hook
    if asks_the_hook:
        assert Shown.get_ui_field_behaviour() == {
            "hidden_fields": ["schema"],
            "relabeling": {"host": "Base URL"},
            "placeholders": {"host": "https://toy.example.com"},
        }


# connections


def test_a_connection_is_not_looked_up_before_something_is_asked():
    assert ToyHook("nowhere").conn_id == "nowhere"


def test_a_missing_connection_is_airflows_own_error(ask):
    hook = ToyHook("nowhere")
    with pytest.raises(AirflowNotFoundException, match="nowhere"):
        ask(hook, hook.signed_in())


def test_a_missing_credential_is_said_in_one_sentence(served, connect, ask):
    hook = ToyHook(connect("toy_default", served.connection(login=None, password=None)))
    with pytest.raises(ValueError, match="the connection needs an API key, or a user and a password"):
        ask(hook, hook.signed_in())


def test_secrets_among_the_extras_are_masked(served, connect, ask, request):
    secret = f"key-of-{request.node.callspec.id}-in-this-test"
    proxy = f"http://user:{secret}-too@127.0.0.1:9"
    hook = ToyHook(connect("toy_default", served.connection(extra={"api_key": secret, "proxy": proxy})))
    with pytest.raises(Exception, match="cannot reach"):
        ask(hook, hook.signed_in())
    assert redact(f"it says {secret} and {proxy}") == "it says *** and ***"


async def test_a_session_is_masked_in_a_trigger_of_every_airflow(hook: ToyHook, toy: Toy, monkeypatch):
    async with hook.asking() as ask:
        monkeypatch.delattr(log, "amask_secret", raising=False)  # as in Airflow 3.1
        await ask(hook.signed_in())
    [session] = toy.sessions
    assert redact(f"it says {session}") == "it says ***"


async def test_a_trigger_looks_the_connection_up_without_blocking(hook: ToyHook):
    class Async(ToyHook):
        @classmethod
        def get_connection(cls, conn_id: str) -> Any:
            raise RuntimeError("this would block the event loop")

    async with Async(hook.conn_id).asking() as ask:
        assert await ask(hook.signed_in()) == "Signed in as bo."


async def test_a_trigger_signs_in_once_for_all_it_asks(hook: ToyHook, toy):
    async with hook.asking() as ask:
        await ask(hook.signed_in())
        await ask(bricks("bo"))
    assert toy.times("POST", "/login") == 1


# the Test button


def test_a_good_connection_is_good_and_says_as_whom(hook: ToyHook):
    assert hook.test_connection() == (True, "Signed in as bo.")


def test_a_wrong_credential_is_not_good(served, connect):
    hook = ToyHook(connect("toy_default", served.connection(password="wrong")))
    assert hook.test_connection() == (False, "POST /login: wrong user or password (HTTP 401)")


def test_a_wrong_address_is_not_good_and_is_not_waited_for(served, connect, toy):
    hook = ToyHook(connect("toy_default", served.connection(host=f"{served.base_url}/nowhere")))
    good, words = hook.test_connection()
    assert not good
    assert "POST /login" in words
    assert "HTTP 404" in words


def test_a_server_that_is_away_is_told_after_one_attempt(served, connect):
    connection = served.connection(host="http://127.0.0.1:9", extra={"retry_budget": 600})
    good, words = ToyHook(connect("toy_default", connection)).test_connection()
    assert not good
    assert "cannot reach the server" in words


def test_a_missing_field_is_named(served, connect):
    hook = ToyHook(connect("toy_default", served.connection(host=None)))
    assert hook.test_connection() == (
        False,
        "connection 'toy_default': the base URL (host) is missing; an example is https://server.example.com",
    )
