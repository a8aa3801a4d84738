"""Sockets of a worker that keep the limits of the exchange that their thread carries out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from self_hosted.core.http.body import CHUNK_BYTES
from self_hosted.core.http.limits import CURRENT_LIMITS, ExchangeLimits


class _Watched:
    """Lowers the timeout of each operation to the remaining time of the exchange."""

    gettimeout: Callable[[], float | None]
    settimeout: Callable[[float | None], None]

    def recv(self, *args: Any) -> bytes:
        """Receive bytes."""
        limits = CURRENT_LIMITS.get()
        data: bytes = self._perform(limits, self.gettimeout(), super().recv, *args)  # type: ignore[misc]
        limits.count_received(len(data))
        return data

    def recv_into(self, *args: Any) -> int:
        """Receive bytes into a buffer."""
        limits = CURRENT_LIMITS.get()
        size: int = self._perform(limits, self.gettimeout(), super().recv_into, *args)  # type: ignore[misc]
        limits.count_received(size)
        return size

    def sendall(self, data: Any, *args: Any) -> None:
        """Send bytes: piece by piece, because the timeout applies to the whole of what is sent."""
        limits = CURRENT_LIMITS.get()
        limits.is_started = True
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK_BYTES):
            piece = view[start : start + CHUNK_BYTES]
            self._perform(limits, limits.read_timeout, super().sendall, piece, *args)  # type: ignore[misc]
            limits.count_sent(len(piece))

    def _perform(self, limits: ExchangeLimits, timeout: float | None, operation: Callable[..., Any], *args: Any) -> Any:
        before, lowered = self.gettimeout(), limits.lower(timeout)
        if lowered == before:
            return operation(*args)
        self.settimeout(lowered)
        try:
            return operation(*args)
        except TimeoutError:
            if lowered != timeout:
                raise limits.overdue() from None
            raise
        finally:
            self.settimeout(before)


class WatchedSocket(_Watched, socket.socket):
    """A socket that keeps the limits."""


class WatchedTlsSocket(_Watched, ssl.SSLSocket):
    """The same with TLS; `ssl.SSLContext.sslsocket_class`."""


def watch(connected: socket.socket) -> WatchedSocket:
    """Return a connected socket as one that keeps the limits.

    :param connected: the socket; it cannot be used afterwards
    """
    timeout = connected.gettimeout()
    watched = WatchedSocket(connected.family, connected.type, connected.proto, connected.detach())
    watched.settimeout(timeout)
    return watched
