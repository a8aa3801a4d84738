"""A server that takes what it is sent and keeps nothing of it: how fast a client can send at all.

It knows just enough of Assemblyline that its clients sign in and submit.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

PIECE = 1024 * 1024
ANSWERS: dict[str, Any] = {
    "/api/": ["v4"],
    "/api/v4/auth/login/": {"username": "admin", "session_duration": 3600},
    "/api/v4/submit/": {"sid": "1", "state": "submitted"},
}


class Sink(BaseHTTPRequestHandler):
    """Reads a body into a buffer that is used again and again, and answers in Assemblyline's envelope."""

    protocol_version = "HTTP/1.1"
    rbufsize = PIECE
    piece = bytearray(PIECE)

    def do_GET(self) -> None:
        """Answer."""
        known = ANSWERS.get(self.path)
        status = 404 if known is None else 200
        envelope = {"api_response": known, "api_error_message": "" if known else "?", "api_status_code": status}
        body = json.dumps({**envelope, "api_server_version": "sink"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Take the body, then answer."""
        left = int(self.headers["Content-Length"])
        while left:
            left -= self.rfile.readinto(memoryview(self.piece)[: min(left, PIECE)])
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _serve(pipe: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        pipe.send(server.server_port)
        server.serve_forever()


@contextmanager
def sink_process() -> Generator[str]:
    """The URL of a sink in a process of its own."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()
