"""Proxies, base URLs, redirects, cookies, and independence of the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from self_hosted import __version__
from self_hosted.core.http.errors import InvalidRequestError, UnreachableError
from self_hosted.core.http.flow import Request
from tests.core.http.proxy import SECRET, run_proxy
from tests.core.toy import ToyHook, fetch_json, send_request

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
MakeHook = Callable[..., ToyHook]


def test_requests_are_sent_through_the_proxy(make_hook: MakeHook, run_flow, served):
    with run_proxy() as proxy:
        assert run_flow(make_hook(proxy=proxy.url), fetch_json(replace(ECHO, query={"a": 1})))["query"] == [["a", "1"]]
        assert proxy.forwarded == [f"GET {served.base_url}/echo?a=1"]


def test_tls_uses_a_tunnel_of_the_proxy(make_hook: MakeHook, run_flow, tls, authority):
    with run_proxy() as proxy:
        assert run_flow(make_hook(tls, proxy=proxy.url, ca_bundle=authority.bundle), send_request(ECHO)).status == 200
        assert proxy.forwarded == [f"CONNECT {tls.removeprefix('https://').removesuffix('/toy')}"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_errors_never_show_the_password_of_the_proxy(make_hook: MakeHook, run_flow, closed_port, scheme):
    proxy_url = f"http://user:{SECRET}@127.0.0.1:{closed_port}"
    with pytest.raises(UnreachableError, match="check the base URL and the proxy") as error:
        run_flow(make_hook(f"{scheme}://server.example.com", proxy=proxy_url, retry_timeout=0), send_request(ECHO))
    assert SECRET not in f"{error.value!r} {error.value}"
    assert error.value.__suppress_context__


def test_a_rejection_by_the_proxy_is_named_in_the_error(make_hook: MakeHook, run_flow, tls):
    with run_proxy() as proxy, pytest.raises(UnreachableError, match="check the base URL and the proxy") as error:
        run_flow(make_hook(tls, proxy=proxy.url.replace(SECRET, "wrong-password"), retry_timeout=0), send_request(ECHO))
    assert "wrong-password" not in f"{error.value!r} {error.value}"


def test_netrc_and_proxies_of_the_environment_are_ignored(
    make_hook: MakeHook, run_flow, monkeypatch, tmp_path, closed_port
):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert "authorization" not in run_flow(make_hook(retry_timeout=0), fetch_json(ECHO))["headers"]


def test_certificates_of_the_environment_are_ignored(make_hook: MakeHook, run_flow, monkeypatch, tls, authority):
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, authority.bundle)
    with pytest.raises(UnreachableError, match="not trusted"):
        run_flow(make_hook(tls, retry_timeout=0), send_request(ECHO))


def test_an_authorization_header_of_a_request_is_not_replaced(make_hook: MakeHook, run_flow):
    headers = {"Authorization": "Basic dG95"}
    assert run_flow(make_hook(), fetch_json(replace(ECHO, headers=headers)))["headers"]["authorization"] == "Basic dG95"


def test_path_and_query_reach_the_server_as_quoted(make_hook: MakeHook, run_flow, served):
    request = Request("GET", "/echo/a%20b%2Fc", query={"q": "x&y=z", "many": ["1", "2"], "é": "ü"})
    received = run_flow(make_hook(f"{served.base_url}/"), fetch_json(request))
    assert received["path"] == "/toy/echo/a%20b%2Fc"
    assert received["query"] == [["q", "x&y=z"], ["many", "1"], ["many", "2"], ["é", "ü"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_not_followed(make_hook: MakeHook, run_flow, toy, method):
    with pytest.raises(
        InvalidRequestError, match=r"redirected to https://elsewhere.example.com/toy: correct the base URL"
    ):
        run_flow(make_hook(), send_request(Request(method, "/moved")))
    assert toy.count_requests(method, "/moved") == 1


def test_the_body_of_a_redirect_is_not_saved(make_hook: MakeHook, run_flow, tmp_path):
    with pytest.raises(InvalidRequestError):
        run_flow(make_hook(), send_request(Request("GET", "/moved", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert not (tmp_path / "file").exists()


def test_the_user_agent_names_package_and_version(make_hook: MakeHook, run_flow):
    assert (
        run_flow(make_hook(), fetch_json(ECHO))["headers"]["user-agent"]
        == f"airflow-provider-self-hosted/{__version__}"
    )


def test_cookies_are_never_returned(make_hook: MakeHook, run_flow):
    def send_twice() -> Any:
        first = yield ECHO
        assert "crumb" in first.headers["set-cookie"]
        return (yield ECHO).json()["headers"]

    assert "cookie" not in run_flow(make_hook(), send_twice())


def test_a_header_with_a_line_break_is_rejected_before_sending(make_hook: MakeHook, run_flow, toy):
    with pytest.raises(ValueError, match="a header contains an invalid character") as error:
        run_flow(make_hook(api_key="toy-api-\nkey"), send_request(ECHO))
    assert "toy-api" not in str(error.value)
    assert toy.requests == []
