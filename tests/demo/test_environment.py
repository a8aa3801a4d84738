from __future__ import annotations

import fcntl
import socket
from pathlib import Path

import psutil
import pytest
import requests

from demo import environment as module
from demo.airflow_settings import build_environment_variables
from demo.environment import run_environment, run_sandbox
from demo.program import ProgramError


def list_children() -> set[int]:
    """Return the ids of this process's running children."""
    running = set()
    for child in psutil.Process().children():
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                running.add(child.pid)
        except psutil.NoSuchProcess:
            continue
    return running


def test_dags_run_on_events_but_none_starts_by_itself(tmp_path):
    variables = build_environment_variables(tmp_path, tmp_path, "http://127.0.0.1:1", module.SETTINGS)
    assert variables["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] == "True"
    assert variables["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "True"


def test_second_demo_of_a_checkout_fails_with_a_reason(tmp_path):
    (tmp_path / ".demo").mkdir()
    with (tmp_path / ".demo" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ProgramError, match="another demo runs in this checkout"), run_environment(tmp_path):
            pass


def test_sandbox_uses_another_port_if_its_own_is_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with run_sandbox(tmp_path / "sandbox.log", port) as url:
            assert not url.endswith(f":{port}")
            assert requests.get(f"{url}/_control/state", timeout=60).ok


def test_sandbox_is_stopped_with_the_demo(tmp_path):
    before = list_children()
    with pytest.raises(KeyboardInterrupt), run_sandbox(tmp_path / "sandbox.log", 0) as url:
        raise KeyboardInterrupt
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=60)
    assert list_children() <= before


def test_error_of_a_sandbox_that_fails_to_start_shows_its_log(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "find_free_port", lambda preferred: preferred)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = rf"(?s)the sandbox exited .*port {port} of 127\.0\.0\.1"
        with pytest.raises(ProgramError, match=message), run_sandbox(tmp_path / "sandbox.log", port):
            pass
