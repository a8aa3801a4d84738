"""Errors, timeouts and retries, with requests (workers) and with httpx (triggers)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from airflow.sdk._shared.secrets_masker import redact

from self_hosted.core.http.errors import (
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    SelfHostedError,
    ServerError,
    UnavailableError,
    UnreachableError,
)
from self_hosted.core.http.flow import Pause, Request, Secret
from tests.core import toy as toys
from tests.core.toy import ToyHook, send_request

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
MakeHook = Callable[..., ToyHook]


# the server is not reached


def test_a_closed_port_is_unreachable(make_hook: MakeHook, run_flow, closed_port):
    with pytest.raises(
        UnreachableError,
        match=r"GET /echo: cannot reach the server: .*(refused|Connect call failed).*; check the base URL",
    ):
        run_flow(make_hook(f"http://127.0.0.1:{closed_port}", retry_timeout=0), send_request(ECHO))


def test_the_error_of_a_host_with_several_addresses_names_the_reason(
    make_hook: MakeHook, run_flow, closed_port, monkeypatch
):
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, closed_port)) for host in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(UnreachableError, match=r"refused|Connect call failed"):
        run_flow(make_hook(f"http://server.example.com:{closed_port}", retry_timeout=0), send_request(ECHO))


def test_an_unknown_host_is_unreachable(make_hook: MakeHook, run_flow):
    with pytest.raises(UnreachableError, match="cannot reach the server"):
        run_flow(make_hook("http://nowhere.invalid", retry_timeout=0), send_request(ECHO))


def test_an_unreachable_server_is_retried_until_the_retry_timeout(make_hook: MakeHook, run_flow, closed_port):
    hook = make_hook(f"http://127.0.0.1:{closed_port}", retry_timeout=1)
    start = time.monotonic()
    with pytest.raises(UnreachableError):
        run_flow(hook, send_request(WORK))
    assert time.monotonic() - start < 30


def test_a_connect_timeout_means_that_nothing_was_sent(make_hook: MakeHook, run_flow, full_port):
    hook = make_hook(f"http://127.0.0.1:{full_port}", retry_timeout=0, connect_timeout=1, read_timeout=60)
    with pytest.raises(UnreachableError, match="timeout"):
        run_flow(hook, send_request(WORK))


def test_a_read_timeout_leaves_the_outcome_unknown(make_hook: MakeHook, run_flow, served, toy):
    served.fail("slow_after", seconds=1.5)
    with pytest.raises(OutcomeUnknownError, match="the response was lost: timeout"):
        run_flow(make_hook(read_timeout=1, retry_timeout=0), send_request(WORK))
    assert toy.count_requests("POST", "/echo") == 1


def test_a_long_running_request_has_a_longer_read_timeout(make_hook: MakeHook, run_flow, served):
    served.fail("slow", seconds=1.2)
    assert (
        run_flow(make_hook(read_timeout=1, retry_timeout=0), send_request(replace(WORK, long_running=True))).status
        == 200
    )


# the response is lost


def test_a_lost_response_leaves_the_outcome_unknown_and_a_write_is_not_repeated(
    make_hook: MakeHook, run_flow, served, toy
):
    served.fail("drop")
    with pytest.raises(OutcomeUnknownError, match="POST /echo: the response was lost"):
        run_flow(make_hook(), send_request(WORK))
    assert toy.count_requests("POST", "/echo") == 1


def test_a_connection_closed_before_the_work_leaves_the_outcome_unknown(make_hook: MakeHook, run_flow, served, toy):
    served.fail("refuse")
    with pytest.raises(OutcomeUnknownError):
        run_flow(make_hook(), send_request(WORK))
    assert toy.count_requests("POST", "/echo") == 0


def test_a_read_is_repeated_after_a_lost_response(make_hook: MakeHook, run_flow, served, toy):
    served.fail("drop", times=2)
    assert run_flow(make_hook(), send_request(ECHO)).status == 200
    assert toy.count_requests("GET", "/echo") == 3


def test_an_idempotent_write_is_repeated_after_a_lost_response(make_hook: MakeHook, run_flow, served, toy):
    served.fail("drop")
    assert run_flow(make_hook(), send_request(replace(WORK, idempotent=True))).status == 200
    assert toy.count_requests("POST", "/echo") == 2


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_error_leaves_the_outcome_unknown(make_hook: MakeHook, run_flow, served, toy, status):
    served.fail("status", status=status)
    with pytest.raises(OutcomeUnknownError):
        run_flow(make_hook(), send_request(WORK))
    assert toy.count_requests("POST", "/echo") == 0


# an unavailable server


def test_an_unavailable_server_is_retried_after_retry_after(make_hook: MakeHook, run_flow, served, toy):
    served.fail("status", headers={"Retry-After": "1"})
    start = time.monotonic()
    assert run_flow(make_hook(retry_timeout=60), send_request(WORK)).status == 200
    assert time.monotonic() - start >= 1
    assert toy.count_requests("POST", "/echo") == 1


def test_an_unavailable_server_without_retry_after_is_retried_with_backoff(make_hook: MakeHook, run_flow, served, toy):
    served.fail("status", times=3)
    assert run_flow(make_hook(retry_timeout=20), send_request(WORK)).status == 200
    assert toy.count_requests("POST", "/echo") == 1


def test_a_retry_after_of_zero_still_has_backoff(make_hook: MakeHook, run_flow, served):
    served.fail("status", headers={"Retry-After": "0"}, times=1_000_000)
    hook = CountingHook(make_hook(retry_timeout=2))
    with pytest.raises(UnavailableError):
        run_flow(hook, send_request(ECHO))
    assert 1 < hook.replies < 30


class CountingHook(ToyHook):
    """Counts all replies."""

    def __init__(self, hook: ToyHook) -> None:
        super().__init__(hook.conn_id)
        self.replies = 0
        self.parse_error = self._count

    def _count(self, reply: Any) -> SelfHostedError | None:
        self.replies += 1
        return toys.parse_error(reply)


def test_a_retry_timeout_of_zero_means_one_attempt(make_hook: MakeHook, run_flow, served):
    served.fail("status", headers={"Retry-After": "0"})
    hook = make_hook(retry_timeout=0)
    with pytest.raises(UnavailableError, match=r"GET /echo: rejected without a reason \(HTTP 503\)"):
        run_flow(hook, send_request(ECHO))
    assert run_flow(hook, send_request(ECHO)).status == 200


def test_a_retry_after_beyond_the_retry_timeout_fails_at_once(make_hook: MakeHook, run_flow, served):
    served.fail("status", status=429, headers={"Retry-After": "60"})
    start = time.monotonic()
    with pytest.raises(UnavailableError) as error:
        run_flow(make_hook(retry_timeout=30), send_request(ECHO))
    assert error.value.retry_after == 60
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("status", "error_class"), [(404, NotFoundError), (422, InvalidRequestError), (500, ServerError)]
)
def test_permanent_errors_and_server_errors_are_not_retried(make_hook: MakeHook, run_flow, served, status, error_class):
    served.fail("status", status=status)
    hook = make_hook()
    with pytest.raises(error_class):
        run_flow(hook, send_request(ECHO))
    assert run_flow(hook, send_request(ECHO)).status == 200


# threads, pauses and secrets


def test_threads_may_share_a_hook(make_hook: MakeHook):
    hook, errors = make_hook(), []

    def send() -> None:
        try:
            hook.run(send_request(ECHO))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_pauses_are_carried_out_and_secrets_masked(make_hook: MakeHook, run_flow, request):
    secret = f"secret-value-{request.node.name}"

    def pause_and_mask() -> Any:
        yield Secret(secret)
        yield Pause(0.2)
        return (yield ECHO).status

    start = time.monotonic()
    assert run_flow(make_hook(), pause_and_mask()) == 200
    assert time.monotonic() - start >= 0.2
    assert redact(f"it says {secret}") == "it says ***"
