"""Faults of responses: those that arrive slowly, and malformed ones."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import requests

from self_hosted.sandbox.faults import VARIANTS
from self_hosted.sandbox.malformed import build_malformed_response
from tests.conftest import Served
from tests.sandbox.conftest import count_processed, send

# Slow responses


def test_drip_sends_the_complete_response_in_single_bytes(served: Served):
    served.fail("drip", seconds=0)
    with requests.get(f"{served.base_url}/page", timeout=60, stream=True) as reply:
        assert (reply.status_code, reply.headers["Content-Length"]) == (200, "19")
        assert reply.content == b"<html>a page</html>"
    assert count_processed(served) == 1


def test_drip_waits_before_each_byte(served: Served):
    served.fail("drip", seconds=3600)
    with requests.get(f"{served.base_url}/page", timeout=60, stream=True) as reply:
        assert reply.status_code == 200
        assert count_processed(served) == 1


def test_drip_ends_when_the_client_disconnects(served: Served):
    # a connection serves one response after another: the second one arrives although the first never ends
    served.fail("drip", seconds=3600)
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(b"GET /toy/page HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    assert send(served).status_code == 200


def test_drip_sends_an_empty_body(served: Served):
    served.fail("drip", seconds=3600)
    assert requests.head(f"{served.base_url}/page", timeout=60).status_code == 200


# Malformed responses


def build_body(variant: str, *, body: bytes, status: int = 200) -> tuple[int, bytes]:
    messages: list[dict[str, Any]] = [{"status": status}, {"body": body[:3], "more_body": True}, {"body": body[3:]}, {}]
    response = build_malformed_response(variant, messages)
    return response.status_code, bytes(response.body)


@pytest.mark.parametrize(
    ("variant", "body", "expected"),
    [
        ("truncated", b'{"a": 12}', b'{"a"'),
        ("truncated", b"", b'{"data": '),
        ("shape", b'{"a": "b", "c": null}', b'{"a": 1, "c": 1}'),
        ("shape", b"[1]", b"{}"),
        ("shape", b'"text"', b"[]"),
        ("shape", b"no JSON", b"[]"),
        ("null", b'{"a": 1}', b"null"),
    ],
)
def test_a_malformed_response_replaces_the_body(variant: str, body: bytes, expected: bytes):
    assert build_body(variant, body=body, status=201) == (201, expected)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_response_without_body_gets_one(variant: str):
    status, body = build_body(variant, body=b"", status=204)
    assert status == 200
    assert body


def test_a_malformed_response_without_processing_is_a_success(served: Served):
    served.fail("malformed", variant="html", processed=False)
    reply = send(served, "POST")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Sign in</title>" in reply.text


@pytest.mark.parametrize("variant", VARIANTS)
def test_malformed_responses_are_counted_by_variant(served: Served, variant: str):
    served.fail("malformed", variant=variant)
    assert send(served).status_code == 200
    counts = requests.get(f"{served.url}/_control/counts", timeout=60).json()
    assert counts["faults"] == {f"malformed {variant}": 1}
