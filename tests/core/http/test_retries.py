"""The retry policy, stepped by hand: pauses, and errors whose body is not what it should be."""

from __future__ import annotations

import pytest

from self_hosted.core.http.errors import (
    InvalidRequestError,
    NotFoundError,
    SelfHostedError,
    ServerError,
    UnavailableError,
)
from self_hosted.core.http.flow import Pause, Reply, Request
from self_hosted.core.http.retries import Retries
from tests.core.toy import parse_error

READ = Request("GET", "/things")
JSON = {"content-type": "application/json"}


def first_pause(error: SelfHostedError, timeout: float) -> float:
    """Return the pause after one failed attempt."""
    flow = Retries(lambda reply: error, timeout).send(READ)
    assert next(flow) == READ
    step = flow.send(Reply(503, {}, b"", READ))
    assert isinstance(step, Pause)
    flow.close()
    return step.seconds


@pytest.mark.parametrize(("retry_after", "pause"), [(60, 60), (3600, 3600), (7200, 3600), (24 * 3600, 3600)])
def test_a_pause_is_an_hour_at_most(retry_after, pause):
    assert first_pause(UnavailableError("later", retry_after=retry_after), timeout=7 * 24 * 3600) == pause


def test_a_pause_never_exceeds_the_retry_timeout():
    flow = Retries(lambda reply: UnavailableError("later", retry_after=7200), timeout=3000).send(READ)
    next(flow)
    with pytest.raises(UnavailableError):
        flow.send(Reply(503, {}, b"", READ))


def end_of(reply: Reply) -> SelfHostedError:
    flow = Retries(parse_error, 60).send(READ)
    next(flow)
    with pytest.raises(SelfHostedError) as error:
        flow.send(reply)
    return error.value


@pytest.mark.parametrize(("status", "error_class"), [(404, NotFoundError), (422, InvalidRequestError)])
def test_an_error_with_truncated_json_is_that_of_its_status(status, error_class):
    error = end_of(Reply(status, JSON, b'{"error": "it says th', READ))
    assert type(error) is error_class
    assert "it says th" in error.message


def test_a_success_with_truncated_json_is_a_server_error():
    error = end_of(Reply(200, JSON, b'{"error": "it says th', READ))
    assert type(error) is ServerError
