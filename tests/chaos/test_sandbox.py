"""The faults of the campaign's sandbox, its outages, the approver and the disruptions."""

from __future__ import annotations

import pytest
import requests

from chaos.approver import Approver
from chaos.disruptions import Disruptions
from chaos.environment import build_connection_variables
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
    expected = {"refuse": 0.05, "status 502": 0.025, "status 503": 0.025, "drop": 0.05}
    assert frequencies == pytest.approx({**expected, "slow": 0.01, "slow_after": 0.01}, abs=0.005)


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
        for name, connection in build_connection_variables(sandbox, {}).items():
            monkeypatch.setenv(name, connection)
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
    assert record(0, (0.0, 5), (0.05, 5), (0.1, 5), (0.5, 5)) == ["restart", "restart", "outage", "restart"]


def test_triggerer_is_not_restarted_before_the_interval_has_passed():
    assert record(3600, (0.0, 5), (0.0, 5)) == []


def test_interval_starts_again_with_each_restart():
    assert record(3600, (0.0, 5), (0.0, 5), elapsed_seconds=3600) == ["restart"]


def test_there_are_no_disruptions_while_no_task_is_deferred():
    assert record(0, (0.0, 0), (0.5, 0)) == []
