"""Log lines: no secrets, one line each, one line per pause and per request, and never one per check."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import pytest

from self_hosted.core.http import logs
from self_hosted.core.http.auth import LoginAuth
from self_hosted.core.http.errors import OutcomeUnknownError, UnavailableError
from self_hosted.core.http.flow import NO_REPLY, Flow, Pause, Reply, Request
from self_hosted.core.http.limiter import RequestLimiter
from self_hosted.core.http.logs import Throttle, describe_changes, get_logger, shorten
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.core.http.redact import Secrets
from tests.conftest import FlowRunner, Served
from tests.core.toy import API_KEY, Toy, send_request

GET = Request("GET", "/whoami", query={"user": "anna"})


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(logs, "time", clock)
    return clock


def test_a_record_is_one_line_without_secrets(caplog):
    secrets = Secrets(["correct-horse"])
    get_logger("self_hosted.test").warning("%s said\n%s\x1b[31m", "server", "Y29ycmVjdC1ob3JzZQ== correct-horse")
    assert "correct-horse" not in caplog.text
    [record] = caplog.records
    assert record.getMessage() == "server said *** ***[31m"
    assert secrets.redact("correct-horse") == "***"


def test_the_logger_of_a_module_cleans_once():
    assert get_logger("self_hosted.test") is get_logger("self_hosted.test")
    assert len(get_logger("self_hosted.test").filters) == 1


def test_a_line_is_due_after_the_delay_and_then_once_per_minute(clock):
    throttle, due = Throttle(first_after=5), []
    for _ in range(140):
        due += [throttle.seconds] if throttle.is_due() else []
        clock.seconds += 1
    assert due == [5, 65, 125]


def test_the_reason_of_a_pause_says_how_long_it_has_lasted(clock):
    throttle = Throttle(first_after=5)
    assert not throttle.reason("waiting")
    clock.seconds += 7
    assert throttle.reason("waiting") == "waiting, for 7 s so far"
    assert not throttle.reason("waiting")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (12, "12"),
        (True, "true"),
        ({"a": [1]}, '{"a": [1]}'),
        ("é" * 81, "é" * 79 + "…"),
        ("b" * 80, "b" * 80),
    ],
)
def test_values_are_shortened(value, text):
    assert shorten(value) == text


def test_changes_name_old_and_new_values():
    before = {"enabled": False, "directives": ["a", "b"], "tags": [{"x": "1"}], "other": 1}
    after = {"enabled": True, "directives": ["b", "c", "d"], "tags": [{"x": "1"}, {"y": "2"}], "name": "new"}
    assert describe_changes(before, after) == (
        'enabled false -> true, directives +2 -1, tags +1 -0, name null -> "new"'
    )


# pauses


def test_each_pause_is_logged_with_its_reason(
    make_hook, served: Served, run_flow: FlowRunner, caplog, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("self_hosted.core.http.retries._backoff", lambda state: 0.01)
    served.fail("status", status=503, path="/whoami", times=4)
    run_flow(make_hook(), send_request(GET))
    lines = [record.getMessage() for record in caplog.records if "retry" in record.getMessage()]
    assert len(lines) == 4
    assert all(record.levelno == logging.WARNING for record in caplog.records if "retry" in record.getMessage())
    assert lines[0].startswith("GET /whoami: ")
    assert lines[0].endswith("(HTTP 503): retry 1 in 0.0 s, for up to 30 s in all")
    assert "retry 4 in" in lines[3]


def test_a_pause_names_retry_after():
    from self_hosted.core.http.retries import with_retries

    def fail() -> Any:
        yield GET
        raise UnavailableError("busy", retry_after=7.0)

    flow = with_retries(fail, lambda error: error.retryable, 60)
    next(flow)
    assert flow.send(NO_REPLY) == Pause(7.0, reason="busy: retry 1 in 7.0 s (Retry-After), for up to 60 s in all")


def find_after(looks: int) -> Any:
    """Return a function that finds an effect at a later look."""
    found = iter([None] * looks + ["effect"])

    def find() -> Any:
        yield GET
        return next(found)

    return find


def run_by_hand(flow: Any) -> tuple[list[Pause], Any]:
    pauses, step = [], next(flow)
    try:
        while True:
            pauses += [step] if isinstance(step, Pause) else []
            step = flow.send(NO_REPLY)
    except StopIteration as end:
        return pauses, end.value


def test_a_recovered_response_is_logged_once(caplog):
    lost = OutcomeUnknownError("the response was lost: timeout", method="POST", path="/x")
    pauses, effect = run_by_hand(poll_for_effect(find_after(1), lost=lost))
    assert effect == "effect"
    expected = "POST /x: the response was lost: timeout: looking for its effect again in 1 s"
    assert [pause.reason for pause in pauses] == [expected]
    assert caplog.messages == ["POST /x: the response was lost: timeout; its effect was found"]


def test_a_missing_effect_is_logged_once(caplog):
    lost = OutcomeUnknownError("the response was lost: timeout", method="POST", path="/x")
    assert run_by_hand(poll_for_effect(find_after(9), (), lost)) == ([], None)
    assert caplog.messages == ["POST /x: the response was lost: timeout; no effect was found"]


def test_without_a_lost_response_only_the_pauses_have_a_reason(caplog):
    pauses, _ = run_by_hand(poll_for_effect(find_after(1), (3.0,)))
    expected = "an earlier attempt may still be in progress: looking for its effect again in 3 s"
    assert ([pause.reason for pause in pauses], caplog.messages) == ([expected], [])


# requests


def test_each_attempt_is_logged_at_debug(
    make_hook, served: Served, toy: Toy, run_flow: FlowRunner, caplog, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("self_hosted.core.http.retries._backoff", lambda state: 0.01)
    caplog.set_level(logging.DEBUG, "self_hosted")
    served.fail("status", status=503, path="/whoami", times=1)
    run_flow(make_hook(), send_request(GET))
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert [line.partition(" after ")[0] for line in lines] == ["GET /whoami: 503", "GET /whoami: 200"]
    assert [line.rpartition(", ")[2] for line in lines] == ["attempt 1", "attempt 2"]
    assert "anna" not in caplog.text
    assert API_KEY not in caplog.text


def test_a_failed_exchange_is_logged_at_debug(make_hook, closed_port, run_flow: FlowRunner, caplog):
    caplog.set_level(logging.DEBUG, "self_hosted")
    with pytest.raises(Exception, match="cannot reach"):
        run_flow(make_hook(f"http://127.0.0.1:{closed_port}", retry_timeout=0), send_request(GET))
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert line.startswith("GET /whoami: UnreachableError after ")


def test_requests_cost_nothing_without_debug(make_hook, served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("self_hosted.core.http.request_log.RequestLog.send", None)
    assert isinstance(make_hook().run(send_request(GET)), Reply)


# long waits for something of our own


def test_a_long_wait_for_a_free_place_has_a_reason_now_and_then(clock):
    limiter = RequestLimiter(max_concurrency=1, max_per_second=0)
    first, second = limiter.send(GET), limiter.send(GET)
    next(first)
    reasons = [next(second).reason]  # type: ignore[union-attr]
    for _ in range(70):
        clock.seconds += 1
        reasons.append(second.send(NO_REPLY).reason)  # type: ignore[union-attr]
    expected = "GET /whoami: waiting for one of the connection's 1 concurrent requests to end, for 5 s so far"
    assert [reason for reason in reasons if reason] == [expected, expected.replace("5 s", "65 s")]


@pytest.mark.parametrize(("seconds", "is_news"), [(100.0, True), (1.0, False)])
def test_a_long_wait_for_the_rate_limit_has_a_reason(seconds, is_news):
    limiter = RequestLimiter(max_concurrency=0, max_per_second=3)
    limiter.next_start = time.monotonic() + seconds
    pause = next(limiter.send(GET))
    assert isinstance(pause, Pause)
    assert ("because of the connection's limit of 3 requests per second" in pause.reason) is is_news


class StuckLogin(LoginAuth):
    """A login that never ends."""

    def login(self) -> Flow[Mapping[str, str]]:
        while True:
            yield Pause(0)


def test_a_long_wait_for_a_login_has_a_reason(clock):
    auth = StuckLogin()
    logging_in = auth.send(GET)
    next(logging_in)
    waiting = auth.send(GET)
    assert not next(waiting).reason  # type: ignore[union-attr]
    clock.seconds += 6
    assert waiting.send(NO_REPLY).reason == "waiting for a login that is in progress, for 6 s so far"  # type: ignore[union-attr]
