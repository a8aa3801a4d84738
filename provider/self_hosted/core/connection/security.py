"""Warns about connections that expose their credential: without TLS, or without the check of the certificate."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from self_hosted.core.http.address import Address
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)
_warned: set[tuple[str, str]] = set()


def describe_risk(address: Address) -> str:
    """Return one sentence about how the credential is exposed; "" if it is not.

    Loopback addresses are exempt: what is sent to them does not leave the machine.

    :param address: of the product
    """
    parts = urlsplit(address.base_url)
    if _is_loopback(parts.hostname or ""):
        return ""
    if parts.scheme == "http":
        return "The credential is sent unencrypted, because the base URL begins with http://; use https://."
    if address.verify is False:
        return "The server's certificate is not checked, so the credential may be sent to another server; verify TLS."
    return ""


def warn_once(conn_id: str, address: Address) -> None:
    """Log the risk of a connection, once per process.

    :param conn_id: the connection
    :param address: of the product
    """
    risk = describe_risk(address)
    if risk and (conn_id, risk) not in _warned:
        _warned.add((conn_id, risk))
        log.warning("connection %r: %s", conn_id, risk)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
