"""A sandbox in a process of its own that can be stopped and started again without losing its contents."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Self

from demo.environment import wait_for_sandbox
from demo.loopback import find_free_port, get_json, post_json
from demo.program import Program, start_program, stop_programs

STOP_GRACE_SECONDS = 15.0  # it saves its contents


class RestartableSandbox:
    """A sandbox that keeps its URL and its contents when it is restarted.

    :param folder: the folder for its logs and its contents
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.starts = folder, find_free_port(), 0
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
        """Start it, and wait until it responds."""
        self.starts += 1
        options = ["--port", str(self.port), "--state-file", str(self.folder / "sandbox.state")]
        command = [sys.executable, "-m", "self_hosted.sandbox", *options]
        log = self.folder / f"sandbox-{self.starts}.log"
        wait_for_sandbox(start_program(self.programs, "the sandbox", command, log, os.environ), self.url)

    def stop(self) -> None:
        """Stop it; from then on connections are refused."""
        stop_programs(self.programs, STOP_GRACE_SECONDS)
        self.programs.clear()

    def get(self, route: str) -> Any:
        """Return the JSON of a control route.

        :param route: such as "state"
        """
        return get_json(f"{self.url}/_control/{route}")

    def post(self, route: str, data: Any) -> Any:
        """Send JSON to a control route and return the JSON of the response.

        :param route: such as "seed"
        :param data: the data in the format of the route
        """
        return post_json(f"{self.url}/_control/{route}", data)
