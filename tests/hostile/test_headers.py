"""Malformed responses: one clear error, whatever the server sends, and nothing is done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from self_hosted.core.http.errors import InvalidRequestError, OutcomeUnknownError, ServerError, UnavailableError
from self_hosted.core.http.flow import Request
from self_hosted.core.http.retry_after import parse_retry_after
from tests.core.toy import send_request
from tests.hostile.server import (
    ENDLESS_CONTINUE,
    ENDLESS_HEADER,
    ENDLESS_HEADERS,
    ENDLESS_INTERIM,
    ENDLESS_STATUS,
    Exchange,
    as_json,
    canned,
    head,
    raw,
)

READ = Request("GET", "/things")
WRITE = Request("POST", "/things", json={"name": "thing"})
OK = b"HTTP/1.1 200 OK\r\n"
END = b"\r\n\r\n"

MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "line breaks": b"\r\n\r\n\r\n",
    "no HTTP": b"220 mail.example.com ESMTP\r\n",
    "a page without a head": b"<html>hello</html>",
    "binary": bytes(range(256)) * 8,
    "an unknown version": b"HTTP/9.9 200 OK" + END,
    "HTTP/2 settings": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),
    "a status without digits": b"HTTP/1.1 abc OK" + END,
    "a status below 100": b"HTTP/1.1 099 OK" + END,
    "a status above 999": b"HTTP/1.1 1000 OK" + END,
    "a negative status": b"HTTP/1.1 -20 OK" + END,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade" + END,
    "the start of a head": OK + b"Content-Type: appl",
    "two content lengths": OK + b"Content-Length: 2\r\nContent-Length: 3" + END + b"{}",
    "two content lengths in a line": OK + b"Content-Length: 2, 3" + END + b"{}",
    "a content length in words": OK + b"Content-Length: two" + END + b"{}",
    "a negative content length": OK + b"Content-Length: -1" + END + b"{}",
    "a huge content length": OK + b"Content-Length: " + b"9" * 5000 + END + b"{}",
    "a body that is too short": OK + b"Content-Length: 100" + END + b"{}",
    "a line without a colon": OK + b"no header\r\nContent-Length: 2" + END + b"{}",
    "a header without a name": OK + b": value\r\nContent-Length: 2" + END + b"{}",
    "a header name with a blank": OK + b"bad name : value\r\nContent-Length: 2" + END + b"{}",
    "a header with NUL": OK + b"X-Nul: a\x00b\r\nContent-Length: 2" + END + b"{}",
    "a header that is not UTF-8": OK + b"X-Bytes: \xff\xfe\r\nContent-Length: 2" + END + b"{}",
    "a header name that is not ASCII": OK + b"X-\xff: value\r\nContent-Length: 2" + END + b"{}",
    "a folded header": OK + b"X-Folded: a\r\n b\r\nContent-Length: 2" + END + b"{}",
    "a bare carriage return": OK + b"X-A: a\rX-B: b\r\nContent-Length: 2" + END + b"{}",
    "a location that is no URL": b"HTTP/1.1 302 Found\r\nLocation: http://[::1\xff\r\nContent-Length: 0" + END,
    "a content type of junk": OK + b"Content-Type: ;;=\xff;charset=\r\nContent-Length: 2" + END + b"{}",
    "an unknown transfer encoding": OK + b"Transfer-Encoding: magic" + END + b"{}",
    "chunked and gzip": OK + b"Transfer-Encoding: gzip, chunked" + END + b"2\r\n{}\r\n0" + END,
    "a chunk size of junk": OK + b"Transfer-Encoding: chunked" + END + b"xyz\r\n{}\r\n0" + END,
    "a negative chunk size": OK + b"Transfer-Encoding: chunked" + END + b"-2\r\n{}\r\n0" + END,
    "a chunk size that is too long": OK + b"Transfer-Encoding: chunked" + END + b"0" * 200_000 + b"2\r\n{}\r\n0" + END,
    "a chunk that is too short": OK + b"Transfer-Encoding: chunked" + END + b"64\r\n{}",
    "no last chunk": OK + b"Transfer-Encoding: chunked" + END + b"2\r\n{}\r\n",
    "a length and chunks": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5" + END + b"2\r\n{}\r\n0" + END,
    "a trailer without an end": OK + b"Transfer-Encoding: chunked" + END + b"2\r\n{}\r\n0\r\nX: " + b"x" * 200_000,
    "gzip that is none": OK + b"Content-Encoding: gzip\r\nContent-Length: 7" + END + b"no gzip",
    "gzip that is cut off": OK + b"Content-Encoding: gzip\r\nContent-Length: 10" + END + b"\x1f\x8b\x08" + bytes(7),
    "an encoding that was not requested": OK + b"Content-Encoding: br\r\nContent-Length: 2" + END + b"{}",
    "many encodings": OK + b"Content-Encoding: " + b"gzip, " * 50 + b"gzip\r\nContent-Length: 2" + END + b"{}",
    "many headers": OK + b"".join(b"X-%d: v\r\n" % number for number in range(200)) + b"\r\n{}",
    "a long header": OK + b"X-Long: " + b"x" * 150_000 + END + b"{}",
    "a long reason": b"HTTP/1.1 200 " + b"x" * 150_000 + END + b"{}",
}
LENIENT = {
    *("an unknown version", "a header that is not UTF-8", "a header without a name", "a header with NUL"),
    *("a folded header", "a bare carriage return", "a content type of junk", "a length and chunks"),
}
"""What one of the libraries accepts, without harm."""
REDIRECTS = {"a location that is no URL"}
FLOODS = {
    "headers": ENDLESS_HEADERS,
    "a header": ENDLESS_HEADER,
    "a status line": ENDLESS_STATUS,
    "early hints": ENDLESS_INTERIM,
    "continue": ENDLESS_CONTINUE,
}
MakeHook = Callable[..., Any]


@pytest.mark.parametrize("name", sorted(MALFORMED.keys() - LENIENT - REDIRECTS))
def test_a_malformed_response_leaves_the_outcome_of_a_write_unknown(hostile, rudder: MakeHook, run_flow, name):
    hostile.respond = raw(MALFORMED[name])
    with pytest.raises(OutcomeUnknownError, match=r"POST /api/latest/things: .*response") as error:
        run_flow(rudder(retry_timeout=60), send_request(WRITE))
    assert "credential" not in str(error.value)
    assert hostile.count("POST") == 1


@pytest.mark.parametrize("name", sorted(LENIENT | REDIRECTS))
def test_an_unusual_response_is_accepted_or_a_clear_error(hostile, rudder: MakeHook, run_flow, name):
    hostile.respond = raw(MALFORMED[name])
    with contextlib.suppress(OutcomeUnknownError, InvalidRequestError):
        assert run_flow(rudder(), send_request(WRITE)).status == 200
    assert hostile.count("POST") == 1


def test_all_products_report_a_malformed_response_in_the_same_way(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = raw(MALFORMED["two content lengths"])
    with pytest.raises(OutcomeUnknownError, match="malformed response: it is no valid HTTP"):
        run_flow(make_hook(), send_request(WRITE))


def test_a_read_is_repeated_after_a_malformed_response(hostile, rudder: MakeHook, run_flow):
    def respond(exchange: Exchange) -> None:
        behaviour = raw(b"junk\r\n\r\n") if len(hostile.requests) == 1 else canned(body=b"{}")
        behaviour(exchange)

    hostile.respond = respond
    assert run_flow(rudder(retry_timeout=60), send_request(READ)).body == b"{}"


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_before_the_response_is_limited(hostile, rudder: MakeHook, run_flow, name):
    hostile.respond = FLOODS[name]
    with pytest.raises(OutcomeUnknownError, match="headers"):
        run_flow(rudder(), send_request(WRITE))
    with pytest.raises(ServerError, match="headers"):
        run_flow(rudder(retry_timeout=60), send_request(READ))
    assert hostile.count("GET") == 1


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_interim_responses_are_skipped(hostile, rudder: MakeHook, run_flow, status):
    interim = b"HTTP/1.1 %d Wait\r\nLink: </a>\r\n\r\n" % status
    hostile.respond = raw(interim * 5 + head(200, {"Content-Length": "2"}) + b"{}")
    reply = run_flow(rudder(), send_request(WRITE))
    assert (reply.status, reply.body) == (200, b"{}")
    assert "link" not in reply.headers


@pytest.mark.parametrize("value", ["key\nX-Injected: yes", "k\rey", "k\x00ey", "k\x7fey", "k€y"])
def test_an_invalid_header_of_our_own_request_is_a_bad_credential(hostile, rudder: MakeHook, run_flow, value):
    with pytest.raises(ValueError, match="a header contains an invalid character") as error:
        run_flow(rudder(password=value), send_request(WRITE))
    assert "ey" not in str(error.value)
    assert hostile.requests == []


# Retry-After

WEIRD_RETRY_AFTERS = [
    *(
        "1e9",
        "1e308",
        "1e999",
        "-5",
        "nan",
        "inf",
        "-inf",
        "soon",
        "1700000000000",
        "99999999999999999999999999",
        "0x10",
    ),
    *("Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359"),
    *(
        "Mon, 99 Foo 99999999999 99:99:99 GMT",
        "1 Jan 1 0:0:0 +99999999999",
        ",",
        "()",
        "\xff",
        "1 2 3 4 5",
        "x" * 20_000,
    ),
    *("Thu, 01 Jan 1970 00:00:00 GMT", "0", "1" * 5000, "١٢", "1_000"),
]


@pytest.mark.parametrize("value", WEIRD_RETRY_AFTERS)
def test_no_retry_after_is_longer_than_a_day_or_negative(value):
    seconds = parse_retry_after(value)
    assert seconds is None or 0 <= seconds <= 24 * 3600


@pytest.mark.parametrize("value", ["1e9", "1700000000000", "nan", "-5", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_weird_retry_after_fails_no_request(hostile, make_hook: MakeHook, run_flow, value):
    hostile.respond = as_json({"errorDetails": "later"}, 429, {"Retry-After": value})
    with pytest.raises(UnavailableError) as error:
        run_flow(make_hook(), send_request(WRITE))
    assert 0 <= (error.value.retry_after or 0) <= 24 * 3600
