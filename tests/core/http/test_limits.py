"""The limits of an exchange: its time and the size of the head, with a clock of our own."""

from __future__ import annotations

import io

import pytest

from self_hosted.core.http import limits as limits_module
from self_hosted.core.http.errors import OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Request, Upload
from self_hosted.core.http.limits import MAX_HEAD_BYTES, MIN_TRANSFER_BYTES_PER_SECOND, ExchangeLimits

GET, POST = Request("GET", "/things"), Request("POST", "/things", json={})
FILE = Upload("a", io.BytesIO, 0)
UPLOADS = [Request("POST", "/things", body=FILE), Request("POST", "/things", parts={"file": FILE})]
DOWNLOAD = Request("GET", "/things", save_to=io.BytesIO)
TOTAL, READ_TIMEOUT = 100, 20


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits_module, "time", clock)
    return clock


def begin(request: Request) -> ExchangeLimits:
    return ExchangeLimits(request, TOTAL, READ_TIMEOUT)


def receive_head(request: Request) -> ExchangeLimits:
    limits = begin(request)
    limits.is_head_received = True
    return limits


def test_a_timeout_is_lowered_to_the_remaining_time(clock: Clock):
    limits = begin(GET)
    assert (limits.lower(20), limits.lower(None)) == (20, 100)
    clock.now += 90
    assert (limits.lower(20), limits.lower(None)) == (10, 10)


def test_after_the_total_time_the_outcome_is_unknown(clock: Clock):
    limits = begin(POST)
    clock.now += TOTAL
    with pytest.raises(OutcomeUnknownError, match=r"POST /things: no complete response within 100 s \(total timeout"):
        limits.lower(20)


@pytest.mark.parametrize("request_", UPLOADS)
def test_an_upload_takes_as_long_as_it_is_fast_enough(clock: Clock, request_):
    limits = begin(request_)
    for _ in range(50):
        clock.now += 60
        limits.count_sent(60 * MIN_TRANSFER_BYTES_PER_SECOND)
    assert limits.lower(None) == 100


def test_an_upload_that_is_too_slow_ends(clock: Clock):
    limits = begin(UPLOADS[0])
    for _ in range(3):
        clock.now += 49
        limits.count_sent(MIN_TRANSFER_BYTES_PER_SECOND)
        if clock.now < 1100:
            assert (limits.lower(None) or 0) > 0
    with pytest.raises(OutcomeUnknownError):
        limits.lower(None)


def test_a_fast_upload_does_not_pay_for_a_slow_response(clock: Clock):
    limits = begin(UPLOADS[0])
    clock.now += 10
    limits.count_sent(10**10)
    assert limits.lower(None) == TOTAL
    limits.count_received(1000)
    limits.is_head_received = True
    limits.count_received(10**6)
    clock.now += TOTAL
    with pytest.raises(OutcomeUnknownError):
        limits.lower(None)


def test_a_download_takes_as_long_as_it_is_fast_enough(clock: Clock):
    limits = receive_head(DOWNLOAD)
    for _ in range(50):
        clock.now += 60
        limits.count_received(60 * MIN_TRANSFER_BYTES_PER_SECOND)
    assert limits.lower(None) == 100


@pytest.mark.parametrize("request_", [GET, POST])
def test_another_request_is_not_extended(clock: Clock, request_):
    limits = receive_head(request_)
    clock.now += 60
    limits.count_sent(10**9)
    limits.count_received(10**9)
    assert limits.lower(None) == 40


@pytest.mark.parametrize(("request_", "error_class"), [(GET, ServerError), (POST, OutcomeUnknownError)])
def test_a_head_that_is_too_large_is_an_error_by_whether_something_was_written(request_, error_class):
    limits = begin(request_)
    limits.count_received(MAX_HEAD_BYTES)
    assert limits.lower(20) == 20
    limits.count_received(1)
    with pytest.raises(error_class, match="/things: the headers of the response are larger than 32 KiB"):
        limits.lower(20)


def test_the_body_does_not_count_as_a_part_of_the_head():
    limits = receive_head(GET)
    limits.count_received(10**9)
    assert limits.lower(20) == 20
