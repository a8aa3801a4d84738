"""A forward proxy on loopback that requires a password and records the requests."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import threading
from collections.abc import Generator
from urllib.parse import urlsplit

SECRET = "proxy-password"
CREDENTIAL = "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()


class Proxy(socketserver.ThreadingTCPServer):
    """Forwards plain requests, and opens a tunnel for CONNECT."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ProxyConnection)
        self.forwarded: list[str] = []
        self.netloc = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://user:{SECRET}@{self.netloc}"


class ProxyConnection(socketserver.StreamRequestHandler):
    """One connection through the proxy."""

    server: Proxy

    def handle(self) -> None:
        """Forward the request if it carries the password."""
        head = list(iter(lambda: self.rfile.readline().strip(), b""))
        if not head:
            return
        method, target, version = head[0].decode().split()
        if not any(line.lower() == f"proxy-authorization: {CREDENTIAL}".lower().encode() for line in head):
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        self.server.forwarded.append(f"{method} {target}")
        if method == "CONNECT":
            self._tunnel(target.rpartition(":"), b"", b"HTTP/1.1 200 Connection established\r\n\r\n")
            return
        parts = urlsplit(target)
        line = f"{method} {parts.path or '/'}{'?' + parts.query if parts.query else ''} {version}".encode()
        headers = [header for header in head[1:] if not header.lower().startswith((b"proxy-", b"connection"))]
        to_server = b"\r\n".join([line, *headers, b"Connection: close", b"", b""])
        self._tunnel(parts.netloc.rpartition(":"), to_server, b"")

    def _tunnel(self, netloc: tuple[str, str, str], to_server: bytes, to_client: bytes) -> None:
        with socket.create_connection((netloc[0], int(netloc[2]))) as server:
            server.sendall(to_server)
            self.wfile.write(to_client)
            upstream = threading.Thread(target=self._pump, args=(self.connection, server), daemon=True)
            upstream.start()
            self._pump(server, self.connection)

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def run_proxy() -> Generator[Proxy]:
    """Run a proxy."""
    with Proxy() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
