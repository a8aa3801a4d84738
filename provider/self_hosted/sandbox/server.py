"""A sandbox that a test, or anybody's script, starts and stops: ``with Sandbox() as sandbox: sandbox.url``."""

from __future__ import annotations

import contextlib
import pickle  # noqa: S403 it reads what it wrote itself
import socket
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import uvicorn

from self_hosted.sandbox.app import sandbox_app
from self_hosted.sandbox.faults import Arranged
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
    :param keep: a file that takes what it holds at the end, and gives it back at the next start
    """

    def __init__(self, port: int = 0, products: Sequence[StandIn] | None = None, keep: Path | None = None) -> None:
        self.products = all_products() if products is None else list(products)
        self.arranged, self.keep = Arranged(), keep
        self.socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(
            sandbox_app(self.products, self.arranged),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,  # who is kept waiting by a fault is not waited for
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)

    def __enter__(self) -> Self:
        self._remember()
        self.thread.start()
        try:
            while not self.server.started and self.thread.is_alive():
                time.sleep(0.01)
        except BaseException:  # told to end while it begins; somebody may have asked it for something already
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        with contextlib.suppress(OSError):
            self.socket.close()
        self._write_down()

    @property
    def _memories(self) -> dict[str, dict[str, Any]]:
        """What stand-ins and faults hold, by name, to read and to change."""
        return {**{product.name: vars(product) for product in self.products}, "faults": vars(self.arranged)}

    def _write_down(self) -> None:
        if self.keep is None:
            return
        kept = {name: _public(memory) for name, memory in self._memories.items()}
        written = self.keep.with_name(f"{self.keep.name}.new")
        written.write_bytes(pickle.dumps(kept))
        written.replace(self.keep)  # so that there is never half a file

    def _remember(self) -> None:
        if self.keep is None or not self.keep.exists():
            return
        kept = pickle.loads(self.keep.read_bytes())  # noqa: S301 see above
        for name, memory in self._memories.items():
            memory.update(kept[name])


def _public(memory: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in memory.items() if not name.startswith("_")}
