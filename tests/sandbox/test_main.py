"""The command that serves the sandbox."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import requests

COMMAND = [sys.executable, "-m", "self_hosted.sandbox"]


@contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, and the five lines it prints first."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline().rstrip() for _ in range(5)]
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_tells_how_to_connect_and_stops_quietly(how):
    with running("--port", "0") as (process, lines):
        found = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
        assert found is not None
        url = found.group()
        connections = requests.get(f"{url}/_control/connections", timeout=5).json()
        exported = dict(shlex.split(line)[1].split("=", 1) for line in lines[1:])
        assert {name: json.loads(value) for name, value in exported.items()} == {
            f"AIRFLOW_CONN_{name.upper()}": connection for name, connection in connections.items()
        }
        process.send_signal(how)
        _, errors = process.communicate(timeout=15)
        assert (process.returncode, errors) == (0, "")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_a_port_that_is_taken_is_said_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        f"port {port} of 127.0.0.1 cannot be used: Address already in use; choose another with --port"
    )


def test_help_says_what_it_does():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True, timeout=30)
    assert "--port" in done.stdout
    assert "Ctrl-C" in done.stdout
