"""What happens between us and the server, in a worker (requests) and in a trigger (httpx) alike."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk._shared.secrets_masker import redact

from self_hosted import __version__
from self_hosted.core.connection import Address
from self_hosted.core.errors import Broken, Busy, Invalid, NotFound, ProductError, Uncertain, Unreachable
from self_hosted.core.flow import Pause, Request, Secret, Upload
from self_hosted.core.transport import _changes, _ssl_context
from tests.core import toy as toys
from tests.core.proxy import SECRET, proxy
from tests.core.tls import Authority, TlsSandbox, refusing_server
from tests.core.toy import Toy, ToyHook, asked_json, sent, zeros

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
Keyed = Callable[..., ToyHook]


def upload(content: bytes, name: str = "a.bin", size: int | None = None) -> Upload:
    return Upload(name, lambda: io.BytesIO(content), len(content) if size is None else size, "application/x-toy")


def swallow(shape: str, file: Upload) -> Request:
    """Send a file as the whole body, or as a part of one."""
    plain = Request("POST", "/swallow")
    return replace(plain, body=file) if shape == "body" else replace(plain, parts={"file": file})


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of new connections is full: attempts are neither accepted nor refused."""
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(8):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are accepted, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


# not getting there


def test_a_port_where_nobody_listens_is_unreachable(keyed: Keyed, ask, closed_port):
    with pytest.raises(
        Unreachable, match=r"GET /echo: cannot reach the server: .*(refused|Connect call failed).*; check the base URL"
    ):
        ask(keyed(f"http://127.0.0.1:{closed_port}", retry_budget=0), sent(ECHO))


def test_a_host_of_several_addresses_that_all_refuse_is_told_by_the_reason(keyed: Keyed, ask, closed_port, monkeypatch):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, closed_port)) for host in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(Unreachable, match=r"refused|Connect call failed"):
        ask(keyed(f"http://server.example.com:{closed_port}", retry_budget=0), sent(ECHO))


def test_an_unknown_host_is_unreachable(keyed: Keyed, ask):
    with pytest.raises(Unreachable, match="cannot reach the server"):
        ask(keyed("http://nowhere.invalid", retry_budget=0), sent(ECHO))


def test_an_unreachable_server_is_tried_again_until_the_budget_is_spent(keyed: Keyed, ask, closed_port):
    began = time.monotonic()
    with pytest.raises(Unreachable):
        ask(keyed(f"http://127.0.0.1:{closed_port}", retry_budget=1), sent(WORK))
    assert time.monotonic() - began < 1.5


def test_a_connect_timeout_means_that_nothing_was_sent(keyed: Keyed, ask, full_port):
    hook = keyed(f"http://127.0.0.1:{full_port}", retry_budget=0, connect_timeout=1, read_timeout=60)
    with pytest.raises(Unreachable, match="time-out"):
        ask(hook, sent(WORK))


def test_a_read_timeout_means_that_it_may_have_been_done(keyed: Keyed, ask, served, toy):
    served.fail("slow_after", seconds=1.5)
    with pytest.raises(Uncertain, match="the answer was lost: time-out"):
        ask(keyed(read_timeout=1, retry_budget=0), sent(WORK))
    assert toy.times("POST", "/echo") == 1


def test_a_slow_request_has_more_time(keyed: Keyed, ask, served):
    served.fail("slow", seconds=1.2)
    assert ask(keyed(read_timeout=1), sent(replace(WORK, slow=True))).status == 200


# getting there, and no answer back


def test_an_answer_dropped_after_the_work_is_uncertain_and_the_work_is_not_repeated(keyed: Keyed, ask, served, toy):
    served.fail("drop")
    with pytest.raises(Uncertain, match="POST /echo: the answer was lost"):
        ask(keyed(), sent(WORK))
    assert toy.times("POST", "/echo") == 1


def test_a_connection_closed_before_the_work_is_uncertain_too_because_nobody_can_tell(keyed: Keyed, ask, served, toy):
    served.fail("refuse")
    with pytest.raises(Uncertain):
        ask(keyed(), sent(WORK))
    assert toy.times("POST", "/echo") == 0


def test_reading_is_repeated_when_the_answer_was_lost(keyed: Keyed, ask, served, toy):
    served.fail("drop", times=2)
    assert ask(keyed(), sent(ECHO)).status == 200
    assert toy.times("GET", "/echo") == 3


def test_a_write_is_repeated_when_its_endpoint_says_that_this_is_harmless(keyed: Keyed, ask, served, toy):
    served.fail("drop")
    assert ask(keyed(), sent(replace(WORK, repeatable=True))).status == 200
    assert toy.times("POST", "/echo") == 2


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_gave_up_leaves_it_uncertain(keyed: Keyed, ask, served, toy, status):
    served.fail("status", status=status)
    with pytest.raises(Uncertain):
        ask(keyed(), sent(WORK))
    assert toy.times("POST", "/echo") == 0


# a busy server


def test_a_busy_server_is_asked_again_after_the_time_it_asks_for(keyed: Keyed, ask, served, toy):
    served.fail("status", headers={"Retry-After": "1"})
    began = time.monotonic()
    assert ask(keyed(retry_budget=5), sent(WORK)).status == 200
    assert 1 <= time.monotonic() - began < 3
    assert toy.times("POST", "/echo") == 1


def test_a_busy_server_that_names_no_time_is_asked_again_with_growing_pauses(keyed: Keyed, ask, served, toy):
    served.fail("status", times=3)
    assert ask(keyed(retry_budget=20), sent(WORK)).status == 200
    assert toy.times("POST", "/echo") == 1


def test_a_server_that_says_retry_at_once_is_not_hammered(keyed: Keyed, ask, served):
    served.fail("status", headers={"Retry-After": "0"}, times=1_000_000)
    counted = Counting(keyed(retry_budget=2))
    with pytest.raises(Busy):
        ask(counted, sent(ECHO))
    assert 1 < counted.replies < 30


class Counting(ToyHook):
    """Counts the replies, whatever they say."""

    def __init__(self, hook: ToyHook) -> None:
        super().__init__(hook.conn_id)
        self.replies = 0
        self.error_of = self._counted

    def _counted(self, reply: Any) -> ProductError | None:
        self.replies += 1
        return toys.error_of(reply)


def test_a_budget_of_nothing_is_one_attempt(keyed: Keyed, ask, served):
    served.fail("status", headers={"Retry-After": "0"})
    hook = keyed(retry_budget=0)
    with pytest.raises(Busy, match=r"GET /echo: refused without a reason \(HTTP 503\)"):
        ask(hook, sent(ECHO))
    assert ask(hook, sent(ECHO)).status == 200


def test_who_asks_for_more_time_than_the_budget_has_ends_it_at_once(keyed: Keyed, ask, served):
    served.fail("status", status=429, headers={"Retry-After": "60"})
    began = time.monotonic()
    with pytest.raises(Busy) as busy:
        ask(keyed(retry_budget=30), sent(ECHO))
    assert busy.value.retry_after == 60
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(("status", "kind"), [(404, NotFound), (422, Invalid), (500, Broken)])
def test_what_no_retry_mends_is_asked_once(keyed: Keyed, ask, served, status, kind):
    served.fail("status", status=status)
    hook = keyed()
    with pytest.raises(kind):
        ask(hook, sent(ECHO))
    assert ask(hook, sent(ECHO)).status == 200


# TLS


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> Iterator[str]:
    with TlsSandbox(Toy(), authority, ask_for_certificate=False) as sandbox:
        yield f"{sandbox.url}/toy"


@pytest.fixture(scope="session")
def strict_tls(authority: Authority) -> Iterator[str]:
    with TlsSandbox(Toy(), authority, ask_for_certificate=True) as sandbox:
        yield f"{sandbox.url}/toy"


def test_what_is_trusted_is_read_once_and_anew_when_it_was_renewed(authority, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(authority.bundle).read_bytes())
    address = Address("https://toy.example.com", verify=str(bundle))
    first = _ssl_context(address, _changes(address))
    assert _ssl_context(address, _changes(address)) is first
    os.utime(bundle, (1, 1))
    assert _ssl_context(address, _changes(address)) is not first


def test_a_bundle_makes_a_private_authority_trusted(keyed: Keyed, ask, tls, authority):
    assert ask(keyed(tls, ca_bundle=authority.bundle), sent(ECHO)).status == 200


def test_a_certificate_that_is_not_trusted_fails_at_once_and_says_so(keyed: Keyed, ask, tls):
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"its certificate is not trusted \(.* certificate.*\)"):
        ask(keyed(tls, retry_budget=30), sent(ECHO))
    assert time.monotonic() - began < 5


def test_a_certificate_for_another_name_is_not_trusted(keyed: Keyed, ask, tls, authority):
    with pytest.raises(Unreachable, match="its certificate is not trusted"):
        ask(keyed(tls.replace("127.0.0.1", "localhost"), ca_bundle=authority.bundle), sent(ECHO))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_check_of_certificates_can_be_switched_off(keyed: Keyed, ask, tls):
    assert ask(keyed(tls, verify_tls=False), sent(ECHO)).status == 200


def test_a_client_certificate_is_shown_where_the_server_asks_for_one(keyed: Keyed, ask, strict_tls, authority):
    cert, key = authority.issue("client")
    assert (
        ask(keyed(strict_tls, ca_bundle=authority.bundle, client_cert=cert, client_key=key), sent(ECHO)).status == 200
    )


def test_a_client_certificate_may_hold_its_key(keyed: Keyed, ask, strict_tls, authority, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text("".join(Path(path).read_text(encoding="utf-8") for path in authority.issue("client")))
    assert ask(keyed(strict_tls, ca_bundle=authority.bundle, client_cert=str(both)), sent(ECHO)).status == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_client_certificate_works_without_the_check_of_the_servers(keyed: Keyed, ask, strict_tls, authority):
    cert, key = authority.issue("client")
    assert ask(keyed(strict_tls, verify_tls=False, client_cert=cert, client_key=key), sent(ECHO)).status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_without_the_client_certificate_that_the_server_asks_for_it_fails_at_once(
    keyed: Keyed, ask, authority, version
):
    began = time.monotonic()
    with refusing_server(authority, version) as url, pytest.raises(Unreachable, match=r"(?i)alert"):
        ask(keyed(url, ca_bundle=authority.bundle, retry_budget=30), sent(ECHO))
    assert time.monotonic() - began < 5


def test_a_server_that_never_ends_its_handshake_is_tried_again(keyed: Keyed, ask, silent_port):
    hook = keyed(f"https://127.0.0.1:{silent_port}", connect_timeout=1, retry_budget=0)
    with pytest.raises((Unreachable, Uncertain), match="time-out") as error:
        ask(hook, sent(ECHO))
    assert error.value.retryable or isinstance(error.value, Uncertain)


# proxies, addresses, and what of the environment counts: nothing


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


# bodies


def test_json_is_sent_as_json(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("POST", "/echo", json={"name": "Zoë"})))
    assert json.loads(seen["body"]) == {"name": "Zoë"}
    assert seen["headers"]["content-type"] == "application/json"


def test_null_is_json_too(keyed: Keyed, ask):
    assert ask(keyed(), asked_json(Request("POST", "/echo", json=None)))["body"] == "null"


def test_a_form_is_sent_as_a_form(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("POST", "/echo", form={"a": "1 2", "b": "&"})))
    assert seen["body"] == "a=1+2&b=%26"
    assert seen["headers"]["content-type"] == "application/x-www-form-urlencoded"


def test_a_file_is_sent_as_it_is(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("PUT", "/echo", body=upload(b"raw content"))))
    assert seen["body"] == "raw content"
    assert (seen["headers"]["content-length"], seen["headers"]["content-type"]) == ("11", "application/x-toy")
    assert "transfer-encoding" not in seen["headers"]


def test_an_empty_file_is_a_body_of_length_nothing(keyed: Keyed, ask):
    seen = ask(keyed(), asked_json(Request("PUT", "/echo", body=upload(b""))))
    assert (seen["body"], seen["headers"]["content-length"]) == ("", "0")


def test_a_multipart_body_holds_fields_and_files_and_tells_its_length(keyed: Keyed, ask, toy):
    parts: dict[str, str | Upload] = {
        "name": "Zoë",
        "file": upload(b"x" * 200_000, "Zoë's file.bin"),
        "other": upload(b"", "empty"),
    }
    seen = ask(keyed(), asked_json(Request("POST", "/parts", parts=parts)))
    assert seen == {
        "name": "Zoë",
        "file": ["Zoë's file.bin", "application/x-toy", 200_000],
        "other": ["empty", "application/x-toy", 0],
    }
    assert int(toy.asked[-1]["headers"]["content-length"]) > 200_000
    assert "transfer-encoding" not in toy.asked[-1]["headers"]


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_file_is_opened_anew_for_every_attempt(keyed: Keyed, ask, served, toy, shape):
    opened: list[io.BytesIO] = []

    def anew() -> io.BytesIO:
        opened.append(io.BytesIO(b"content"))
        return opened[-1]

    file = Upload("a.bin", anew, 7)
    served.fail("drop", times=2)
    request = replace(swallow(shape, file), repeatable=True)
    assert ask(keyed(), sent(request)).status == 200
    assert toy.times("POST", "/swallow") == len(opened) == 3
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_file_that_became_shorter_is_an_error_instead_of_an_endless_wait(keyed: Keyed, ask, shape):
    file = upload(b"x" * 1000, size=100_000)
    with pytest.raises(EOFError, match="the file became shorter while it was sent"):
        ask(keyed(read_timeout=5), sent(swallow(shape, file)))


def test_a_file_that_grew_is_sent_with_the_length_it_had(keyed: Keyed, ask):
    assert ask(keyed(), asked_json(Request("POST", "/swallow", body=upload(b"abcdef", size=3))))["size"] == 3


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_a_large_file_is_never_held_in_memory(keyed: Keyed, ask, shape):
    size = 64 * 1024 * 1024
    file = Upload("zeros", lambda: zeros(size), size)
    request = replace(swallow(shape, file), slow=True)
    hook = keyed()
    ask(hook, sent(ECHO))
    tracemalloc.start()
    try:
        seen = ask(hook, asked_json(request))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen["size"] >= size
    assert peak < 16 * 1024 * 1024
    if shape == "body":
        assert seen["sha256"] == hashlib.sha256(bytes(size)).hexdigest()


def test_an_answer_can_go_to_a_file(keyed: Keyed, ask, toy, tmp_path):
    reply = ask(keyed(), sent(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert (tmp_path / "file").read_bytes() == toy.content
    assert (reply.status, reply.body) == (200, b"")


def test_an_error_does_not_go_to_the_file(keyed: Keyed, ask, served, tmp_path):
    served.fail("status", status=404, body='{"error": "no such file"}', headers={"content-type": "application/json"})
    with pytest.raises(NotFound, match="no such file"):
        ask(keyed(), sent(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert not (tmp_path / "file").exists()


def test_a_download_that_was_cut_off_begins_anew(keyed: Keyed, ask, toy, tmp_path):
    toy.cut_off = [100_000, 1000]
    ask(keyed(), sent(Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"))))
    assert (tmp_path / "file").read_bytes() == toy.content
    assert toy.times("GET", "/file") == 3


def test_an_answer_that_was_cut_off_is_lost(keyed: Keyed, ask, toy):
    toy.cut_off = [1000]
    with pytest.raises(Uncertain, match="the answer was lost"):
        ask(keyed(), sent(Request("GET", "/file", repeatable=False)))


# the rest


def test_threads_may_share_a_hook(keyed: Keyed):
    hook, errors = keyed(), []

    def work() -> None:
        try:
            hook.run(sent(ECHO))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_pauses_are_kept_and_secrets_hidden_on_both_ways(keyed: Keyed, ask, request):
    secret = f"very-hush-hush-{request.node.name}"

    def careful() -> Any:
        yield Secret(secret)
        yield Pause(0.2)
        return (yield ECHO).status

    began = time.monotonic()
    assert ask(keyed(), careful()) == 200
    assert time.monotonic() - began >= 0.2
    assert redact(f"it says {secret}") == "it says ***"
