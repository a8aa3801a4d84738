"""TLS, in a worker and in a trigger alike: whom we trust, and what we show."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from self_hosted.core.connection import Address
from self_hosted.core.errors import Uncertain, Unreachable
from self_hosted.core.flow import Request
from self_hosted.core.transport import _changes, _ssl_context
from tests.core.tls import refusing_server
from tests.core.toy import ToyHook, sent

ECHO = Request("GET", "/echo")
WORK = Request("POST", "/echo", json={"do": "it"})
Keyed = Callable[..., ToyHook]


def test_what_is_trusted_is_read_once_and_anew_when_it_was_renewed(authority, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Path(authority.bundle).read_bytes())
    address = Address("https://toy.example.com", verify=str(bundle))
    first = _ssl_context(address, _changes(address))
    assert _ssl_context(address, _changes(address)) is first
    os.utime(bundle, (1, 1))
    assert _ssl_context(address, _changes(address)) is not first


def test_a_bundle_makes_a_private_authority_trusted(keyed: Keyed, ask, tls, authority):
    assert ask(keyed(tls, ca_bundle=authority.bundle), sent(ECHO)).status == 200


def test_a_certificate_that_is_not_trusted_fails_at_once_and_says_so(keyed: Keyed, ask, tls):
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"its certificate is not trusted \(.* certificate.*\)"):
        ask(keyed(tls, retry_budget=30), sent(ECHO))
    assert time.monotonic() - began < 5


def test_a_certificate_for_another_name_is_not_trusted(keyed: Keyed, ask, tls, authority):
    with pytest.raises(Unreachable, match="its certificate is not trusted"):
        ask(keyed(tls.replace("127.0.0.1", "localhost"), ca_bundle=authority.bundle), sent(ECHO))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_the_check_of_certificates_can_be_switched_off(keyed: Keyed, ask, tls):
    assert ask(keyed(tls, verify_tls=False), sent(ECHO)).status == 200


def test_a_client_certificate_is_shown_where_the_server_asks_for_one(keyed: Keyed, ask, strict_tls, authority):
    cert, key = authority.issue("client")
    assert (
        ask(keyed(strict_tls, ca_bundle=authority.bundle, client_cert=cert, client_key=key), sent(ECHO)).status == 200
    )


def test_a_client_certificate_may_hold_its_key(keyed: Keyed, ask, strict_tls, authority, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text("".join(Path(path).read_text(encoding="utf-8") for path in authority.issue("client")))
    assert ask(keyed(strict_tls, ca_bundle=authority.bundle, client_cert=str(both)), sent(ECHO)).status == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_client_certificate_works_without_the_check_of_the_servers(keyed: Keyed, ask, strict_tls, authority):
    cert, key = authority.issue("client")
    assert ask(keyed(strict_tls, verify_tls=False, client_cert=cert, client_key=key), sent(ECHO)).status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_without_the_client_certificate_that_the_server_asks_for_it_fails_at_once(
    keyed: Keyed, ask, authority, version
):
    began = time.monotonic()
    with refusing_server(authority, version) as url, pytest.raises(Unreachable, match=r"(?i)alert"):
        ask(keyed(url, ca_bundle=authority.bundle, retry_budget=30), sent(ECHO))
    assert time.monotonic() - began < 5


def test_a_server_that_never_ends_its_handshake_is_tried_again(keyed: Keyed, ask, silent_port):
    hook = keyed(f"https://127.0.0.1:{silent_port}", connect_timeout=1, retry_budget=0)
    with pytest.raises((Unreachable, Uncertain), match="time-out") as error:
        ask(hook, sent(ECHO))
    assert error.value.retryable or isinstance(error.value, Uncertain)
