"""A forward proxy on loopback that asks for a password and notes what goes through it."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import threading
from collections.abc import Generator
from urllib.parse import urlsplit

SECRET = "proxy-password"
CREDENTIAL = "Basic " + base64.b64encode(f"gate:{SECRET}".encode()).decode()


class Proxy(socketserver.ThreadingTCPServer):
    """Forwards plain requests, and tunnels for CONNECT."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.passed: list[str] = []
        self.place = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://gate:{SECRET}@{self.place}"


class Passage(socketserver.StreamRequestHandler):
    """One connection through the proxy."""

    server: Proxy

    def handle(self) -> None:
        """Let it through when it brings the password."""
        head = list(iter(lambda: self.rfile.readline().strip(), b""))
        if not head:
            return
        method, target, version = head[0].decode().split()
        if not any(line.lower() == f"proxy-authorization: {CREDENTIAL}".lower().encode() for line in head):
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        self.server.passed.append(f"{method} {target}")
        if method == "CONNECT":
            self._tunnel(target.rpartition(":"), b"", b"HTTP/1.1 200 Connection established\r\n\r\n")
            return
        parts = urlsplit(target)
        line = f"{method} {parts.path or '/'}{'?' + parts.query if parts.query else ''} {version}".encode()
        headers = [header for header in head[1:] if not header.lower().startswith((b"proxy-", b"connection"))]
        onward = b"\r\n".join([line, *headers, b"Connection: close", b"", b""])
        self._tunnel(parts.netloc.rpartition(":"), onward, b"")

    def _tunnel(self, place: tuple[str, str, str], onward: bytes, back: bytes) -> None:
        with socket.create_connection((place[0], int(place[2]))) as server:
            server.sendall(onward)
            self.wfile.write(back)
            upstream = threading.Thread(target=self._pump, args=(self.connection, server), daemon=True)
            upstream.start()
            self._pump(server, self.connection)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxy() -> Generator[Proxy]:
    """A running proxy."""
    with Proxy() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
