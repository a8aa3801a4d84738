"""Proxies, addresses, and what of the environment counts, which is nothing: in a worker and in a trigger alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from self_hosted import __version__
from self_hosted.core.errors import Invalid, Unreachable
from self_hosted.core.flow import Request
from tests.core.proxy import SECRET, proxy
from tests.core.toy import ToyHook, asked_json, sent

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
Keyed = Callable[..., ToyHook]


def test_the_proxy_is_gone_through(keyed: Keyed, ask, served):
    with proxy() as gate:
        assert ask(keyed(proxy=gate.url), asked_json(replace(ECHO, query={"a": 1})))["query"] == [["a", "1"]]
        assert gate.passed == [f"GET {served.base_url}/echo?a=1"]


def test_tls_goes_through_a_tunnel_of_the_proxy(keyed: Keyed, ask, tls, authority):
    with proxy() as gate:
        assert ask(keyed(tls, proxy=gate.url, ca_bundle=authority.bundle), sent(ECHO)).status == 200
        assert gate.passed == [f"CONNECT {tls.removeprefix('https://').removesuffix('/toy')}"]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_error_holds_the_password_of_the_proxy(keyed: Keyed, ask, closed_port, scheme):
    away = f"http://gate:{SECRET}@127.0.0.1:{closed_port}"
    with pytest.raises(Unreachable, match="check the base URL and the proxy") as error:
        ask(keyed(f"{scheme}://server.example.com", proxy=away, retry_budget=0), sent(ECHO))
    assert SECRET not in f"{error.value!r} {error.value}"
    assert error.value.__suppress_context__


def test_a_proxy_that_refuses_us_is_named(keyed: Keyed, ask, tls):
    with proxy() as gate, pytest.raises(Unreachable, match="check the base URL and the proxy") as error:
        ask(keyed(tls, proxy=gate.url.replace(SECRET, "wrong-password"), retry_budget=0), sent(ECHO))
    assert "wrong-password" not in f"{error.value!r} {error.value}"


def test_neither_netrc_nor_the_environment_is_used(keyed: Keyed, ask, monkeypatch, tmp_path, closed_port):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert "authorization" not in ask(keyed(retry_budget=0), asked_json(ECHO))["headers"]


def test_certificates_of_the_environment_are_not_used(keyed: Keyed, ask, monkeypatch, tls, authority):
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, authority.bundle)
    with pytest.raises(Unreachable, match="not trusted"):
        ask(keyed(tls, retry_budget=0), sent(ECHO))


def test_an_authorization_header_of_the_flow_is_left_alone(keyed: Keyed, ask):
    headers = {"Authorization": "Basic dG95"}
    assert ask(keyed(), asked_json(replace(ECHO, headers=headers)))["headers"]["authorization"] == "Basic dG95"


def test_the_base_url_may_have_a_path_and_quoting_reaches_the_server(keyed: Keyed, ask, served):
    request = Request("GET", "/echo/a%20b%2Fc", query={"q": "x&y=z", "many": ["1", "2"], "é": "ü"})
    seen = ask(keyed(f"{served.base_url}/"), asked_json(request))
    assert seen["path"] == "/toy/echo/a%20b%2Fc"
    assert seen["query"] == [["q", "x&y=z"], ["many", "1"], ["many", "2"], ["é", "ü"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_not_followed_because_they_would_carry_the_credential_away(keyed: Keyed, ask, toy, method):
    with pytest.raises(Invalid, match=r"redirected to https://elsewhere.example.com/toy: correct the base URL"):
        ask(keyed(), sent(Request(method, "/moved")))
    assert toy.times(method, "/moved") == 1


def test_the_page_of_a_redirect_is_not_saved_as_the_file(keyed: Keyed, ask, tmp_path):
    with pytest.raises(Invalid):
        ask(keyed(), sent(Request("GET", "/moved", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert not (tmp_path / "file").exists()


def test_we_say_who_we_are(keyed: Keyed, ask):
    assert ask(keyed(), asked_json(ECHO))["headers"]["user-agent"] == f"airflow-provider-self-hosted/{__version__}"


def test_cookies_are_never_sent_back(keyed: Keyed, ask):
    def twice() -> Any:
        first = yield ECHO
        assert "crumb" in first.headers["set-cookie"]
        return (yield ECHO).json()["headers"]

    assert "cookie" not in ask(keyed(), twice())


def test_a_header_with_a_line_break_is_refused_before_anything_is_sent(keyed: Keyed, ask, toy):
    with pytest.raises(ValueError, match="a header holds a character that no header may hold") as error:
        ask(keyed(api_key="toy-api-\nkey"), sent(ECHO))
    assert "toy-api" not in str(error.value)
    assert toy.asked == []
