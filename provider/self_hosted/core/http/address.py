"""Where and how a product is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from self_hosted.core.http.defaults import DEFAULT_MAX_RESPONSE_MIB, TOTAL_TIMEOUT_FACTOR


@dataclass(frozen=True)
class Address:
    """Where and how a product is reached.

    :param base_url: scheme, host, port and sub-path, without a trailing slash
    :param verify: whether to check certificates, or the path of the CA bundle to trust
    :param client_cert: paths of certificate and key, or None
    :param proxy: URL, or None
    :param connect_timeout: seconds to reach the server
    :param read_timeout: seconds between two pieces of a response
    :param total_timeout: seconds until the response is complete
    :param retry_timeout: seconds after which no further attempt begins
    :param max_response_bytes: the maximum size of a response in memory
    """

    base_url: str
    verify: bool | str = True
    client_cert: tuple[str, str | None] | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a password
    connect_timeout: float = 10
    read_timeout: float = 60
    total_timeout: float = 60 * TOTAL_TIMEOUT_FACTOR
    retry_timeout: float = 60
    max_response_bytes: int = DEFAULT_MAX_RESPONSE_MIB * 1024 * 1024
