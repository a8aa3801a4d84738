"""Extra request headers of a connection, for access proxies before the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from airflow.sdk._shared.secrets_masker import redact

from self_hosted.core.http.errors import AccessProxyError, PermissionDeniedError, SelfHostedError
from self_hosted.core.http.flow import Request
from self_hosted.provider_info import FORMS
from self_hosted.sandbox.fake_server import FakeServer
from tests.conftest import Served
from tests.core.connection.access_proxy import GuardedToy
from tests.core.connection.stored import read, read_error, read_from_environment
from tests.core.toy import FORM, Toy, ToyHook, send_request, submit_job

ACCESS = {"CF-Access-Client-Id": "id.of.access", "CF-Access-Client-Secret": "secret-of-access"}
LINES = "CF-Access-Client-Id: id.of.access\nCF-Access-Client-Secret:secret-of-access"
WHOAMI = Request("GET", "/whoami")
BY_TYPE = {form.conn_type: form for form in FORMS}


def headers_error(value: Any, **fields: Any) -> str:
    return read_error(extra={"secret_headers": value}, **fields).removeprefix("secret_headers").lstrip(": ")


# the field


@pytest.mark.parametrize("value", [ACCESS, json.dumps(ACCESS), f" {json.dumps(ACCESS)}\n", LINES, f"\r\n{LINES}\n\n"])
def test_headers_are_a_json_object_or_lines(value):
    assert read(extra={"secret_headers": value}).headers == ACCESS


@pytest.mark.parametrize("value", [None, "", " ", "{}", {}])
def test_an_empty_field_has_no_headers(value):
    assert read(extra={"secret_headers": value}).headers == {}


def test_headers_of_a_uri_are_read(monkeypatch):
    extra = quote(json.dumps(ACCESS), safe="")
    for uri in (f"toy://bo:pass@toy?secret_headers={extra}", f"toy://bo:pass@toy?secret_headers={quote(LINES)}"):
        assert read_from_environment(monkeypatch, uri, FORM).headers == ACCESS


@pytest.mark.parametrize(
    "value", ["secret-of-access", '["secret-of-access"]', '"secret"', '{"A": "secret"', "A: secretB-C: secret"]
)
def test_other_texts_are_rejected_without_showing_them(value):
    message = headers_error(value)
    assert message.startswith("must be a JSON object such as {")
    assert "secret" not in message.lower().replace("cf-access-client-secret", "")


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("Two Words", "secret", "has a header whose name is invalid; use letters, digits and dashes"),
        ("", "secret", "has a header whose name is invalid; use letters, digits and dashes"),
        ("Näme", "secret", "has a header whose name is invalid; use letters, digits and dashes"),
        ("X-A", "secret\nX-B: 1", "the value of X-A contains an invalid character, such as a line break"),
        ("X-A", "secret\x00", "the value of X-A contains an invalid character, such as a line break"),
        ("X-A", "secret-€", "the value of X-A contains an invalid character, such as a line break"),
        ("X-A", " ", "the value of X-A is empty"),
        ("X-A", 7, "the value of 'X-A' must be a text"),
        ("X-A", None, "the value of 'X-A' must be a text"),
        ("host", "secret", "must not contain host: each request sets it itself"),
        ("Transfer-Encoding", "secret", "must not contain Transfer-Encoding: each request sets it itself"),
    ],
)
def test_an_invalid_header_is_rejected_without_its_value(name, value, problem):
    message = headers_error({name: value})
    assert message == problem
    assert "secret" not in message


@pytest.mark.parametrize("value", ['{"X-A": "1", "x-a": "2"}', '{"X-A": "1", "X-A": "1"}', "X-A: 1\nx-a: 2"])
def test_a_header_that_is_given_twice_is_rejected(value):
    assert headers_error(value).lower() == "contains the header x-a twice"


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("assemblyline", "Authorization"),
        ("assemblyline", "x-apikey"),
        ("ayon", "X-Api-Key"),
        ("ayon", "X-As-User"),
        ("rudder", "X-API-Token"),
        ("atrocore", "authorization-token"),
    ],
)
def test_the_headers_of_the_sign_in_are_rejected(product, name):
    form = BY_TYPE[product]
    assert headers_error({name: "x"}, form=form) == (
        f"must not contain {name}: the sign-in to {form.hook_name} uses it"
    )


def test_a_proxy_of_rudder_may_use_basic_authentication():
    headers = {"Authorization": "Basic dXNlcjpwYXNz", "Proxy-Authorization": "Bearer aaaa.bbbb"}
    assert read(form=BY_TYPE["rudder"], extra={"secret_headers": headers}).headers == headers


@pytest.mark.parametrize("form", FORMS, ids=BY_TYPE)
def test_the_form_masks_the_field(form):
    schema = form.fields["secret_headers"]["schema"]
    assert schema["format"] == "password"
    assert redact({"secret_headers": ACCESS}) == {"secret_headers": dict.fromkeys(ACCESS, "***")}
    assert redact({"secret_headers": LINES}) == {"secret_headers": "***"}


def test_the_values_are_secrets():
    settings = read(extra={"secret_headers": {"Proxy-Authorization": "Bearer the-token"}, "api_key": "the-key"})
    assert set(settings.secrets) == {"the-key", "Bearer the-token", "the-token"}
    assert "the-token" not in repr(settings)
    assert settings.collect_secrets().redact("rejected the-token") == "rejected ***"


def test_other_names_are_another_credential():
    first, second = (read(extra={"secret_headers": {name: "value"}}) for name in ("X-A", "X-B"))
    assert first.credential != second.credential


# on requests


@pytest.fixture
def hook(served, connect) -> ToyHook:
    return ToyHook(connect("toy_default", served.connection(extra={"secret_headers": ACCESS})))


def has_access(request: dict[str, Any]) -> bool:
    return all(request["headers"].get(name.lower()) == value for name, value in ACCESS.items())


def test_every_request_has_the_headers_also_that_of_a_login(hook: ToyHook, toy: Toy, run_flow):
    assert run_flow(hook, hook.verify_credentials()) == "Signed in as bo."
    assert [request["path"] for request in toy.requests] == ["/login", "/whoami"]
    assert all(map(has_access, toy.requests))


def test_the_header_of_a_request_takes_precedence(hook: ToyHook, toy: Toy, run_flow):
    run_flow(hook, send_request(Request("GET", "/echo", headers={"cf-access-client-id": "mine"})))
    assert toy.requests[-1]["headers"]["cf-access-client-id"] == "mine"
    assert toy.requests[-1]["headers"]["cf-access-client-secret"] == "secret-of-access"


def test_the_values_are_masked_in_logs(hook: ToyHook, run_flow):
    run_flow(hook, hook.verify_credentials())
    assert redact("sent id.of.access and secret-of-access") == "sent *** and ***"


# a proxy that rejects requests


@pytest.fixture(scope="session")
def _guarded(serve: Callable[[FakeServer], Served]) -> Served:
    return serve(GuardedToy())


@pytest.fixture
def guarded(_guarded: Served) -> GuardedToy:
    _guarded.reset()
    assert isinstance(_guarded.product, GuardedToy)
    return _guarded.product


@pytest.fixture
def connect_through(_guarded: Served, guarded: GuardedToy, connect: Any) -> Callable[[str | None], ToyHook]:
    """Store the connection through the proxy, with the value of its header."""

    def store(access: str | None) -> ToyHook:
        extra = {"retry_timeout": 0, **({"secret_headers": {"X-Access": access}} if access else {})}
        return ToyHook(connect("toy_default", _guarded.connection(extra=extra)))

    return store


@pytest.mark.parametrize("rejection", [401, 403, 302, 200])
def test_the_error_of_a_proxy_names_the_field(connect_through, guarded: GuardedToy, run_flow, rejection):
    guarded.rejection = rejection
    hook = connect_through(None)
    with pytest.raises(SelfHostedError, match=r"add its headers to the connection \(Extra request headers\)") as error:
        run_flow(hook, hook.verify_credentials())
    assert "next=secret" not in str(error.value)
    hook = connect_through("first-access")
    assert run_flow(hook, hook.verify_credentials()) == "Signed in as bo."


@pytest.mark.parametrize("rejection", [401, 403, 302])
def test_running_work_continues_with_renewed_headers(connect_through, guarded: GuardedToy, rejection):
    guarded.rejection = rejection
    hook = connect_through("first-access")
    assert hook.run(submit_job("house", 0, "done"))
    guarded.access = "second-access"
    connect_through("second-access")
    assert hook.run(submit_job("garden", 0, "done"))
    assert len(guarded.jobs) == 2
    assert redact("a second-access") == "a ***"


def test_headers_that_are_added_while_work_runs_are_used(connect_through, guarded: GuardedToy):
    hook = connect_through(None)
    guarded.access = ""
    assert hook.run(submit_job("house", 0, "done"))
    guarded.access = "first-access"
    connect_through("first-access")
    assert hook.run(submit_job("garden", 0, "done"))


async def test_running_triggers_continue_with_renewed_headers(connect_through, guarded: GuardedToy):
    async with connect_through("first-access").async_client() as client:
        await client(send_request(WHOAMI))
        guarded.access = "second-access"
        connect_through("second-access")
        assert (await client(send_request(WHOAMI))).status == 200
    assert guarded.rejected == ["first-access"]


def test_without_other_headers_the_error_of_the_proxy_remains(connect_through, guarded: GuardedToy):
    hook = connect_through("wrong-access")
    with pytest.raises(AccessProxyError, match="HTTP 403"):
        hook.run(hook.verify_credentials())
    assert guarded.rejected == ["wrong-access"]


def test_without_headers_a_missing_permission_does_not_read_the_connection(make_hook, toy: Toy, monkeypatch):
    hook = make_hook()
    hook.count_bricks("bo")
    monkeypatch.delenv("AIRFLOW_CONN_TOY_DEFAULT")
    with pytest.raises(PermissionDeniedError, match="this name is not allowed"):
        hook.run(submit_job("forbidden", 0, "done"))
    assert toy.count_requests("POST", "/jobs") == 1
