"""The command ``python -m self_hosted.sandbox``."""

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
from pathlib import Path

import pytest
import requests

COMMAND = [sys.executable, "-m", "self_hosted.sandbox"]


@contextmanager
def run_command(*arguments: str) -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the command, and yield the process and the five lines that it prints at the start."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline().rstrip() for _ in range(5)]
        finally:
            process.kill()


def find_url(line: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found is not None
    return found.group()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_connections_and_stops_without_errors_on_a_signal(signal_number):
    with run_command("--port", "0") as (process, lines):
        url = find_url(lines[0])
        connections = requests.get(f"{url}/_control/connections", timeout=60).json()
        exported = dict(shlex.split(line)[1].split("=", 1) for line in lines[1:])
        assert {name: json.loads(value) for name, value in exported.items()} == {
            f"AIRFLOW_CONN_{name.upper()}": connection for name, connection in connections.items()
        }
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)


def test_the_state_file_preserves_the_state_across_restarts(tmp_path: Path):
    state_file = tmp_path / "state"
    for expected in ([], ["Saved"]):
        with run_command("--port", "0", "--state-file", str(state_file)) as (process, lines):
            url = find_url(lines[0])
            state = requests.get(f"{url}/_control/state", timeout=60).json()
            assert [project["name"] for project in state["ayon"]["projects"]] == expected
            seed = {"ayon": {"projects": [{"name": "Saved", "code": "saved"}]}}
            requests.post(f"{url}/_control/seed", json=seed, timeout=60).raise_for_status()
            process.terminate()
            assert process.wait(60) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_missing_folder_of_the_state_file_is_reported_at_the_start(tmp_path: Path):
    state_file = str(tmp_path / "missing" / "state")
    done = subprocess.run(
        [*COMMAND, "--state-file", state_file], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert f"--state-file: folder {tmp_path / 'missing'} does not exist" in done.stderr


def test_a_port_in_use_is_reported_in_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        f"cannot use port {port} of 127.0.0.1: Address already in use; choose another one with --port"
    )


def test_help_lists_the_options():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True, timeout=60)
    assert "--port" in done.stdout
    assert "--state-file" in done.stdout
