"""A server that discards uploads, to measure the senders alone.

It implements just enough of Assemblyline's API for its clients to authenticate and submit.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

BUFFER_BYTES = 1024 * 1024
RESPONSES: dict[str, Any] = {
    "/api/": ["v4"],
    "/api/v4/auth/login/": {"username": "admin", "session_duration": 3600},
    "/api/v4/submit/": {"sid": "1", "state": "submitted"},
}


class Sink(BaseHTTPRequestHandler):
    """Reads bodies into one buffer, and responds in Assemblyline's envelope."""

    protocol_version = "HTTP/1.1"
    rbufsize = BUFFER_BYTES
    buffer = bytearray(BUFFER_BYTES)

    def do_GET(self) -> None:
        """Send a response."""
        content = RESPONSES.get(self.path)
        status = 404 if content is None else 200
        envelope = {"api_response": content, "api_error_message": "" if content else "?", "api_status_code": status}
        body = json.dumps({**envelope, "api_server_version": "sink"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Read and discard the body, then send a response."""
        remaining = int(self.headers["Content-Length"])
        while remaining:
            remaining -= self.rfile.readinto(memoryview(self.buffer)[: min(remaining, BUFFER_BYTES)])
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _serve(pipe: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        pipe.send(server.server_port)
        server.serve_forever()


@contextmanager
def run_sink() -> Generator[str]:
    """Start a sink in a process of its own, yield its URL, and stop it at the end of the block."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(child,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{parent.recv()}"
    finally:
        process.terminate()
        process.join()
