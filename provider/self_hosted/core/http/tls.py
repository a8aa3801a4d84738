"""The TLS context of an address: trusted certificates and the client's own."""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

import certifi

from self_hosted.core.http.address import Address
from self_hosted.core.http.sockets import WatchedTlsSocket


def load_tls_context(address: Address) -> ssl.SSLContext:
    """Return the TLS context of an address; cached until a file changes.

    :param address: names the certificates
    :raises ValueError: naming the field of the connection, if a file cannot be read or used
    """
    cert, key = address.client_cert or (None, None)
    bundle = address.verify if isinstance(address.verify, str) else None
    files = {"ca_bundle": bundle, "client_cert": cert, "client_key": key}
    modified = tuple(_check_file(field, path) for field, path in files.items() if path)
    return _create_context(address.verify, cert, key, modified)


def _check_file(field: str, path: str) -> float:
    """Return when a file was last modified, if it is readable."""
    try:
        with Path(path).open("rb"):
            return Path(path).stat().st_mtime
    except OSError as error:
        raise ValueError(f"{field}: cannot read {path!r}: {error.strerror}") from None


@functools.lru_cache(maxsize=16)
def _create_context(
    verify: bool | str, cert: str | None, key: str | None, modified: tuple[float, ...]
) -> ssl.SSLContext:
    """Return a cached context: creating one takes 16 ms, which blocks a triggerer when 500 tasks are killed.

    :param verify: whether to check certificates, or the trusted ones
    :param cert: the client's certificate
    :param key: its key, unless it is in the same file
    :param modified: modification times, so that renewed certificates are read
    """
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else certifi.where())
    except OSError as error:
        raise ValueError(f"ca_bundle: {verify!r} is no PEM file of certificates ({_describe(error)})") from None
    context.sslsocket_class = WatchedTlsSocket
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert:
        _load_client_certificate(context, cert, key)
    return context


def _load_client_certificate(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    try:
        # without a password, OpenSSL would prompt for that of an encrypted key
        context.load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        names = (
            f"client_cert {cert!r} and client_key {key!r} are no PEM files"
            if key
            else f"client_cert {cert!r} is no PEM file"
        )
        raise ValueError(f"{names} of a certificate and its unencrypted key ({_describe(error)})") from None


def _describe(error: Exception) -> str:
    """Return the reason that OpenSSL gives, if it gives one."""
    reason = getattr(error, "reason", None) or "invalid content"
    return str(reason).replace("_", " ").lower()
