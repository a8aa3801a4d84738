"""Limits of one exchange, a request and its response: how long it takes, and how much a server may send before it.

A timeout of a socket applies to each read, so that a server may send a byte now and then, forever. Both transports
therefore wrap their sockets, and these look up the limits of the exchange that their thread or task carries out.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

from self_hosted.core.http.errors import OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.http.flow import Request

MIN_TRANSFER_BYTES_PER_SECOND = 1024  # far below any usable link, so that only a stalled transfer is ended
MAX_HEAD_BYTES = 32 * 1024  # of all headers, with those of 1xx responses; servers accept 8 to 16 KiB themselves
MAX_HEADERS = 100  # the limit of http.client
MAX_ERROR_BYTES = 64 * 1024  # of the body of an error; the rest is not read
MIB = 1024 * 1024


class ExchangeLimits:
    """The limits of one exchange, and what was sent and received.

    The time of a transfer is not limited as a whole: each byte of the file adds to it as much as it takes at the
    minimum rate. The remaining time never exceeds the total time, so that fast seconds do not pay for slow hours.

    :param request: the request
    :param total_seconds: the total time of the exchange
    :param read_timeout: seconds that one read or write may take
    """

    def __init__(self, request: Request, total_seconds: float, read_timeout: float) -> None:
        self.request, self.total_seconds, self.read_timeout = request, total_seconds, read_timeout
        self.is_started = False
        """Whether a part of the request may have reached the server."""
        self.is_head_received = False
        self._head_bytes = 0
        self._end = time.monotonic() + total_seconds
        self._is_upload = request.body is not None or request.parts is not None

    def lower(self, timeout: float | None) -> float | None:
        """Return the timeout, or the remaining time if that is shorter.

        :param timeout: in seconds; None = no timeout
        :raises SelfHostedError: if no time remains, or the head of the response is too large
        """
        if self._head_bytes > MAX_HEAD_BYTES and not self.is_head_received:
            raise self.head_too_large()
        remaining = self._end - time.monotonic()
        if remaining <= 0:
            raise self.overdue()
        return remaining if timeout is None else min(timeout, remaining)

    def count_sent(self, size: int) -> None:
        """Note that a part of the request was sent.

        :param size: in bytes
        """
        if self._is_upload:
            self._extend(size)

    def count_received(self, size: int) -> None:
        """Note that a part of the response was received.

        :param size: in bytes
        """
        if not self.is_head_received:
            self._head_bytes += size
        elif self.request.save_to is not None:
            self._extend(size)

    def _extend(self, size: int) -> None:
        latest = time.monotonic() + self.total_seconds
        self._end = min(self._end + size / MIN_TRANSFER_BYTES_PER_SECOND, latest)

    def overdue(self) -> OutcomeUnknownError:
        """Return the error of an exchange that takes too long."""
        message = f"no complete response within {self.total_seconds:g} s (total timeout of the connection)"
        return OutcomeUnknownError(message, method=self.request.method, path=self.request.path)

    def head_too_large(self) -> SelfHostedError:
        """Return the error of a response whose head is too large."""
        return self.too_large(f"the headers of the response are larger than {MAX_HEAD_BYTES // 1024} KiB")

    def too_large(self, message: str) -> SelfHostedError:
        """Return the error of a response that is too large.

        The same request has the same response, so it is not repeated. The write that it answers was carried out,
        perhaps: its flow looks for the effect.

        :param message: what is too large
        """
        error_class = ServerError if self.request.is_idempotent else OutcomeUnknownError
        return error_class(message, method=self.request.method, path=self.request.path)


class _NoLimits(ExchangeLimits):
    """Those outside an exchange: the body of a response that a user of `get_conn` reads piece by piece."""

    def __init__(self) -> None:
        super().__init__(Request("", ""), 0, 0)
        self.is_head_received = True

    def lower(self, timeout: float | None) -> float | None:
        """Return the timeout."""
        return timeout


_NO_LIMITS = _NoLimits()
CURRENT_LIMITS: ContextVar[ExchangeLimits] = ContextVar("CURRENT_LIMITS", default=_NO_LIMITS)
"""The limits of the exchange that this thread or task carries out."""
