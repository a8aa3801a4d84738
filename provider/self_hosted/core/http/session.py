"""The session of requests that a worker sends with: its connections keep the limits of each exchange."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from self_hosted.core.http.address import Address
from self_hosted.core.http.connections import HttpPool, HttpsPool
from self_hosted.core.http.tls import load_tls_context

MAX_IDLE_CONNECTIONS = 10
POOLS = {"http": HttpPool, "https": HttpsPool}


def create_session(address: Address) -> requests.Session:
    """Return a session for an address. Threads may share it.

    :param address: where and how the product is reached
    :raises ValueError: if a certificate file cannot be used
    """
    session = Session()
    configure(session, address)
    session.headers.clear()  # an exchange names all its headers
    return session


def configure(session: requests.Session, address: Address) -> None:
    """Let a session use the TLS settings and the proxy of an address, and nothing of the environment.

    :param session: the session
    :param address: where and how the product is reached
    :raises ValueError: if a certificate file cannot be used
    """
    session.trust_env = False  # neither .netrc nor proxies nor certificates of the environment
    # `LoginAuth` holds the login's session, not a cookie jar
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.proxies = {"http": address.proxy, "https": address.proxy} if address.proxy else {}
    adapter = _Adapter(load_tls_context(address))
    for scheme in POOLS:
        session.mount(f"{scheme}://", adapter)


class Session(requests.Session):
    """A session that follows no redirect."""

    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[Any]:
        """Yield nothing: to name the next request, requests reads the body of a redirect, however long it is."""
        return iter(())


class _Adapter(HTTPAdapter):
    """Uses connections that keep the limits, and one TLS context for all of them.

    :param context: trusted certificates and the client's own
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=MAX_IDLE_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools of connections to the product."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, proxy_ssl_context=self._context, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        """Name the host only: the context says which certificates are trusted."""
        host, _ = super().build_connection_pool_key_attributes(*args, **kwargs)
        return host, {}

    def cert_verify(self, *_: Any) -> None:
        """Add no certificates to the context."""
