"""Hooks: connections, flows as methods, and the Test button."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import log
from airflow.sdk._shared.secrets_masker import redact

from self_hosted.core.connection import hook as hooks
from self_hosted.core.connection.hook import SelfHostedHook, hook_method
from self_hosted.core.connection.settings import limiter_for
from self_hosted.core.http.flow import Flow
from tests.core.toy import FORM, Toy, ToyHook, count_bricks

# hook methods


def test_a_hook_method_runs_its_flow_and_returns_the_result(hook: ToyHook):
    assert hook.count_bricks("bo", limit=5) == {"red": 2, "blue": 3}


def test_the_signature_has_the_parameters_and_the_result_of_the_flow():
    signature = inspect.signature(ToyHook.count_bricks)
    assert str(signature) == "(self, user: 'str', limit: 'int' = 10) -> dict[str, int]"
    assert str(inspect.signature(ToyHook("toy").count_bricks)) == "(user: 'str', limit: 'int' = 10) -> dict[str, int]"


def render_help(described: object) -> str:
    return pydoc.plain(pydoc.render_doc(described)).replace("'", "")  # Python 3.14 shows types without quotes


def test_help_shows_signature_and_docstring():
    text = render_help(ToyHook.count_bricks)
    assert "count_bricks(self, user: str, limit: int = 10) -> dict[str, int]" in text
    assert "Return the bricks of a user." in text
    assert ":param user: the owner" in text
    assert "Generator" not in text


def test_the_help_of_the_hook_lists_its_methods():
    assert "count_bricks(self, user: str, limit: int = 10) -> dict[str, int]" in render_help(ToyHook)


def test_a_hook_method_unwraps_to_its_flow():
    assert inspect.unwrap(ToyHook.count_bricks) is count_bricks


def test_wrong_arguments_raise_the_type_error_of_the_flow(hook: ToyHook):
    with pytest.raises(TypeError, match=r"count_bricks\(\) missing 1 required positional argument: 'user'"):
        hook.count_bricks()  # type: ignore[call-arg]


def test_a_flow_without_result_can_be_a_hook_method():
    def delete(name: str) -> Flow[None]:
        """Delete a toy."""
        return
        yield

    assert inspect.signature(hook_method(delete)).return_annotation is type(None)


# attributes that Airflow reads


def test_the_names_of_a_hook_come_from_its_form():
    assert (ToyHook.hook_name, ToyHook.conn_type) == ("Toy", "toy")
    assert (ToyHook.conn_name_attr, ToyHook.default_conn_name) == ("toy_conn_id", "toy_default")


def test_the_constructor_has_the_parameter_named_by_conn_name_attr():
    hook: Any = ToyHook(**{ToyHook.conn_name_attr: "other_toy"})
    assert hook.conn_id == "other_toy"


def test_abstract_methods_raise_not_implemented_error():
    class IncompleteHook(SelfHostedHook):
        form = FORM

    hook: Any = IncompleteHook("toy_default")
    for method in (hook.auth, hook.parse_error):
        with pytest.raises(NotImplementedError):
            method(None)
    with pytest.raises(NotImplementedError):
        hook.verify_credentials()


@pytest.mark.parametrize(("version", "has_methods"), [("3.1.8", True), ("3.2.0", False), ("3.10.0", False)])
def test_only_airflow_3_1_reads_the_form_from_the_hook(monkeypatch, version, has_methods):
    monkeypatch.setattr(hooks, "airflow_version", version)

    class VersionedHook(ToyHook):
        pass

    assert ("get_ui_field_behaviour" in vars(VersionedHook)) is has_methods
    assert ("get_connection_form_widgets" in vars(VersionedHook)) is has_methods
    if has_methods:
        assert VersionedHook.get_ui_field_behaviour() == {
            "hidden_fields": ["schema"],
            "relabeling": {"host": "Base URL"},
            "placeholders": {"host": "https://toy.example.com"},
        }


# middleware


def test_each_attempt_of_a_retry_waits_for_the_limiter(make_hook, toy: Toy, served):
    served.fail("drop", path="/whoami", times=1)
    hook = make_hook(max_requests_per_second=1000)
    starts: list[float] = []
    limiter = limiter_for(hook.settings)
    reserve_start = limiter._reserve_start

    def record_start() -> float:
        starts.append(reserve_start())
        return starts[-1]

    limiter._reserve_start = record_start  # type: ignore[method-assign]
    assert hook.count_bricks("bo")
    assert len(starts) == toy.count_requests("GET", "/whoami") == 2


# connections


def test_a_hook_does_not_read_its_connection_before_the_first_use():
    assert ToyHook("nowhere").conn_id == "nowhere"


def test_a_missing_connection_raises_the_error_of_airflow(run_flow):
    hook = ToyHook("nowhere")
    with pytest.raises(AirflowNotFoundException, match="nowhere"):
        run_flow(hook, hook.verify_credentials())


def test_a_missing_credential_is_an_error(served, connect, run_flow):
    hook = ToyHook(connect("toy_default", served.connection(login=None, password=None)))
    with pytest.raises(ValueError, match="the connection needs an API key, or a user and a password"):
        run_flow(hook, hook.verify_credentials())


def test_secret_extra_fields_are_masked(served, connect, run_flow, request):
    secret = f"key-of-{request.node.callspec.id}-in-this-test"
    proxy = f"http://user:{secret}-too@127.0.0.1:9"
    hook = ToyHook(
        connect("toy_default", served.connection(extra={"api_key": secret, "proxy": proxy, "retry_timeout": 0}))
    )
    with pytest.raises(Exception, match="cannot reach"):
        run_flow(hook, hook.verify_credentials())
    assert redact(f"text with {secret} and {proxy}") == "text with *** and ***"


async def test_a_session_is_masked_in_a_trigger_of_airflow_3_1(hook: ToyHook, toy: Toy, monkeypatch):
    async with hook.async_client() as client:
        monkeypatch.delattr(log, "amask_secret", raising=False)  # as in Airflow 3.1
        await client(hook.verify_credentials())
    [session] = toy.sessions
    assert redact(f"text with {session}") == "text with ***"


async def test_an_async_client_reads_the_connection_without_blocking(hook: ToyHook):
    class AsyncOnlyHook(ToyHook):
        @classmethod
        def get_connection(cls, conn_id: str) -> Any:
            raise RuntimeError("this would block the event loop")

    async with AsyncOnlyHook(hook.conn_id).async_client() as client:
        assert await client(hook.verify_credentials()) == "Signed in as bo."


async def test_an_async_client_signs_in_once(hook: ToyHook, toy):
    async with hook.async_client() as client:
        await client(hook.verify_credentials())
        await client(count_bricks("bo"))
    assert toy.count_requests("POST", "/login") == 1


# the Test button


def test_a_valid_connection_passes_and_names_the_user(hook: ToyHook):
    assert hook.test_connection() == (True, "Signed in as bo.")


class ApiToyHook(ToyHook):
    form = FORM._replace(api_path="/api")


def test_the_message_names_the_base_url_that_is_used(served, connect):
    note = f"The base URL that is used is {served.base_url}, without /api."
    hook = ApiToyHook(connect("toy_default", served.connection(host=f"{served.base_url}/api/")))
    assert hook.test_connection() == (True, f"Signed in as bo. {note}")
    hook = ApiToyHook(connect("toy_default", served.connection(host=f"{served.base_url}/api/", password="wr0ng")))
    assert hook.test_connection() == (False, f"POST /login: wrong user or password (HTTP 401) {note}")


def test_a_wrong_credential_fails(served, connect):
    hook = ToyHook(connect("toy_default", served.connection(password="wr0ng")))
    assert hook.test_connection() == (False, "POST /login: wrong user or password (HTTP 401)")


def test_a_wrong_base_url_fails(served, connect, toy):
    hook = ToyHook(connect("toy_default", served.connection(host=f"{served.base_url}/nowhere")))
    succeeded, message = hook.test_connection()
    assert not succeeded
    assert "POST /login" in message
    assert "HTTP 404" in message


def test_an_unreachable_server_fails_after_one_attempt(served, connect):
    connection = served.connection(host="http://127.0.0.1:9", extra={"retry_timeout": 600})
    succeeded, message = ToyHook(connect("toy_default", connection)).test_connection()
    assert not succeeded
    assert "cannot reach the server" in message


def test_a_missing_base_url_is_named(served, connect):
    hook = ToyHook(connect("toy_default", served.connection(host=None)))
    assert hook.test_connection() == (
        False,
        "connection 'toy_default': the base URL (host) is missing; use a URL such as https://server.example.com",
    )
