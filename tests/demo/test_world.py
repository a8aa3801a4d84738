from __future__ import annotations

import fcntl
import socket
from pathlib import Path

import psutil
import pytest
import requests

from demo import world as module
from demo.program import ProgramFailed
from demo.world import world


def test_second_demo_of_a_checkout_is_told_about_the_first(tmp_path):
    (tmp_path / ".demo").mkdir()
    with (tmp_path / ".demo" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ProgramFailed, match="another demo runs in this checkout"), world(tmp_path):
            pass


def test_sandbox_moves_to_another_port_when_its_own_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with module._sandbox(tmp_path / "sandbox.log", port) as url:
            assert not url.endswith(f":{port}")
            assert requests.get(f"{url}/_control/state", timeout=5).ok


def test_sandbox_ends_with_the_demo(tmp_path):
    children = psutil.Process().children()
    with pytest.raises(KeyboardInterrupt), module._sandbox(tmp_path / "sandbox.log", 0) as url:
        raise KeyboardInterrupt
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
    assert [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE] == children


def test_sandbox_that_does_not_come_up_is_shown_with_its_log(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "free_port", lambda wanted: wanted)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = rf"(?s)the sandbox ended .*port {port} of 127\.0\.0\.1 cannot be used"
        with pytest.raises(ProgramFailed, match=words), module._sandbox(tmp_path / "sandbox.log", port):
            pass
