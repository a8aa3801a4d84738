"""A sandbox that a test or a script starts and stops: ``with Sandbox() as sandbox: sandbox.url``."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

from self_hosted.sandbox.dependencies import check_dependencies
from self_hosted.sandbox.state_file import load_state, save_state

if TYPE_CHECKING:
    # at runtime, missing libraries must be reported before anything imports them
    import uvicorn

    from self_hosted.sandbox.fake_server import FakeServer
    from self_hosted.sandbox.faults import FaultPlan

SERVER_CLASSES = (
    "self_hosted.sandbox.assemblyline.Assemblyline",
    "self_hosted.sandbox.ayon.Ayon",
    "self_hosted.sandbox.rudder.Rudder",
    "self_hosted.sandbox.atrocore.Atrocore",
)
STARTUP_POLL_SECONDS = 0.01
MAX_STOP_SECONDS = 10


def create_servers() -> list[FakeServer]:
    """Return a new fake server of each product.

    :raises MissingDependencyError: if a library of the extra ``[sandbox]`` is missing
    """
    check_dependencies()
    paths = (path.rpartition(".") for path in SERVER_CLASSES)
    return [getattr(import_module(module), name)() for module, _, name in paths]


class Sandbox:
    """The sandbox in a thread of this process, bound to loopback.

    :param port: TCP port; 0 selects a free one
    :param servers: the fake servers; by default one of each product
    :param state_file: file to load the state from at the start, if it exists, and to save it to at the end
    :raises MissingDependencyError: if a library of the extra ``[sandbox]`` is missing
    """

    def __init__(
        self, port: int = 0, servers: Sequence[FakeServer] | None = None, state_file: Path | None = None
    ) -> None:
        check_dependencies()
        from self_hosted.sandbox.faults import FaultPlan

        self.servers = create_servers() if servers is None else list(servers)
        self.fault_plan, self.state_file = FaultPlan(), state_file
        self.socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.uvicorn_server = _build_uvicorn_server(self.servers, self.fault_plan)
        self.thread = threading.Thread(
            target=self.uvicorn_server.run, kwargs={"sockets": [self.socket]}, daemon=True, name="sandbox"
        )

    def __enter__(self) -> Self:
        if self.state_file:
            load_state(self.state_file, self._stateful_objects())
        self.thread.start()
        try:
            while not self.uvicorn_server.started and self.thread.is_alive():
                time.sleep(STARTUP_POLL_SECONDS)
        except BaseException:  # interrupted at the start; requests may have changed the state already
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.uvicorn_server.should_exit = True
        self.thread.join(MAX_STOP_SECONDS)
        with contextlib.suppress(OSError):
            self.socket.close()
        if self.state_file:
            save_state(self.state_file, self._stateful_objects())

    def _stateful_objects(self) -> dict[str, object]:
        return {**{server.name: server for server in self.servers}, "faults": self.fault_plan}


def _build_uvicorn_server(servers: Sequence[FakeServer], fault_plan: FaultPlan) -> uvicorn.Server:
    import uvicorn

    from self_hosted.sandbox.app import build_app

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await super().shutdown(sockets)
            for connection in list(self.server_state.connections):  # with a client that does not read, for example
                connection.transport.abort()

    config = uvicorn.Config(
        build_app(servers, fault_plan),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,  # seconds; requests that a fault delays are abandoned
    )
    return Server(config)
