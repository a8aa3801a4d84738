"""What the logs of Rudder's tasks show: one line per action, change, pause and recovery."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.operators import RudderUpdatePoliciesOperator, RudderUpdateRuleOperator
from self_hosted.rudder.sensors import RudderRuleStatusSensor
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.context import context, first_event
from tests.rudder.conftest import SHARE
from tests.rudder.wait_cases import add_change_request
from tests.task_logs import Clock, clock, read_lines, read_warnings, require_pauses, run_logged

__all__ = ["clock"]
RULE_PATH = f"/api/latest/rules/{SHARE}"
REASON = "requested by a test"


def make_update(**arguments: Any) -> Callable[[], RudderUpdateRuleOperator]:
    given = {"rule_id": SHARE, "reason": REASON, "poll_interval": 0.02, "back_link": False, **arguments}
    return lambda: RudderUpdateRuleOperator(task_id="update", **given)


def test_an_update_logs_old_and_new_values_the_link_and_the_result(hook: RudderHook, served: Served, caplog):
    url = f"{served.base_url}/secure/configurationManager/ruleManagement/rule/{SHARE}"
    link, change, done = run_logged(make_update(enabled=True, short_description="new"), caplog)
    assert change.startswith(f'Rule {SHARE}: shortDescription "')
    assert change.endswith(' -> "new", enabled false -> true; applied')
    assert link == f"Open in Rudder: {url}"
    assert done.startswith(f"Done: rule_id {SHARE}, outcome applied, changed 2 items, applied_at ")
    assert done.endswith(f", url {url}")
    assert read_warnings(caplog) == []


def test_an_update_without_a_difference_says_so(hook: RudderHook, caplog):
    run_logged(make_update(enabled=True), caplog)
    assert run_logged(make_update(enabled=True), caplog)[1] == f"Rule {SHARE}: nothing differs"


def test_a_wait_for_a_change_request_is_logged(hook: RudderHook, served: Served, caplog):
    caplog.set_level("INFO")
    served.seed({"validation": True})
    make = make_update(enabled=True, wait_for_completion=True, deferrable=True)
    operator = make()
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(context(operator))
    served.seed({"decisions": {"1": "Deployed"}})
    event = asyncio.run(first_event(deferral.value.trigger))
    make().execute_complete(context(operator), event.payload)
    rule_page, change, request_page, begin, end, done = read_lines(caplog)
    assert rule_page.endswith(f"/ruleManagement/rule/{SHARE}")
    assert request_page.endswith("/changes/changeRequest/1")
    assert change == f"Rule {SHARE}: enabled false -> true; pending as change request 1"
    assert begin.startswith("Waiting for change request 1: polled at least every N s, until ")
    assert end == "change request 1 is 'Deployed', after N s: the wait is over"
    assert done.startswith(f"Done: rule_id {SHARE}, outcome applied")


def test_the_effect_of_an_earlier_try_is_named(hook: RudderHook, served: Served, caplog):
    served.seed({"validation": True})
    run_logged(make_update(enabled=True), caplog)
    lines = run_logged(make_update(enabled=True), caplog)
    assert lines[1].startswith(f"Rule {SHARE}: found the effect of an earlier try, pending as change request ")


def test_decisions_about_change_requests_are_logged(served: Served, connect, caplog):
    caplog.set_level("INFO")
    validator = RudderHook(connect("rudder_validator", served.connection(password=TOKENS["validator"])))
    number = add_change_request(served)
    caplog.clear()
    validator.decline_change_request(number, reason=REASON)
    assert read_lines(caplog) == [f"Change request {number}: declined, its status is Cancelled"]


def test_the_start_of_a_policy_update_is_logged(hook: RudderHook, caplog):
    lines = run_logged(lambda: RudderUpdatePoliciesOperator(task_id="update"), caplog)
    assert [line for line in lines if line.startswith("Policies")] == ["Policies: started their generation"]
    assert lines[-1] == "Done: status started" or lines[-1].startswith("Done: status")


def test_each_pause_is_one_line(hook: RudderHook, served: Served, caplog, clock: Clock):
    require_pauses(make_update(enabled=True), served, caplog, clock, method="GET", path=RULE_PATH)


def test_a_recovered_response_is_one_line(hook: RudderHook, served: Served, caplog):
    served.fail("drop", method="POST", path=RULE_PATH)
    lines = run_logged(make_update(enabled=True), caplog)
    assert read_warnings(caplog) == [
        f"POST {RULE_PATH}: the response was lost: the connection was closed; its effect was found"
    ]
    assert len([line for line in lines if "enabled false -> true; applied" in line]) == 1


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_sensor_logs_its_wait_and_its_result(hook: RudderHook, caplog, deferrable):
    run_logged(make_update(enabled=True), caplog)

    def make() -> RudderRuleStatusSensor:
        return RudderRuleStatusSensor(task_id="wait", rule_id=SHARE, poke_interval=0.05, deferrable=deferrable)

    link, begin, *changes, done = run_logged(make, caplog)
    assert link.startswith("Open in Rudder: ")
    assert begin.startswith(f"Waiting for status of rule {SHARE}: polled at least every N s, until ")
    assert changes[-1].endswith(": the wait is over")
    assert len(changes) <= 3
    assert done.startswith(("Done: ", "Done in N s: "))
