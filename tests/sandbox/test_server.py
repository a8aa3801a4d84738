"""Start and end of a sandbox, and its state file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests

from self_hosted.sandbox.server import Sandbox
from tests.core.toy import Toy

NON_EMPTY_TABLES = {
    "assemblyline": "submissions",
    "ayon": "projects",
    "rudder": "change requests",
    "atrocore": "products",
}


def post(sandbox: Sandbox, route: str, data: Any) -> None:
    requests.post(f"{sandbox.url}/_control/{route}", json=data, timeout=60).raise_for_status()


def get_state(sandbox: Sandbox) -> Any:
    return requests.get(f"{sandbox.url}/_control/state", timeout=60).json()


def add_data(sandbox: Sandbox) -> None:
    """Add data to every product, in Assemblyline and Rudder by requests."""
    seed = {
        "assemblyline": {"delay": 60, "quotas": {"daily_submissions": 9}},
        "ayon": {"projects": [{"name": "Saved", "code": "saved"}]},
        "rudder": {"validation": True},
        "atrocore": {"records": {"Product": [{"number": "1", "name": "Saved"}]}},
    }
    post(sandbox, "seed", seed)
    submit(sandbox)
    token = next(server for server in sandbox.servers if server.name == "rudder").connection("")["password"]
    rule_id = get_state(sandbox)["rudder"]["rules"][0]["id"]
    url = f"{sandbox.url}/rudder/api/latest/rules/{rule_id}"
    requests.post(url, json={"enabled": True}, headers={"X-API-Token": token}, timeout=60).raise_for_status()


def submit(sandbox: Sandbox) -> None:
    key = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
    body = {"plaintext": "RIG-SLEEP:1 saved", "name": "saved.txt"}
    url = f"{sandbox.url}/assemblyline/api/v4/submit/"
    requests.post(url, json=body, headers=key, timeout=60).raise_for_status()


def test_all_products_are_served_by_default_and_on_loopback_only():
    with Sandbox() as sandbox:
        assert set(get_state(sandbox)) == {"assemblyline", "ayon", "rudder", "atrocore"}
        assert sandbox.socket.getsockname()[0] == "127.0.0.1"


def test_a_stopped_sandbox_refuses_connections():
    with Sandbox(servers=[Toy()]) as sandbox:
        pass
    with pytest.raises(requests.ConnectionError):
        get_state(sandbox)


def test_a_port_can_be_used_by_one_sandbox_only():
    with Sandbox(servers=[Toy()]) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(port, servers=[Toy()])


def test_a_sandbox_with_a_state_file_continues_with_the_saved_state(tmp_path: Path):
    with Sandbox(state_file=tmp_path / "state") as first:
        add_data(first)
        post(first, "faults", [{"kind": "refuse", "product": "ayon", "times": 9}])
        saved = get_state(first)
    assert all(saved[product][table] for product, table in NON_EMPTY_TABLES.items())
    with Sandbox(state_file=tmp_path / "state") as second:
        assert get_state(second) == saved
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{second.url}/ayon/api/info", timeout=60)


def test_an_analysis_continues_while_the_sandbox_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with Sandbox(state_file=tmp_path / "state") as first:
        post(first, "seed", {"assemblyline": {"delay": 3600}})
        submit(first)
        assert [row["state"] for row in get_state(first)["assemblyline"]["submissions"]] == ["submitted"]
    later = time.time() + 7200
    monkeypatch.setattr("time.time", lambda: later)
    with Sandbox(state_file=tmp_path / "state") as second:
        assert [row["state"] for row in get_state(second)["assemblyline"]["submissions"]] == ["completed"]


def test_a_loaded_state_can_be_changed(tmp_path: Path):
    with Sandbox(state_file=tmp_path / "state") as first:
        add_data(first)
    with Sandbox(state_file=tmp_path / "state") as second:
        post(second, "seed", {"rudder": {"decisions": {"1": "Deployed"}}})
        assert get_state(second)["rudder"]["rules"][0]["enabled"] is True
        submit(second)
        assert len(get_state(second)["assemblyline"]["submissions"]) == 2


def test_a_sandbox_without_a_state_file_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with Sandbox() as first:
        add_data(first)
    assert list(tmp_path.iterdir()) == []
    with Sandbox() as second:
        assert get_state(second)["ayon"]["projects"] == []


def test_a_delayed_request_does_not_prevent_the_end(tmp_path: Path):
    with Sandbox(servers=[Toy()], state_file=tmp_path / "state") as sandbox:
        post(sandbox, "faults", [{"kind": "slow", "seconds": 60}])
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{sandbox.url}/toy/page", timeout=0.2)
    assert not sandbox.thread.is_alive()
