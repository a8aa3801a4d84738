"""Responses that never end: each byte arrives in time, and the request must end nevertheless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.core.http.errors import OutcomeUnknownError
from self_hosted.core.http.flow import Request
from tests.core.toy import send_request
from tests.hostile.server import (
    DRIP_BODY,
    DRIP_CHUNKS,
    DRIP_CONTINUE,
    DRIP_HEADERS,
    DRIP_STATUS,
    Behaviour,
    Exchange,
    as_json,
)

READ, WRITE = Request("GET", "/things"), Request("POST", "/things", json={"name": "thing"})
DRIPS: dict[str, Behaviour] = {
    "status": DRIP_STATUS,
    "headers": DRIP_HEADERS,
    "continue": DRIP_CONTINUE,
    "body": DRIP_BODY,
    "chunks": DRIP_CHUNKS,
}
MakeHook = Callable[..., Any]


@pytest.mark.parametrize("name", DRIPS)
def test_a_response_that_drips_ends_at_the_total_timeout(hostile, rudder: MakeHook, run_flow, name):
    hostile.respond = DRIPS[name]
    with pytest.raises(OutcomeUnknownError, match="POST /api/latest/things: no complete response within 1 s"):
        run_flow(rudder(total_timeout=1, retry_timeout=60), send_request(WRITE))
    assert hostile.count("POST") == 1


def test_every_product_has_the_total_timeout(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = DRIP_HEADERS
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(make_hook(total_timeout=1), send_request(READ))


def test_the_default_is_five_times_the_read_timeout(rudder: MakeHook):
    assert rudder(read_timeout=7).settings.address.total_timeout == 35
    assert rudder(read_timeout=7, total_timeout=0).settings.address.total_timeout == 35
    assert rudder(read_timeout=7, total_timeout=3).settings.address.total_timeout == 3


def test_a_read_is_repeated_within_the_retry_timeout(hostile, rudder: MakeHook, run_flow):
    def respond(exchange: Exchange) -> None:
        behaviour = DRIP_BODY if len(hostile.requests) == 1 else as_json([])
        behaviour(exchange)

    hostile.respond = respond
    assert run_flow(rudder(total_timeout=3, retry_timeout=60), send_request(READ)).json() == []


def test_the_silence_of_a_server_ends_at_the_total_timeout_if_that_is_shorter(hostile, rudder: MakeHook, run_flow):
    hostile.respond = lambda exchange: exchange.pause(60)
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(rudder(total_timeout=1), send_request(WRITE))


def test_the_tunnel_of_a_proxy_has_a_deadline(hostile, connect, rudder: MakeHook, run_flow):
    hostile.respond = DRIP_HEADERS
    hook = rudder(proxy=hostile.url, total_timeout=1, host="https://server.example.com")
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(hook, send_request(WRITE))
