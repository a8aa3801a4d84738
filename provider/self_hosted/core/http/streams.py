"""Connections of a triggerer that keep the limits of the exchange that their task carries out."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from self_hosted.core.http.body import CHUNK_BYTES
from self_hosted.core.http.limits import CURRENT_LIMITS


class WatchedStream(httpcore.AsyncNetworkStream):
    """A connection that lowers each timeout to the remaining time of the exchange.

    :param stream: the connection
    """

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive bytes."""
        limits = CURRENT_LIMITS.get()
        lowered = limits.lower(timeout)
        try:
            data = await self._stream.read(max_bytes, lowered)
        except httpcore.ReadTimeout:
            if lowered != timeout:
                raise limits.overdue() from None
            raise
        limits.count_received(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes: piece by piece, because the timeout applies to the whole of what is sent."""
        limits = CURRENT_LIMITS.get()
        limits.is_started = True
        for start in range(0, len(buffer), CHUNK_BYTES):
            piece = buffer[start : start + CHUNK_BYTES]
            lowered = limits.lower(timeout)
            try:
                await self._stream.write(piece, lowered)
            except httpcore.WriteTimeout:
                if lowered != timeout:
                    raise limits.overdue() from None
                raise
            limits.count_sent(len(piece))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> WatchedStream:
        """Begin TLS; what was sent before went to a proxy."""
        limits = CURRENT_LIMITS.get()
        limits.is_started = False
        return WatchedStream(await self._stream.start_tls(ssl_context, server_hostname, limits.lower(timeout)))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """Return a property of the connection."""
        return self._stream.get_extra_info(info)


class WatchedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections that keep the limits.

    :param backend: opens the connections
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> WatchedStream:
        """Open a connection."""
        lowered = CURRENT_LIMITS.get().lower(timeout)
        return WatchedStream(await self._backend.connect_tcp(host, port, lowered, local_address, socket_options))
