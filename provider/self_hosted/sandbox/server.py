"""A sandbox that a test, or anybody's script, starts and stops: ``with Sandbox() as sandbox: sandbox.url``."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Self

import uvicorn

from self_hosted.sandbox.app import sandbox_app
from self_hosted.sandbox.stand_in import StandIn

STAND_INS = (
    "self_hosted.sandbox.assemblyline.Assemblyline",
    "self_hosted.sandbox.ayon.Ayon",
    "self_hosted.sandbox.rudder.Rudder",
    "self_hosted.sandbox.atrocore.Atrocore",
)


def all_products() -> list[StandIn]:
    """Fresh stand-ins of all products."""
    paths = (path.rpartition(".") for path in STAND_INS)
    return [getattr(import_module(module), name)() for module, _, name in paths]


class Sandbox:
    """The sandbox in a thread of this process, on loopback.

    :param port: 0 takes a free one
    :param products: which stand-ins to serve; all by default
    """

    def __init__(self, port: int = 0, products: Sequence[StandIn] | None = None) -> None:
        self.products = all_products() if products is None else list(products)
        self.socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(sandbox_app(self.products), log_level="warning", access_log=False, lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        with contextlib.suppress(OSError):
            self.socket.close()
