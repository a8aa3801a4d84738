"""What happens between us and the server, in a worker (requests) and in a trigger (httpx) alike."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from airflow.sdk._shared.secrets_masker import redact

from self_hosted.core.errors import Broken, Busy, Invalid, NotFound, ProductError, Uncertain, Unreachable
from self_hosted.core.flow import Pause, Request, Secret
from tests.core import toy as toys
from tests.core.toy import ToyHook, sent

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
Keyed = Callable[..., ToyHook]


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
