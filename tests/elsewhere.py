"""Another server than the product's, which must not receive a credential."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator


class Elsewhere:
    """Another server, which records the heads that it receives."""

    def __init__(self, listener: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.heads: list[str] = []
        self._listener = listener

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.heads.append(connection.recv(65536).decode())
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@contextlib.contextmanager
def run_elsewhere() -> Generator[Elsewhere]:
    """Run the other server until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = Elsewhere(listener)
        thread = threading.Thread(target=other.serve, daemon=True)
        thread.start()
        try:
            yield other
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(60)
