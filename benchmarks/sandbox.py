"""A sandbox in a process of its own, and its control routes, for the benchmarks."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from demo.loopback import get_json, post_json


def hide_logs() -> None:
    """Show errors only, in this process and in those that it starts: a line per call would hide the results."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    logging.getLogger("self_hosted").setLevel(logging.ERROR)


@contextmanager
def run_sandbox() -> Generator[str]:
    """Start a sandbox, yield its URL, and stop it at the end of the block."""
    command = [sys.executable, "-m", "self_hosted.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield re.findall(r"http://[\w.:]+", process.stdout.readline())[0]
        finally:
            process.terminate()


def get_control(url: str, route: str) -> Any:
    """Return the JSON of a control route, such as "counts"."""
    return get_json(f"{url}/_control/{route}")


def post_control(url: str, route: str, data: Any) -> None:
    """Send JSON to a control route, such as "seed"."""
    post_json(f"{url}/_control/{route}", data)


def get_connection(url: str, conn_id: str) -> dict[str, Any]:
    """Return the fields of the connection to one product of a sandbox."""
    return dict(get_control(url, "connections")[conn_id])
