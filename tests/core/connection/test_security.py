"""Warnings about connections that expose their credential, and certificate files that cannot be used."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from self_hosted.core.connection import security
from self_hosted.core.connection.security import describe_risk, warn_once
from self_hosted.core.http.address import Address
from self_hosted.core.http.flow import Request
from self_hosted.core.http.tls import load_tls_context
from tests.core.http.tls import Authority
from tests.core.toy import ToyHook, send_request

ECHO = Request("GET", "/echo")
UNENCRYPTED = "The credential is sent unencrypted, because the base URL begins with http://; use https://."
UNVERIFIED = "The server's certificate is not checked, so the credential may be sent to another server; verify TLS."
MakeHook = Callable[..., ToyHook]


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_warned", set())


@pytest.mark.parametrize(
    ("address", "risk"),
    [
        (Address("http://toy.example.com"), UNENCRYPTED),
        (Address("http://10.0.0.1:8080/sub", verify=False), UNENCRYPTED),
        (Address("https://toy.example.com", verify=False), UNVERIFIED),
        (Address("https://toy.example.com"), ""),
        (Address("https://toy.example.com", verify="/ca.pem"), ""),
        *(
            (Address(f"http://{host}:1"), "")
            for host in ("127.0.0.1", "127.9.9.9", "[::1]", "localhost", "a.localhost")
        ),
        (Address("https://127.0.0.1", verify=False), ""),
        (Address("http://localhost.example.com"), UNENCRYPTED),
    ],
)
def test_the_risk_of_an_address(address, risk):
    assert describe_risk(address) == risk


def test_the_risk_is_logged_once_per_connection(caplog):
    address = Address("http://toy.example.com")
    with caplog.at_level(logging.WARNING):
        for conn_id in ("first", "first", "second", "first"):
            warn_once(conn_id, address)
        warn_once("safe", Address("https://toy.example.com"))
    assert [record.getMessage() for record in caplog.records] == [
        f"connection 'first': {UNENCRYPTED}",
        f"connection 'second': {UNENCRYPTED}",
    ]


def test_reading_a_connection_logs_its_risk(make_hook: MakeHook, caplog):
    with caplog.at_level(logging.WARNING):
        _ = make_hook("http://toy.example.com").settings
        _ = make_hook("http://toy.example.com").settings
    assert [record.getMessage() for record in caplog.records] == [f"connection 'toy_default': {UNENCRYPTED}"]


def test_the_test_button_shows_the_risk(hook: ToyHook, monkeypatch):
    hook.__dict__["settings"] = replace(hook.settings, address=replace(hook.settings.address, verify=False))
    monkeypatch.setattr(security, "_is_loopback", lambda host: False)
    assert hook.test_connection() == (True, f"Signed in as bo. {UNENCRYPTED}")


# certificate files


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> dict[str, str]:
    """Certificates and keys: those of a client, and others."""
    cert, key = authority.issue("client")
    other_cert, other_key = authority.issue("other")
    secret = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"password")
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "encrypted.key").write_bytes(secret.private_bytes(pem, form, encryption))
    (tmp_path / "junk.pem").write_text("no certificate")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    (tmp_path / "empty.pem").touch()
    names = {path.name.rpartition(".")[0]: str(path) for path in tmp_path.iterdir()}
    return {**names, "cert": cert, "key": key, "other_cert": other_cert, "other_key": other_key}


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"ca_bundle": "junk"}, "ca_bundle"),
        ({"ca_bundle": "broken"}, "ca_bundle"),
        ({"ca_bundle": "empty"}, "ca_bundle"),
        ({"ca_bundle": "key"}, "ca_bundle"),
        ({"client_cert": "junk"}, "client_cert"),
        ({"client_cert": "cert"}, "client_cert"),
        ({"client_cert": "cert", "client_key": "junk"}, "client_cert .* and client_key"),
        ({"client_cert": "cert", "client_key": "other_key"}, "client_cert .* and client_key"),
        ({"client_cert": "broken", "client_key": "key"}, "client_cert .* and client_key"),
        ({"client_cert": "cert", "client_key": "encrypted"}, "client_cert .* and client_key"),
    ],
)
def test_a_certificate_file_that_cannot_be_used_is_one_clear_sentence(
    make_hook: MakeHook, run_flow, files, extra, named
):
    extra = {name: files[file] for name, file in extra.items()}
    with pytest.raises(ValueError, match=rf"^{named}:? .*PEM file") as error:
        run_flow(make_hook("https://toy.example.com", **extra), send_request(ECHO))
    assert all(path in str(error.value) for path in extra.values())
    assert make_hook("https://toy.example.com", **extra).test_connection() == (False, str(error.value))


@pytest.mark.parametrize("name", ["ca_bundle", "client_cert"])
def test_a_file_that_disappears_is_named(make_hook: MakeHook, run_flow, files, name):
    hook = make_hook("https://toy.example.com", **{name: files["cert"]})
    address = hook.settings.address
    Path(files["cert"]).unlink()
    with pytest.raises(ValueError, match=f"{name}: cannot read .*client.pem': No such file or directory"):
        load_tls_context(address)


def test_a_key_without_certificate_is_an_error(make_hook: MakeHook, run_flow, files):
    with pytest.raises(ValueError, match="client_key needs client_cert, the certificate that the key belongs to"):
        run_flow(make_hook("https://toy.example.com", client_key=files["key"]), send_request(ECHO))
