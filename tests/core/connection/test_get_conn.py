"""The session of `get_conn`: signed in, with the settings of the connection, for the product's address only."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from self_hosted.core.http.direct_session import is_below
from self_hosted.core.http.errors import AuthenticationError
from tests.core import toy as toy_module
from tests.core.toy import API_KEY, Toy, ToyHook, submit_job
from tests.elsewhere import run_elsewhere

EXTRA = {"secret_headers": {"X-Access": "the-access"}}


@pytest.fixture
def key_hook(make_hook: Callable[..., ToyHook]) -> ToyHook:
    return make_hook(**EXTRA)


def last_headers(toy: Toy) -> dict[str, str]:
    headers: dict[str, str] = toy.requests[-1]["headers"]
    return headers


def test_a_static_credential_needs_no_request(key_hook: ToyHook, toy: Toy):
    with key_hook.get_conn() as session:
        assert isinstance(session, requests.Session)
        assert toy.requests == []
        assert session.get(f"{key_hook.settings.address.base_url}/whoami").json()["user"] == "bo"
    headers = last_headers(toy)
    assert (headers["x-key"], headers["x-access"]) == (API_KEY, "the-access")
    assert headers["user-agent"].startswith("airflow-provider-self-hosted/")


def test_a_login_is_done_once_at_the_start(hook: ToyHook, toy: Toy):
    session = hook.get_conn()
    assert toy.count_requests("POST", "/login") == 1
    assert session.get("/whoami").json()["user"] == "bo"
    assert session.post("/jobs", json={"name": "house"}).json() == {"id": "job-1"}
    assert hook.run(submit_job("garden", 0, "done")) == "job-2"
    assert toy.count_requests("POST", "/login") == 1


def test_a_rejected_login_is_an_error(served, connect):
    hook = ToyHook(connect("toy_default", served.connection(password="wr0ng")))
    with pytest.raises(AuthenticationError, match="wrong user or password"):
        hook.get_conn()


def test_a_path_is_below_the_base_url(key_hook: ToyHook, toy: Toy):
    session = key_hook.get_conn()
    assert session.get("/echo/a?b=c").json()["query"] == [["b", "c"]]
    assert session.get(b"/echo/a").json()["path"] == "/toy/echo/a"


def test_an_expired_session_is_renewed(hook: ToyHook, toy: Toy):
    session = hook.get_conn()
    toy.end_sessions()
    assert session.post("/jobs", json={"name": "house"}).json() == {"id": "job-1"}
    assert toy.count_requests("POST", "/login") == 2
    assert len(toy.jobs) == 1


def test_a_body_that_cannot_be_read_twice_is_not_sent_again(hook: ToyHook, toy: Toy):
    session = hook.get_conn()
    toy.end_sessions()
    assert session.post("/jobs", data=io.BytesIO(b'{"name": "house"}')).status_code == 401
    assert session.post("/jobs", data=io.BytesIO(b'{"name": "house"}')).json() == {"id": "job-1"}


def test_a_rotated_credential_is_read_from_the_connection(served, connect, key_hook: ToyHook, monkeypatch):
    session = key_hook.get_conn()
    assert session.get("/whoami").status_code == 200
    monkeypatch.setattr(toy_module, "API_KEY", "rotated-key")
    assert session.get("/whoami").status_code == 401
    connect("toy_default", served.connection(extra={"api_key": "rotated-key"}))
    assert session.get("/whoami").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/moved", 301), ("/page", 200)])
def test_every_other_response_is_returned_as_it_is(key_hook: ToyHook, toy: Toy, path, status):
    assert key_hook.get_conn().get(path).status_code == status
    assert len(toy.requests) == (0 if status == 404 else 1)


def test_headers_of_the_user_are_sent_but_do_not_replace_the_sign_in(key_hook: ToyHook, toy: Toy):
    key_hook.get_conn().get("/whoami", headers={"X-Mine": "mine", "X-Key": "wrong"})
    assert (last_headers(toy)["x-mine"], last_headers(toy)["x-key"]) == ("mine", API_KEY)


@pytest.mark.parametrize("kind", ["key", "login"])
def test_another_server_receives_no_credential(kind, key_hook: ToyHook, served, connect):
    hook = key_hook
    if kind == "login":
        hook = ToyHook(connect("other_toy", served.connection(extra=EXTRA)))
    with run_elsewhere() as elsewhere:
        assert hook.get_conn().get(f"{elsewhere.url}/toy/whoami").status_code == 204
    [head] = elsewhere.heads
    assert not any(name in head.lower() for name in ("x-key", "x-session", "x-stamp", "x-access", "authorization"))


@pytest.mark.parametrize("path", ["", "/whoami", "/whoami/../echo", "/?a=b"])
def test_the_address_of_the_product_is_the_base_url_and_below(path):
    url = requests.Request("GET", f"https://TOY.example.com:443/sub{path}").prepare().url
    assert is_below(url or "", "https://toy.example.com/sub")


@pytest.mark.parametrize(
    "url",
    [
        "https://toy.example.com/",
        "https://toy.example.com/subject",
        "https://toy.example.com/sub/../other",
        "https://toy.example.com/sub/%2e%2e/other",
        "https://toy.example.com:8443/sub",
        "http://toy.example.com/sub",
        "https://toy.example.com.evil.com/sub",
        "https://toy.example.com@evil.com/sub",
        "https://evil.com/https://toy.example.com/sub",
    ],
)
def test_any_other_address_is_not_that_of_the_product(url):
    assert not is_below(requests.Request("GET", url).prepare().url or "", "https://toy.example.com/sub")


# the settings of the connection


def test_a_response_that_takes_too_long_is_a_timeout(make_hook, silent_port):
    session = make_hook(f"http://127.0.0.1:{silent_port}", read_timeout=1).get_conn()
    with pytest.raises(requests.Timeout):
        session.get("/whoami")
    with pytest.raises(requests.Timeout):
        session.get("/whoami", timeout=0.1)


def test_the_total_timeout_applies(make_hook, silent_port):
    session = make_hook(f"http://127.0.0.1:{silent_port}", read_timeout=60, total_timeout=1).get_conn()
    with pytest.raises(requests.Timeout, match=r"no complete response within 1 s \(total timeout of the connection\)"):
        session.get("/whoami")


def test_a_body_may_be_read_piece_by_piece(key_hook: ToyHook, toy: Toy):
    with key_hook.get_conn().get("/file", stream=True) as response:
        assert b"".join(response.iter_content(8192)) == toy.content


def test_a_body_may_be_sent_piece_by_piece(key_hook: ToyHook):
    content = b"content" * 100_000
    assert key_hook.get_conn().post("/swallow", data=io.BytesIO(content)).json()["size"] == len(content)


def test_certificates_are_checked_as_the_connection_says(make_hook, tls, authority):
    with pytest.raises(requests.exceptions.SSLError):
        make_hook(tls).get_conn().get("/whoami")
    assert make_hook(tls, ca_bundle=str(authority.bundle)).get_conn().get("/whoami").status_code == 200


def test_cookies_are_not_kept(key_hook: ToyHook, toy: Toy):
    session = key_hook.get_conn()
    session.get("/echo")
    session.get("/echo")
    assert "cookie" not in last_headers(toy)


def test_threads_may_share_a_session(hook: ToyHook, toy: Toy):
    session, users = hook.get_conn(), list[Any]()
    toy.end_sessions()
    threads = [threading.Thread(target=lambda: users.append(session.get("/whoami").json())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [user["user"] for user in users] == ["bo"] * 8
    assert toy.count_requests("POST", "/login") == 2
