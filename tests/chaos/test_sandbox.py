"""The faults of the campaign's sandbox, its outages, the approver and the disruptions."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from chaos.approver import Approver
from chaos.disruptions import Disruptions
from chaos.faults import CONNECTION_TIMEOUTS, build_faults
from chaos.sandbox import RestartableSandbox
from chaos.workload import build_rule, build_rule_change
from self_hosted.rudder.hook import RudderHook
from self_hosted.sandbox.faults import Fault, FaultPlan


def test_restarted_sandbox_keeps_its_url_and_its_contents(tmp_path):
    with RestartableSandbox(tmp_path) as sandbox:
        sandbox.post("seed", {"ayon": {"projects": [{"name": "Kept", "code": "kept"}]}})
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            sandbox.get("state")
        sandbox.start()
        assert [project["name"] for project in sandbox.get("state")["ayon"]["projects"]] == ["Kept"]
        [program] = sandbox.programs
    assert program.pids == []


def test_faults_occur_as_often_as_documented():
    plan = FaultPlan()
    plan.random.seed(1)
    plan.faults += [Fault(**fault) for fault in build_faults()]
    for _ in range(20_000):
        plan.draw("rudder", "POST", "/api/latest/rules/a")
    frequencies = {name: number / 20_000 for name, number in plan.fired.items()}
    frequencies["malformed"] = sum(frequencies.pop(name) for name in [*frequencies] if name.startswith("malformed"))
    expected = {"refuse": 0.05, "status 502": 0.025, "status 503": 0.025, "drop": 0.05, "malformed": 0.02}
    assert frequencies == pytest.approx({**expected, "slow": 0.01, "slow_after": 0.01, "drip": 0.01}, abs=0.005)


def test_bytes_that_drip_arrive_before_the_read_timeout():
    [drip] = [Fault(**fault) for fault in build_faults() if fault["kind"] == "drip"]
    assert 0 < drip.seconds < CONNECTION_TIMEOUTS["read_timeout"]


@pytest.mark.parametrize(("path", "timeout_factor"), [("/api/v4/submit/", 5), ("/api/latest/rules/a", 1)])
def test_late_responses_exceed_the_read_timeout(path, timeout_factor):
    late = [Fault(**fault) for fault in build_faults() if fault["kind"].startswith("slow")]
    seconds = [fault.seconds for fault in late if fault.matches("any", "POST", path)]
    assert len(seconds) == 2
    assert all(CONNECTION_TIMEOUTS["read_timeout"] * timeout_factor < found for found in seconds)


def test_approver_accepts_the_requests_that_were_pending_at_the_previous_check(tmp_path, monkeypatch):
    monkeypatch.setattr("chaos.approver.INTERVAL_SECONDS", 0)
    with RestartableSandbox(tmp_path) as sandbox:
        sandbox.post("seed", {"rudder": {"validation": True, "rules": [build_rule("first"), build_rule("second")]}})
        monkeypatch.setenv("AIRFLOW_CONN_RUDDER_DEFAULT", json.dumps(sandbox.get("connections")["rudder_default"]))
        approver, hook = Approver(sandbox), RudderHook()

        def request_change(name: str) -> None:
            change = build_rule_change(name)
            hook.update_rule(change["rule_id"], {"enabled": True}, reason=change["reason"])

        def get_statuses() -> dict[str, str]:
            return {row["rule"]: row["status"] for row in sandbox.get("state")["rudder"]["change requests"]}

        request_change("first")
        approver.approve_pending()
        request_change("second")
        approver.approve_pending()
        assert get_statuses() == {"first": "Deployed", "second": "Pending validation"}
        approver.approve_pending()
        assert get_statuses() == {"first": "Deployed", "second": "Deployed"}


class RecordedDisruptions(Disruptions):
    """Disruptions that are only recorded."""

    def restart_triggerer(self) -> None:
        self.print_line("restart")

    def interrupt_sandbox(self) -> None:
        self.down_seconds = 1
        self.print_line("outage")

    def rotate_credentials(self) -> None:
        self.rotations = 4
        self.print_line("rotation")


def record(interval_seconds: float, *moments: tuple[float, int], elapsed_seconds: float = 0) -> list[str]:
    """Return the disruptions at moments of a campaign: (fraction of finished tasks, number of deferred tasks).

    :param elapsed_seconds: time since the last restart, at the first moment
    """
    recorded: list[str] = []
    disruptions = RecordedDisruptions(None, interval_seconds, 1, recorded.append)  # type: ignore[arg-type]
    disruptions.restarted_at -= elapsed_seconds
    for finished, deferred in moments:
        disruptions.disrupt(finished, deferred)
    return recorded


def test_sandbox_is_interrupted_once_and_the_triggerer_is_restarted_repeatedly():
    assert record(0, (0.0, 5), (0.05, 5), (0.1, 5), (0.2, 5)) == ["restart", "restart", "outage", "restart"]


def test_credentials_are_rotated_once_after_the_outage():
    assert record(0, (0.3, 5), (0.3, 5), (0.9, 5)) == ["outage", "rotation", "restart"]


def test_a_rotation_stores_each_new_credential_before_it_revokes_the_former_one(tmp_path):
    with RestartableSandbox(tmp_path) as sandbox:
        former, stored = sandbox.get("connections"), {}

        def update_connection(conn_id: str, connection: dict[str, Any]) -> None:
            # both are valid at this moment
            stored[conn_id] = connection
            if conn_id == "rudder_default":
                assert {get_status(former[conn_id]), get_status(connection)} == {200}

        def get_status(connection: dict[str, Any]) -> int:
            token = {"X-API-Token": connection["password"]}
            return requests.get(f"{connection['host']}/api/latest/rules", headers=token, timeout=60).status_code

        api = SimpleNamespace(update_connection=update_connection)
        environment = SimpleNamespace(
            sandbox=sandbox, airflow=SimpleNamespace(api=api), get_connections=lambda: sandbox.get("connections")
        )
        disruptions = Disruptions(environment, 1, 1, print)  # type: ignore[arg-type]
        disruptions.rotate_credentials()
        current = sandbox.get("connections")
        assert disruptions.rotations == 4
        assert stored.keys() == current.keys()
        assert all(current[conn_id] != former[conn_id] for conn_id in current)
        assert stored["rudder_default"]["password"] == current["rudder_default"]["password"]
        assert stored["rudder_default"]["extra"] == CONNECTION_TIMEOUTS
        assert get_status(former["rudder_default"]) == 401
        assert get_status(stored["rudder_default"]) == 200


def test_triggerer_is_not_restarted_before_the_interval_has_passed():
    assert record(3600, (0.0, 5), (0.0, 5)) == []


def test_interval_starts_again_with_each_restart():
    assert record(3600, (0.0, 5), (0.0, 5), elapsed_seconds=3600) == ["restart"]


def test_there_are_no_disruptions_while_no_task_is_deferred():
    assert record(0, (0.0, 0), (0.5, 0)) == []
