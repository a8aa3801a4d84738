"""A server that responds badly on purpose. It writes raw bytes, because no framework sends what these tests need."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

BLOCK_BYTES = 1024 * 1024
Behaviour = Callable[["Exchange"], None]
"""Responds to one request by writing to the exchange; afterwards the server closes the connection."""


class Exchange:
    """One request that was received, and the connection to respond on.

    :param client: the connection
    :param file: the connection, opened for reading
    :param stopped: set when the server stops
    """

    def __init__(self, client: socket.socket, file: BinaryIO, stopped: threading.Event) -> None:
        self.client, self.file, self._stopped = client, file, stopped
        self.method, self.target, _ = self._line().split(" ", 2)
        self.headers: dict[str, str] = {}
        while line := self._line():
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self._body: bytes | None = None

    def _line(self) -> str:
        return self.file.readline().decode("latin-1").rstrip("\r\n")

    @property
    def body(self) -> bytes:
        """The body of the request, which is read when a behaviour first uses it."""
        if self._body is None:
            self._body = self.file.read(int(self.headers.get("content-length", 0)))
        return self._body

    def send(self, data: bytes) -> None:
        """Write bytes; raises an OSError if the client has closed the connection or the server stops."""
        if self._stopped.is_set():
            raise ConnectionAbortedError("the server stops")
        self.client.sendall(data)

    def pause(self, seconds: float) -> None:
        """Wait, or until the server stops."""
        self._stopped.wait(seconds)


class HostileServer:
    """Listens on loopback, with a thread per connection, and responds to each request as it is configured.

    :param respond: the behaviour; tests may replace it
    :param tls: the certificate of the server; None = without TLS
    """

    def __init__(self, respond: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.respond, self._tls = respond, tls
        self.requests: list[Exchange] = []
        self._stopped = threading.Event()
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> HostileServer:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        _close(self._socket)
        for client in list(self._clients):
            _close(client)
        for thread in self._threads:
            thread.join(60)

    def count(self, method: str) -> int:
        """Return how many requests with this method were received."""
        return sum(exchange.method == method for exchange in self.requests)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the server stops
            while True:
                client, _ = self._socket.accept()
                self._clients.add(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        # ValueError: the client closed the connection without a request
        with contextlib.suppress(OSError, ValueError):
            opened = self._tls.wrap_socket(client, server_side=True) if self._tls else client
            self._clients.add(opened)
            with opened.makefile("rb") as file:
                exchange = Exchange(opened, file, self._stopped)
                self.requests.append(exchange)
                with contextlib.suppress(OSError):
                    self.respond(exchange)
            _close(opened)
            self._clients.discard(opened)
        _close(client)
        self._clients.discard(client)


def _close(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)
    opened.close()


# whole responses


def raw(data: bytes) -> Behaviour:
    """Send exactly these bytes."""

    def respond(exchange: Exchange) -> None:
        _ = exchange.body
        exchange.send(data)

    return respond


def canned(status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """Send a well-formed response with these headers and this body."""
    return raw(head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body)


def as_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Send a value as JSON; bytes are sent as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return canned(status, {"Content-Type": "application/json", **(headers or {})}, body)


def nested(levels: int) -> bytes:
    """Return a JSON document of lists in lists."""
    return b"[" * levels + b"]" * levels


def echo(status: int) -> Behaviour:
    """Send the headers of the request back: in the body, in a header and in the target of a redirect."""

    def respond(exchange: Exchange) -> None:
        received = ", ".join(f"{name}: {value}" for name, value in exchange.headers.items())
        location = f"http://elsewhere.example.com/path?echo={received.replace(' ', '%20')}"
        body = {"error": received, "message": received, "detail": received, "errorDetails": received}
        as_json(body, status, {"Location": location, "X-Echo": received})(exchange)

    return respond


def head(status: int, headers: Mapping[str, str], reason: str = "Reason") -> bytes:
    """Return a status line, headers and the empty line after them."""
    lines = [f"HTTP/1.1 {status} {reason}", "Connection: close", *(f"{name}: {headers[name]}" for name in headers)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


# responses without an end


def repeat(start: bytes, piece: bytes, pause: float = 0, times: int | None = None, end: bytes = b"") -> Behaviour:
    """Send a start, then a piece again and again, with a pause after each; without `times` until the client leaves."""

    def respond(exchange: Exchange) -> None:
        _ = exchange.body
        exchange.send(start)
        sent = 0
        while times is None or sent < times:
            exchange.send(piece)
            exchange.pause(pause)
            sent += 1
        exchange.send(end)

    return respond


def bomb(encoding: str = "gzip", status: int = 200, content_type: str = "application/json") -> Behaviour:
    """Send a compressed body without an end: blanks, a thousand times as large as what is sent."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    start = packer.compress(b"[" + b" " * BLOCK_BYTES) + packer.flush(zlib.Z_FULL_FLUSH)
    # after a full flush, equal input becomes equal output
    block = packer.compress(b" " * BLOCK_BYTES) + packer.flush(zlib.Z_FULL_FLUSH)
    headers = {"Content-Type": content_type, "Content-Encoding": encoding}
    return repeat(head(status, headers) + start, block)


DRIPS = 1200  # for a minute: a test without a deadline then fails, and does not hang
DRIP_BODY = repeat(head(200, {"Content-Length": "1000000", "Content-Type": "application/json"}), b" ", 0.05, DRIPS)
DRIP_CHUNKS = repeat(head(200, {"Transfer-Encoding": "chunked"}), b"1\r\n \r\n", 0.05, DRIPS)
DRIP_HEADERS = repeat(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", 0.05, DRIPS)
DRIP_STATUS = repeat(b"HTTP/1.1 200 O", b"K", 0.05, DRIPS)
DRIP_CONTINUE = repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05, DRIPS)
ENDLESS_BODY = repeat(head(200, {"Content-Type": "application/json"}) + b"[", b" " * BLOCK_BYTES)
ENDLESS_ERROR = repeat(head(404, {"Content-Type": "text/plain"}) + b"no such object", b" " * BLOCK_BYTES)
ENDLESS_HEADERS = repeat(b"HTTP/1.1 200 OK\r\n", b"".join(b"X-%d: value\r\n" % number for number in range(1000)))
ENDLESS_HEADER = repeat(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 10_000)
ENDLESS_INTERIM = repeat(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)
ENDLESS_CONTINUE = repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
ENDLESS_STATUS = repeat(b"HTTP/1.1 200 ", b"O" * 10_000)
MILLION_ITEMS = as_json(b"[" + b"1," * 999_999 + b"1]")
HUGE_JSON = repeat(
    head(200, {"Content-Type": "application/json", "Content-Length": str(400_000_002)}) + b"[",
    b'{"id":1},' * 100_000 + b" " * 100_000,
    times=400,
    end=b"]",
)
"""400 MB."""


def ignore_upload(exchange: Exchange) -> None:
    """Read neither the body of the request nor respond, until the client leaves."""
    while exchange.client.fileno() >= 0:
        exchange.pause(0.05)
        exchange.send(b"")
