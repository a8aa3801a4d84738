"""TLS: trusted certificates and client certificates."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from self_hosted.core.http.address import Address
from self_hosted.core.http.errors import OutcomeUnknownError, UnreachableError
from self_hosted.core.http.flow import Request
from self_hosted.core.http.tls import load_tls_context
from tests.core.http.tls import rejecting_server
from tests.core.toy import ToyHook, send_request

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
MakeHook = Callable[..., ToyHook]


def test_the_tls_context_is_cached_until_a_certificate_file_changes(authority, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(authority.bundle).read_bytes())
    address = Address("https://toy.example.com", verify=str(bundle))
    first = load_tls_context(address)
    assert load_tls_context(address) is first
    os.utime(bundle, (1, 1))
    assert load_tls_context(address) is not first


def test_a_ca_bundle_makes_a_private_authority_trusted(make_hook: MakeHook, run_flow, tls, authority):
    assert run_flow(make_hook(tls, ca_bundle=authority.bundle), send_request(ECHO)).status == 200


def test_an_untrusted_certificate_fails_without_retries(make_hook: MakeHook, run_flow, tls):
    start = time.monotonic()
    with pytest.raises(UnreachableError, match=r"its certificate is not trusted \(.* certificate.*\)"):
        run_flow(make_hook(tls, retry_timeout=30), send_request(ECHO))
    assert time.monotonic() - start < 25  # without retries


def test_a_certificate_for_another_name_is_not_trusted(make_hook: MakeHook, run_flow, tls, authority):
    with pytest.raises(UnreachableError, match="its certificate is not trusted"):
        run_flow(make_hook(tls.replace("127.0.0.1", "localhost"), ca_bundle=authority.bundle), send_request(ECHO))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_certificate_verification_can_be_disabled(make_hook: MakeHook, run_flow, tls):
    assert run_flow(make_hook(tls, verify_tls=False), send_request(ECHO)).status == 200


def test_a_client_certificate_is_sent_to_a_server_that_requires_it(
    make_hook: MakeHook, run_flow, strict_tls, authority
):
    cert, key = authority.issue("client")
    assert (
        run_flow(
            make_hook(strict_tls, ca_bundle=authority.bundle, client_cert=cert, client_key=key), send_request(ECHO)
        ).status
        == 200
    )


def test_a_client_certificate_file_may_contain_its_key(make_hook: MakeHook, run_flow, strict_tls, authority, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text("".join(Path(path).read_text(encoding="utf-8") for path in authority.issue("client")))
    assert (
        run_flow(make_hook(strict_tls, ca_bundle=authority.bundle, client_cert=str(both)), send_request(ECHO)).status
        == 200
    )


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_client_certificate_works_without_certificate_verification(
    make_hook: MakeHook, run_flow, strict_tls, authority
):
    cert, key = authority.issue("client")
    assert (
        run_flow(make_hook(strict_tls, verify_tls=False, client_cert=cert, client_key=key), send_request(ECHO)).status
        == 200
    )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_missing_client_certificate_fails_without_retries(make_hook: MakeHook, run_flow, authority, version):
    start = time.monotonic()
    with rejecting_server(authority, version) as url, pytest.raises(UnreachableError, match=r"(?i)alert"):
        run_flow(make_hook(url, ca_bundle=authority.bundle, retry_timeout=30), send_request(ECHO))
    assert time.monotonic() - start < 25  # without retries


def test_a_handshake_that_never_ends_times_out(make_hook: MakeHook, run_flow, silent_port):
    hook = make_hook(f"https://127.0.0.1:{silent_port}", connect_timeout=1, retry_timeout=0)
    with pytest.raises((UnreachableError, OutcomeUnknownError), match="timeout") as error:
        run_flow(hook, send_request(ECHO))
    assert error.value.retryable or isinstance(error.value, OutcomeUnknownError)
