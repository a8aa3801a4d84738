"""Responses that are too large: rejected while they are received, in a worker and in a triggerer."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.http.errors import InvalidRequestError, NotFoundError, OutcomeUnknownError, ServerError
from self_hosted.core.http.flow import Request
from tests.core.toy import fetch_json, send_request
from tests.hostile.server import (
    ENDLESS_BODY,
    ENDLESS_ERROR,
    HUGE_JSON,
    MILLION_ITEMS,
    Behaviour,
    Exchange,
    as_json,
    bomb,
    canned,
    nested,
)

MAX_GROWTH_MIB = 100
READ, WRITE = Request("GET", "/things"), Request("POST", "/things", json={"name": "thing"})
TOO_LARGE = r"the response is larger than 1 MiB \(max_response_mib of the connection\)"
LARGE: dict[str, Behaviour] = {
    "a gzip bomb": bomb(),
    "an endless body": ENDLESS_BODY,
    "400 MB": HUGE_JSON,
}
MakeHook = Callable[..., Any]


@pytest.mark.parametrize("name", LARGE)
def test_a_large_response_to_a_read_is_an_error_and_not_requested_again(hostile, rudder: MakeHook, run_flow, name):
    hostile.respond = LARGE[name]
    with pytest.raises(ServerError, match=f"GET /api/latest/things: {TOO_LARGE}"):
        run_flow(rudder(max_response_mib=1, retry_timeout=60), fetch_json(READ))
    assert hostile.count("GET") == 1


def test_a_large_response_to_a_write_leaves_its_outcome_unknown(hostile, rudder: MakeHook, run_flow):
    hostile.respond = ENDLESS_BODY
    with pytest.raises(OutcomeUnknownError, match=TOO_LARGE):
        run_flow(rudder(max_response_mib=1, retry_timeout=60), send_request(WRITE))
    assert hostile.count("POST") == 1


def test_every_product_has_the_limit(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = bomb()
    with pytest.raises(ServerError, match=TOO_LARGE):
        run_flow(make_hook(max_response_mib=1), fetch_json(READ))


def test_the_default_is_64_mib(make_hook: MakeHook):
    assert make_hook().settings.address.max_response_bytes == 64 * 1024 * 1024


def test_a_response_up_to_the_limit_is_accepted(hostile, rudder: MakeHook, run_flow):
    text = "x" * (1024 * 1024 - 2)
    hostile.respond = as_json(text)
    assert run_flow(rudder(max_response_mib=1), fetch_json(READ)) == text
    hostile.respond = as_json(text + "x")
    with pytest.raises(ServerError, match=TOO_LARGE):
        run_flow(rudder(max_response_mib=1), fetch_json(READ))


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "GZIP"])
def test_gzip_is_decoded(hostile, rudder: MakeHook, run_flow, name):
    packed = gzip.compress(b'["first", ') + gzip.compress(b'"second"]')
    hostile.respond = as_json(packed, headers={"Content-Encoding": name})
    assert run_flow(rudder(), fetch_json(READ)) == ["first", "second"]
    assert hostile.requests[0].headers["accept-encoding"] == "gzip"


def test_an_unpacked_body_may_be_marked_as_such(hostile, rudder: MakeHook, run_flow):
    hostile.respond = as_json(["plain"], headers={"Content-Encoding": "identity"})
    assert run_flow(rudder(), fetch_json(READ)) == ["plain"]


def test_an_empty_body_needs_no_gzip(hostile, rudder: MakeHook, run_flow):
    hostile.respond = canned(204, {"Content-Encoding": "gzip"})
    assert run_flow(rudder(), send_request(READ)).body == b""


def test_gzip_without_its_end_is_malformed(hostile, rudder: MakeHook, run_flow):
    packed = gzip.compress(json.dumps(list(range(1000))).encode())[:-20]
    hostile.respond = as_json(packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(OutcomeUnknownError, match="malformed response: its compressed body is incomplete"):
        run_flow(rudder(), send_request(WRITE))


def test_the_body_of_an_error_is_cut_off(hostile, rudder: MakeHook, run_flow):
    hostile.respond = ENDLESS_ERROR
    with pytest.raises(NotFoundError, match=r"no such object") as error:
        run_flow(rudder(), send_request(READ))
    assert len(str(error.value)) < 1000


def test_an_error_bomb_is_cut_off(hostile, make_hook: MakeHook, run_flow):
    hostile.respond = bomb(status=404)
    with pytest.raises(NotFoundError):
        run_flow(make_hook(), send_request(READ))


def test_the_error_function_reads_json_that_is_cut_off(hostile, make_hook: MakeHook, run_flow):
    body = {"error": "x" * 100_000, "detail": "y" * 100_000}
    hostile.respond = as_json(body, 400)
    with pytest.raises(InvalidRequestError):
        run_flow(make_hook(), send_request(WRITE))


def test_the_body_of_a_redirect_is_cut_off(hostile, rudder: MakeHook, run_flow):
    hostile.respond = bomb(status=302)
    with pytest.raises(InvalidRequestError, match="redirected"):
        run_flow(rudder(), send_request(READ))


# downloads


def test_a_download_may_be_larger_than_a_response_in_memory(hostile, rudder: MakeHook, run_flow, tmp_path: Path):
    hostile.respond = canned(body=b"x" * 3_000_000)
    download = Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"), max_size=3_000_000)
    run_flow(rudder(max_response_mib=1), send_request(download))
    assert (tmp_path / "file").stat().st_size == 3_000_000


@pytest.mark.parametrize("name", LARGE)
def test_a_download_has_a_limit_of_its_own(hostile, rudder: MakeHook, run_flow, tmp_path: Path, name):
    hostile.respond = LARGE[name]
    download = Request("GET", "/file", save_to=lambda: (tmp_path / "file").open("wb"), max_size=2 * 1024 * 1024)
    with pytest.raises(ServerError, match=r"the response is larger than 2 MiB \(max_size of the request\)"):
        run_flow(rudder(), send_request(download))
    assert (tmp_path / "file").stat().st_size <= 2 * 1024 * 1024


def test_a_download_of_assemblyline_has_a_maximum_size(hostile, connect_product, tmp_path: Path):
    hostile.respond = canned(body=b"CART" + bytes(2_000_000))
    with pytest.raises(ServerError, match=r"the response is larger than 1 MiB \(max_size of the request\)"):
        connect_product("assemblyline").download_file(
            "a" * 64, lambda: (tmp_path / "file").open("wb"), max_size=1024 * 1024
        )


def test_an_error_of_the_target_is_not_taken_for_one_of_the_network(hostile, rudder: MakeHook, run_flow):
    hostile.respond = canned(body=b"x" * 100)

    def open_full_disk() -> Any:
        return Path("/dev/full").open("wb", buffering=0)

    with pytest.raises(OSError, match="No space left on device"):
        run_flow(rudder(), send_request(Request("GET", "/file", save_to=open_full_disk)))


# nesting and long lists


@pytest.mark.parametrize("levels", [101, 900, 5_000, 1_000_000])
def test_deep_nesting_is_an_error(hostile, rudder: MakeHook, run_flow, levels):
    hostile.respond = as_json(nested(levels))
    with pytest.raises(ServerError, match="the response is nested more than 100 levels deep"):
        run_flow(rudder(), fetch_json(READ))


@pytest.mark.parametrize("body", [nested(100), b"[" * 1 + b"[]," * 500 + b"[]]", b'["' + b"[" * 5_000 + b'"]'])
def test_a_flat_document_with_many_brackets_is_accepted(hostile, rudder: MakeHook, run_flow, body):
    hostile.respond = as_json(body)
    assert run_flow(rudder(), fetch_json(READ)) == json.loads(body)


def test_a_million_items_are_accepted_because_only_the_size_counts(hostile, rudder: MakeHook, run_flow):
    hostile.respond = MILLION_ITEMS
    assert len(run_flow(rudder(), fetch_json(READ))) == 1_000_000


# memory


@pytest.mark.skipif(not sys.platform.startswith(("linux", "darwin")), reason="needs the peak memory of a process")
@pytest.mark.parametrize("transport", ["worker", "trigger"])
def test_no_response_takes_100_mib(hostile, rudder: MakeHook, transport):
    rudder(max_response_mib=64)  # defines the connection
    behaviours = {
        "/bomb": bomb(),
        "/endless": ENDLESS_BODY,
        "/huge": HUGE_JSON,
        "/million": MILLION_ITEMS,
        "/nested": as_json(nested(1_000_000)),
        "/error-bomb": bomb(status=500),
    }

    def respond(exchange: Exchange) -> None:
        behaviours.get(f"/{exchange.target.rpartition('/')[2]}", as_json({}))(exchange)

    hostile.respond = respond
    command = [sys.executable, "-m", "tests.hostile.memory_run", transport, *behaviours]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=os.environ.copy())
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.split("RESULT", 1)[1])
    outcomes = result["outcomes"]
    for path in ("/bomb", "/endless", "/huge"):
        assert outcomes[path].startswith("ServerError: the response is larger than 64 MiB"), outcomes
    assert outcomes["/million"] == "list"
    assert outcomes["/nested"].startswith("ServerError: the response is nested"), outcomes
    assert outcomes["/error-bomb"].startswith("ServerError"), outcomes
    assert result["growth"] < MAX_GROWTH_MIB
