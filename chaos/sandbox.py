"""The sandbox as a program of its own that can be stopped and started again, and goes on with what it held."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any, Self

import requests

from demo.airflow import free_port
from demo.program import Program, end, uninterrupted

START_TIMEOUT = 30.0  # seconds


class KeptSandbox:
    """A sandbox, always at the same address.

    :param folder: takes its logs, and what it holds while it is stopped
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.starts = folder, free_port(0), 0
        self.url = f"http://127.0.0.1:{self.port}"
        self.programs: list[Program] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it serves."""
        keep = ["--port", str(self.port), "--keep", str(self.folder / "sandbox.kept")]
        self.starts += 1
        with uninterrupted():
            command = [sys.executable, "-m", "self_hosted.sandbox", *keep]
            log = self.folder / f"sandbox-{self.starts}.log"
            self.programs.append(Program("the sandbox", command, log, os.environ))
        self._await()

    def stop(self) -> None:
        """Stop it; requests are refused from now on."""
        end(self.programs, patience=15)  # it needs a moment to write down what it holds
        self.programs.clear()

    def ask(self, what: str) -> Any:
        """Read from the control route.

        :param what: such as "state"
        """
        reply = requests.get(f"{self.url}/_control/{what}", timeout=30)
        reply.raise_for_status()
        return reply.json()

    def tell(self, what: str, data: Any) -> None:
        """Write to the control route.

        :param what: such as "seed"
        :param data: as this route wants it
        """
        requests.post(f"{self.url}/_control/{what}", json=data, timeout=30).raise_for_status()

    def _await(self) -> None:
        [program], deadline = self.programs, time.monotonic() + START_TIMEOUT
        while True:
            program.check()
            with contextlib.suppress(requests.RequestException):
                self.ask("counts")
                return
            if time.monotonic() > deadline:
                raise program.failed(f"was not ready after {START_TIMEOUT:.0f} s")
            time.sleep(0.1)
