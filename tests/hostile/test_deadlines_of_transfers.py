"""Transfers that never end, and exchanges with TLS: they have deadlines, too."""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.http.errors import OutcomeUnknownError, UnreachableError
from self_hosted.core.http.flow import Request, Upload
from tests.core.http.tls import Authority
from tests.core.toy import open_zeros, send_request
from tests.hostile.server import DRIP_BODY, DRIP_HEADERS, HostileServer, canned, ignore_upload

WRITE = Request("POST", "/things", json={"name": "thing"})
DRIPS = {"headers": DRIP_HEADERS, "body": DRIP_BODY}
SIZE = 64 * 1024 * 1024
MakeHook = Callable[..., Any]


def test_an_upload_that_nobody_reads_ends(hostile, rudder: MakeHook, run_flow):
    hostile.respond = ignore_upload
    upload = Request("POST", "/things", body=Upload("zeros", lambda: open_zeros(SIZE), SIZE))
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(rudder(total_timeout=1), send_request(upload))


def test_a_response_that_drips_after_an_upload_ends(hostile, rudder: MakeHook, run_flow):
    hostile.respond = DRIP_BODY
    upload = Request("POST", "/things", parts={"file": Upload("a", lambda: io.BytesIO(bytes(1000_000)), 1000_000)})
    with pytest.raises(OutcomeUnknownError, match="no complete response within 2 s"):
        run_flow(rudder(total_timeout=2), send_request(upload))


def test_a_download_that_drips_ends(hostile, rudder: MakeHook, run_flow, tmp_path: Path):
    hostile.respond = DRIP_BODY
    download = Request("GET", "/things", save_to=lambda: (tmp_path / "file").open("wb"))
    with pytest.raises(OutcomeUnknownError, match="no complete response within 1 s"):
        run_flow(rudder(total_timeout=1), send_request(download))


# with TLS: on a busy machine, the handshake may take longer than the total timeout

ENDED, ENDED_MESSAGE = (OutcomeUnknownError, UnreachableError), "no complete response within 2 s|timeout"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hostile_tls(authority: Authority) -> Iterator[HostileServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("hostile"))
    with HostileServer(canned(), context) as running:
        yield running


@pytest.mark.parametrize("name", DRIPS)
def test_the_total_timeout_applies_to_tls(hostile_tls, authority, rudder: MakeHook, run_flow, name):
    hostile_tls.respond = DRIPS[name]
    hook = rudder(host=hostile_tls.url, ca_bundle=authority.bundle, total_timeout=2)
    with pytest.raises(ENDED, match=ENDED_MESSAGE):
        run_flow(hook, send_request(WRITE))


def test_an_upload_over_tls_that_nobody_reads_ends(hostile_tls, authority, rudder: MakeHook, run_flow):
    hostile_tls.respond = ignore_upload
    hook = rudder(host=hostile_tls.url, ca_bundle=authority.bundle, total_timeout=2)
    upload = Request("POST", "/things", body=Upload("zeros", lambda: open_zeros(SIZE), SIZE))
    with pytest.raises(ENDED, match=ENDED_MESSAGE):
        run_flow(hook, send_request(upload))
