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
from pathlib import Path

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


def test_what_is_kept_in_a_file_is_there_again_after_a_restart(tmp_path: Path):
    kept = tmp_path / "kept"
    for expected in ([], ["Kept"]):
        with running("--port", "0", "--keep", str(kept)) as (process, lines):
            url = re.search(r"http://[\d.:]+", lines[0]).group()  # type: ignore[union-attr]
            state = requests.get(f"{url}/_control/state", timeout=5).json()
            assert [project["name"] for project in state["ayon"]["projects"]] == expected
            seed = {"ayon": {"projects": [{"name": "Kept", "code": "kept"}]}}
            requests.post(f"{url}/_control/seed", json=seed, timeout=5).raise_for_status()
            process.terminate()
            assert process.wait(15) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_folder_that_is_missing_is_said_before_anything_is_served(tmp_path: Path):
    keep = str(tmp_path / "missing" / "kept")
    done = subprocess.run([*COMMAND, "--keep", keep], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert f"--keep: there is no folder {tmp_path / 'missing'}" in done.stderr


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
