"""The campaign's sandbox is misbehaving as announced, and can be down for a while."""

from __future__ import annotations

import pytest
import requests

from chaos.faults import PATIENCE, faults
from chaos.ground import connections
from chaos.person import Person
from chaos.sandbox import KeptSandbox
from chaos.trouble import Trouble
from chaos.works import change, rule
from self_hosted.rudder.hook import RudderHook
from self_hosted.sandbox.faults import Arranged, Fault


def test_a_sandbox_that_was_down_is_back_at_its_address_with_what_it_held(tmp_path):
    with KeptSandbox(tmp_path) as sandbox:
        sandbox.tell("seed", {"ayon": {"projects": [{"name": "Kept", "code": "kept"}]}})
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            sandbox.ask("state")
        sandbox.start()
        assert [project["name"] for project in sandbox.ask("state")["ayon"]["projects"]] == ["Kept"]
        [program] = sandbox.programs
    assert program.members == []


def test_the_shares_are_those_that_were_announced():
    arranged = Arranged()
    arranged.random.seed(1)
    arranged.faults += [Fault(**fault) for fault in faults()]
    for _ in range(20_000):
        arranged.due("rudder", "POST", "/api/latest/rules/a")
    share = {name: number / 20_000 for name, number in arranged.fired.items()}
    wanted = {"refuse": 0.05, "status 502": 0.025, "status 503": 0.025, "drop": 0.05, "slow": 0.01, "slow_after": 0.01}
    assert share == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize(("path", "times_the_time_out"), [("/api/v4/submit/", 5), ("/api/latest/rules/a", 1)])
def test_what_is_late_comes_after_the_client_gave_up(path, times_the_time_out):
    late = [Fault(**fault) for fault in faults() if fault["kind"].startswith("slow")]
    seconds = [fault.seconds for fault in late if fault.matches("any", "POST", path)]
    assert len(seconds) == 2
    assert all(PATIENCE["read_timeout"] * times_the_time_out < found for found in seconds)


def test_the_person_accepts_what_was_open_at_the_look_before(tmp_path, monkeypatch):
    monkeypatch.setattr("chaos.person.INTERVAL", 0)
    with KeptSandbox(tmp_path) as sandbox:
        sandbox.tell("seed", {"rudder": {"validation": True, "rules": [rule("first"), rule("second")]}})
        for name, given in connections(sandbox, {}).items():
            monkeypatch.setenv(name, given)
        person, hook = Person(sandbox), RudderHook()

        def request(name: str) -> None:
            wanted = change(name)
            hook.update_rule(wanted["rule_id"], {"enabled": True}, reason=wanted["reason"])

        def statuses() -> dict[str, str]:
            return {row["rule"]: row["status"] for row in sandbox.ask("state")["rudder"]["change requests"]}

        request("first")
        person.look()
        request("second")
        person.look()
        assert statuses() == {"first": "Deployed", "second": "Pending validation"}
        person.look()
        assert statuses() == {"first": "Deployed", "second": "Deployed"}


class Recorded(Trouble):
    """Trouble that is only noted down."""

    def restart_triggerer(self) -> None:
        self.tell("restart")

    def stop_sandbox(self) -> None:
        self.seconds_down = 1
        self.tell("outage")


def trouble(every: float, *moments: tuple[float, int]) -> list[str]:
    """What happens at moments of a campaign: share of the tasks that has ended, number of those that wait deferred."""
    happened: list[str] = []
    recorded = Recorded(None, every, 1, happened.append)  # type: ignore[arg-type]
    for done, deferred in moments:
        recorded.come(done, deferred)
    return happened


def test_the_sandbox_is_down_once_and_the_triggerer_is_restarted_again_and_again():
    assert trouble(0, (0.0, 5), (0.05, 5), (0.1, 5), (0.5, 5)) == ["restart", "restart", "outage", "restart"]


def test_between_two_restarts_there_is_time():
    assert trouble(60, (0.0, 5), (0.0, 5)) == []


def test_there_is_no_trouble_while_nobody_waits_deferred():
    assert trouble(0, (0.0, 0), (0.5, 0)) == []
