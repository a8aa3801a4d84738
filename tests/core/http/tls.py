"""A certificate authority for tests, and the sandbox with TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from self_hosted.sandbox.fake_server import FakeServer
from self_hosted.sandbox.server import Sandbox


@dataclass
class Authority:
    """Issues certificates into a folder.

    :param folder: the folder of the files
    """

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Toy Authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = self._builder("Toy Authority", self.key.public_key()).add_extension(constraints, critical=True)
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self.certificate = builder.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())
        self.bundle = self._write("authority.pem", self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[str, str]:
        """Return the paths of a certificate for 127.0.0.1, signed by this authority, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = self._builder(name, key.public_key()).add_extension(address, critical=False)
        signed = builder.add_extension(identifier, critical=False).sign(self.key, hashes.SHA256())
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return (
            self._write(f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{name}.key", secret),
        )

    def _builder(self, name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509
            .CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )

    def _write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


@contextlib.contextmanager
def rejecting_server(authority: Authority, version: ssl.TLSVersion) -> Generator[str]:
    """Run a server that sends a TLS alert to clients without a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.bundle)
    context.load_cert_chain(*authority.issue("rejecting"))
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, version
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_reject, args=(listening, context), daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"


def _reject(listening: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listening.accept()
            with context.wrap_socket(client, server_side=True, do_handshake_on_connect=False) as secure:
                with contextlib.suppress(ssl.SSLError):
                    secure.do_handshake()
                # drain the connection: closing it earlier would discard the alert
                while socket.socket.recv(secure, 4096):
                    pass


class TlsSandbox(Sandbox):
    """The sandbox with TLS.

    :param product: the server of the product
    :param authority: signs the certificates
    :param requires_certificate: whether clients need a certificate of this authority
    """

    def __init__(self, product: FakeServer, authority: Authority, *, requires_certificate: bool) -> None:
        super().__init__(servers=[product])
        config = self.uvicorn_server.config
        config.ssl_certfile, config.ssl_keyfile = authority.issue("server")
        config.ssl_ca_certs = authority.bundle
        config.ssl_cert_reqs = ssl.CERT_REQUIRED if requires_certificate else ssl.CERT_NONE
        self.url = self.url.replace("http://", "https://")
