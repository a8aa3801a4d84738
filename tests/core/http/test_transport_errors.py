"""Which of our errors an error of a library is, and the errors of files while they are sent."""

from __future__ import annotations

import contextlib
import errno
import io
import socket
import ssl
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from self_hosted.core.http.address import Address
from self_hosted.core.http.errors import OutcomeUnknownError, UnreachableError
from self_hosted.core.http.flow import Request, Upload
from self_hosted.core.http.limits import CURRENT_LIMITS, ExchangeLimits
from self_hosted.core.http.sockets import watch
from self_hosted.core.http.transport import BAD_HEADER, Exchange, open_exchange
from tests.core.toy import ToyHook, fetch_json, open_zeros, send_request

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
MakeHook = Callable[..., ToyHook]


@contextlib.contextmanager
def exchange(*, is_started: bool) -> Generator[Exchange]:
    with open_exchange(Address("https://toy.example.com"), WORK) as opened:
        opened.limits.is_started = is_started
        yield opened


def tls_error(reason: str, error_class: type[ssl.SSLError] = ssl.SSLError) -> ssl.SSLError:
    error = error_class(1, "text of TLS")
    error.reason = reason
    return error


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), ValueError("x"), tls_error("WRONG_VERSION_NUMBER")])
def test_what_fails_before_the_request_is_sent_is_unreachable(error):
    with exchange(is_started=False) as opened:
        assert isinstance(opened.translate(error), UnreachableError)


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), ValueError("x"), tls_error("BAD_RECORD_TYPE")])
def test_what_fails_after_that_leaves_the_outcome_unknown(error):
    with exchange(is_started=True) as opened:
        assert isinstance(opened.translate(error), OutcomeUnknownError)


def test_a_tls_alert_is_a_rejection_at_any_time():
    with exchange(is_started=True) as opened:
        error = opened.translate(tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"))
        assert isinstance(error, UnreachableError)
        assert not error.retryable


def test_a_connection_that_is_closed_during_the_handshake_is_retried():
    with exchange(is_started=False) as opened:
        error = opened.translate(tls_error("UNEXPECTED_EOF_WHILE_READING", ssl.SSLEOFError))
        assert isinstance(error, UnreachableError)
        assert error.retryable


@pytest.mark.parametrize("shape", ["body", "parts"])
def test_an_error_of_the_file_is_not_taken_for_one_of_the_network(make_hook: MakeHook, run_flow, shape):
    class BrokenFile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    file = Upload("a.bin", BrokenFile, 10)
    request = Request("POST", "/swallow", body=file) if shape == "body" else Request("POST", "/", parts={"a": file})
    with pytest.raises(OSError, match="Input/output error"):
        run_flow(make_hook(), send_request(request))


def test_an_upload_that_stalls_times_out(make_hook: MakeHook, run_flow, silent_port):
    size = 64 * 1024 * 1024
    request = Request("POST", "/swallow", body=Upload("zeros", lambda: open_zeros(size), size))
    with pytest.raises(OutcomeUnknownError, match="the response was lost: timeout"):
        run_flow(make_hook(f"http://127.0.0.1:{silent_port}", read_timeout=1, retry_timeout=0), send_request(request))


# headers


def test_a_header_may_be_latin_1(make_hook: MakeHook, run_flow):
    received = run_flow(make_hook(), fetch_json(replace(ECHO, headers={"X-Name": "Zoë"})))
    assert received["headers"]["x-name"] == "Zoë"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x00b", "a\x7fb", " a", "a ", "€"])
def test_a_header_of_another_kind_is_rejected(value):
    with pytest.raises(ValueError, match=BAD_HEADER), open_exchange(Address(""), replace(ECHO, headers={"X": value})):
        pass


@pytest.mark.parametrize("value", ["", "a", "a b\tc", "\xff"])
def test_every_other_value_is_sent(value):
    with open_exchange(Address(""), replace(ECHO, headers={"X": value})) as opened:
        assert opened.headers["X"] == value


def test_a_header_of_the_request_replaces_ours_in_any_case():
    with open_exchange(Address(""), replace(ECHO, headers={"accept": "text/plain"})) as opened:
        assert [name for name in opened.headers if name.lower() == "accept"] == ["accept"]


# sockets


@pytest.fixture
def sockets() -> Iterator[tuple[Any, socket.socket]]:
    """A socket with limits, and its peer."""
    left, right = socket.socketpair()
    limits = ExchangeLimits(ECHO, 60, 60)
    token = CURRENT_LIMITS.set(limits)
    with watch(left) as watched, right:
        yield watched, right
    CURRENT_LIMITS.reset(token)


def test_a_socket_receives_and_sends_within_the_limits(sockets):
    watched, peer = sockets
    peer.sendall(b"abc")
    watched.settimeout(5)
    assert watched.recv(10) == b"abc"
    watched.sendall(b"x" * 1000)
    assert peer.recv(1) == b"x"
    assert watched.gettimeout() == 5  # unchanged


def test_a_read_that_takes_too_long_times_out(sockets):
    watched, _ = sockets
    watched.settimeout(0.01)
    with pytest.raises(TimeoutError):
        watched.recv(10)
