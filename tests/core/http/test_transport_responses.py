"""Responses that no framework sends, with both transports; `tests/hostile` has many more."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from self_hosted.core.http.errors import NotFoundError, OutcomeUnknownError
from self_hosted.core.http.flow import Request, Upload
from tests.core.toy import ToyHook, open_zeros, send_request
from tests.hostile.server import DRIP_BODY, ENDLESS_ERROR, HostileServer, canned, head, ignore_upload, raw

WORK = Request("POST", "/echo", json={"do": "it"})
SIZE = 64 * 1024 * 1024
MakeHook = Callable[..., ToyHook]


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    with HostileServer(canned()) as running:
        yield running


def test_interim_responses_are_skipped(hostile, make_hook: MakeHook, run_flow):
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    hostile.respond = raw(interim * 3 + head(200, {"Content-Length": "2"}) + b"{}")
    reply = run_flow(make_hook(hostile.url), send_request(WORK))
    assert (reply.status, reply.body, "link" in reply.headers) == (200, b"{}", False)


MALFORMED = {
    "junk": b"junk\r\n\r\n",
    "the start of a head": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
    "no header": b"HTTP/1.1 200 OK\r\nno header\r\n\r\n{}",
    "an unknown transfer encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: magic\r\n\r\n{}",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_response_leaves_the_outcome_unknown(hostile, make_hook: MakeHook, run_flow, name):
    hostile.respond = raw(MALFORMED[name])
    with pytest.raises(OutcomeUnknownError, match=r"POST /echo: .*response"):
        run_flow(make_hook(hostile.url), send_request(WORK))
    assert hostile.count("POST") == 1


def test_a_response_that_drips_ends_at_the_total_timeout(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = DRIP_BODY
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(make_hook(hostile.url, total_timeout=1), send_request(WORK))


def test_an_upload_that_nobody_reads_ends_at_the_total_timeout(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = ignore_upload
    upload = Request("POST", "/things", body=Upload("zeros", lambda: open_zeros(SIZE), SIZE))
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(make_hook(hostile.url, total_timeout=1), send_request(upload))


def test_the_rest_of_a_large_error_is_not_read(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = ENDLESS_ERROR
    with pytest.raises(NotFoundError):
        run_flow(make_hook(hostile.url), send_request(Request("GET", "/things")))
