"""Connections of a worker: they keep the limits of an exchange, and read the head of a response strictly."""

from __future__ import annotations

import http.client
import io
import re
from email.errors import MissingHeaderBodySeparatorDefect
from typing import BinaryIO, cast

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from self_hosted.core.http.limits import CURRENT_LIMITS, MAX_HEAD_BYTES, MAX_HEADERS
from self_hosted.core.http.sockets import WatchedSocket, watch

CONTENT_LENGTH = re.compile(r"[0-9]{1,18}")


class _Head:
    """The lines of one head.

    :param file: the connection
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._lines, self.last = file, 0, b""

    def readline(self, limit: int) -> bytes:
        """Return the next line."""
        self._lines += 1
        if self._lines > MAX_HEADERS + 1:  # the first one is the status
            raise CURRENT_LIMITS.get().too_large(f"the response has more than {MAX_HEADERS} headers")
        self.last = self._file.readline(min(limit, MAX_HEAD_BYTES + 1))
        if len(self.last) > MAX_HEAD_BYTES:  # one read of Python 3.14 may return more than that
            raise CURRENT_LIMITS.get().head_too_large()
        return self.last

    def close(self) -> None:
        """Close the connection: http.client does so after an invalid status line."""
        self._file.close()


class _Response(http.client.HTTPResponse):
    """Skips all 1xx responses, not only 100, and is as strict as the library of triggers."""

    def begin(self) -> None:
        """Read the head of the final response."""
        self._read_head()
        while 100 <= self.status < 200 and self.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment]
            self._read_head()
        lengths = {length.strip() for line in self.msg.get_all("Content-Length", []) for length in line.split(",")}
        if (
            len(lengths) > 1
            or not all(CONTENT_LENGTH.fullmatch(length) for length in lengths)
            or self.msg.get("Transfer-Encoding", "chunked").strip().lower() != "chunked"
            or any(isinstance(defect, MissingHeaderBodySeparatorDefect) for defect in self.msg.defects)
        ):
            raise http.client.HTTPException("the head is invalid")

    def _read_head(self) -> None:
        file, head = self.fp, _Head(self.fp)
        self.fp = cast("io.BufferedReader", head)
        try:
            super().begin()
        finally:
            self.fp = file
        if head.last not in {b"\r\n", b"\n"}:
            raise http.client.IncompleteRead(head.last)  # http.client takes the end of the stream for that of the head


class _Connection(HTTPConnection):
    """A connection whose socket keeps the limits of the exchange."""

    response_class = _Response

    def _new_conn(self) -> WatchedSocket:
        self.timeout = CURRENT_LIMITS.get().lower(self.timeout)
        return watch(super()._new_conn())

    def connect(self) -> None:
        """Connect; what was sent before went to a proxy."""
        super().connect()
        CURRENT_LIMITS.get().is_started = False


class _TlsConnection(_Connection, HTTPSConnection):
    """The same with TLS."""


class HttpPool(urllib3.HTTPConnectionPool):
    """Connections without TLS."""

    ConnectionCls = _Connection


class HttpsPool(urllib3.HTTPSConnectionPool):
    """Connections with TLS."""

    ConnectionCls = _TlsConnection
