"""Tests of the wait for compliance in rudder/waits.py: thresholds, disabled rules, and changes of policies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.wait.key import WaitKey
from self_hosted.core.wait.observation import Observation
from self_hosted.rudder.api.compliance import Kind
from self_hosted.rudder.hook import RudderHook
from self_hosted.rudder.waits import COMPLIANCE, MAX_SEARCHED_NODES
from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, SHARE
from tests.rudder.flows import finish, finish_with_error, first_request, next_request
from tests.rudder.test_waits import count_requests
from tests.rudder.wait_cases import HOUR_AGO, add_node, add_reported_rule, add_rule, compliance_key


def observe_compliance(percent: float, details: dict[str, float], threshold: float = 100) -> Observation:
    key = compliance_key("node", "n1", threshold)
    flow = COMPLIANCE.refresh([key])
    node = {"id": "n1", "mode": "full-compliance", "compliance": percent, "complianceDetails": details}
    return finish(flow, first_request(flow), {"nodes": [node]})[key]  # type: ignore[no-any-return]


def test_low_compliance_is_waited_for() -> None:
    details = {"successAlreadyOK": 82.5, "noReport": 17.5}
    observation = observe_compliance(82.5, details)
    assert (observation.state, observation.done, observation.progress) == ("82.5 % compliant", False, None)
    assert observation.details == {"compliance": 82.5, "details": details}


def test_pending_reports_are_not_compliant_and_show_the_progress() -> None:
    observation = observe_compliance(100.0, {"applying": 97.0, "successAlreadyOK": 3.0})
    assert (observation.state, observation.done, observation.progress) == ("100 % compliant, 97 % applying", False, 3)


@pytest.mark.parametrize(("threshold", "done"), [(90, True), (90.5, False)])
def test_a_threshold_may_be_reached_before_all_reports_arrive(threshold: float, done: bool) -> None:
    assert observe_compliance(100.0, {"applying": 10.0, "successAlreadyOK": 90.0}, threshold).done is done


def test_binary_rounding_does_not_prevent_that_a_threshold_is_reached() -> None:
    assert observe_compliance(66.66 + 33.33, {"successAlreadyOK": 66.66, "successRepaired": 33.33}, 99.99).done


def test_compliance_needs_one_request_for_all_nodes_and_two_for_all_rules(served: Served, hook: RudderHook) -> None:
    keys = [
        compliance_key("rule", add_reported_rule(served, 100), 100),
        compliance_key("rule", ANTIVIRUS, 50),
        compliance_key("node", FILE_SERVER, 100),
        compliance_key("node", "root", 100),
    ]
    before = count_requests(served)
    observations = hook.run(COMPLIANCE.refresh(keys))
    assert [observations[key].done for key in keys] == [True] * 4
    assert count_requests(served) - before == 3


def test_a_disabled_rule_ends_the_wait_for_its_compliance(served: Served, hook: RudderHook) -> None:
    keys = [compliance_key("rule", rule_id, 50) for rule_id in (SHARE, ANTIVIRUS)]
    observations = hook.run(COMPLIANCE.refresh(keys))
    assert observations[keys[0]] == Observation("Disabled", done=True)
    assert observations[keys[1]].state == "100 % compliant"


def test_compliance_is_observed_without_the_permission_to_read_rules(served: Served, hook_as) -> None:
    access = [["compliance/rules/*", ["GET"]], ["compliance/rules", ["GET"]]]
    served.seed({"accounts": {"token": {"id": "acl", "name": "acl", "rights": "acl", "access": access}}})
    key = compliance_key("rule", ANTIVIRUS, 50)
    assert hook_as(password="token").run(COMPLIANCE.refresh([key]))[key].done


def change_key(kind: Kind, target_id: str, after: datetime) -> str:
    return WaitKey(target_id, (kind, "100.0", after.isoformat())).to_text()


def add_rule_of_node(served: Served, node_id: str, *other_ids: str) -> str:
    """Return the id of a new compliant rule for nodes."""
    rule_id = add_rule(served, targets=[f"policyServer:{node_id}" for node_id in (node_id, *other_ids)])
    served.seed({"reports": {rule_id: {"compliant_percent": 100, "duration_seconds": 0}}})
    return rule_id


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_old_compliance_does_not_count_before_all_nodes_have_run(served: Served, hook: RudderHook, kind: Kind) -> None:
    node_id = add_node(served, first_run=-600)
    served.seed({"reports": {node_id: {"compliant_percent": 100, "duration_seconds": 0}}})
    target_id = node_id if kind == "node" else add_rule_of_node(served, node_id)
    earlier, later = (change_key(kind, target_id, datetime.now(UTC) - timedelta(seconds=ago)) for ago in (900, 300))
    observations = hook.run(COMPLIANCE.refresh([earlier, later]))
    assert (observations[earlier].done, observations[later].done) == (True, False)
    assert observations[later].state.startswith("100 % compliant, but 1 of 1 nodes did not run after 20")
    assert observations[later].details["compliance"] == 100
    served.seed({"nodes": [{"id": node_id, "first_run": -60}]})
    assert hook.run(COMPLIANCE.refresh([later]))[later].done


def test_a_node_without_reports_does_not_delay_the_wait() -> None:
    key = change_key("rule", "r1", datetime.now(UTC))
    found = {"id": "r1", "compliance": 100.0, "complianceDetails": {"successAlreadyOK": 100.0}}
    silent = {"id": "n1", "complianceDetails": {"noReport": 100.0}}
    flow = COMPLIANCE.refresh([key])
    rule = next_request(flow, first_request(flow), {"rules": [found]})
    nodes_of_rule = next_request(flow, rule, {"rules": [{"id": "r1", "enabled": True}]})
    assert finish(flow, nodes_of_rule, {"rules": [{**found, "nodes": [silent]}]})[key].done


def test_a_removed_node_does_not_delay_the_wait(served: Served) -> None:
    key = change_key("node", "n1", datetime.now(UTC))
    flow = COMPLIANCE.refresh([key])
    found = {"id": "n1", "compliance": 100.0, "complianceDetails": {"successAlreadyOK": 100.0}}
    next_request(flow, first_request(flow), {"nodes": [found]})
    assert finish_with_error(flow, NotFoundError("Node is missing"))[key].done


@pytest.mark.parametrize("rule_fields", [{"enabled": False}, {}])
def test_nodes_are_not_read_for_a_rule_whose_compliance_is_too_low(
    served: Served, hook: RudderHook, rule_fields: dict[str, Any]
) -> None:
    key = change_key("rule", add_rule(served, **rule_fields), HOUR_AGO)
    before = count_requests(served)
    hook.run(COMPLIANCE.refresh([key]))
    assert count_requests(served) - before == 2


def test_very_many_nodes_are_read_from_the_list_of_all() -> None:
    ids = [f"n{number}" for number in range(MAX_SEARCHED_NODES + 1)]
    keys = [change_key("node", node_id, HOUR_AGO) for node_id in ids]
    flow = COMPLIANCE.refresh(keys)
    found = [{"id": node_id, "compliance": 100.0, "complianceDetails": {}} for node_id in ids]
    request = next_request(flow, first_request(flow), {"nodes": found})
    assert (request.path, set(request.query)) == ("/nodes", {"include"})
    run = datetime.now(UTC).isoformat()
    listed = [{"id": node_id, "status": "accepted", "lastRunDate": run} for node_id in ids]
    assert all(observation.done for observation in finish(flow, request, {"nodes": listed}).values())


def test_waits_for_one_rule_may_have_different_thresholds(served: Served, hook: RudderHook) -> None:
    rule_id = add_reported_rule(served, 80)
    low, high = (compliance_key("rule", rule_id, threshold) for threshold in (80, 80.5))
    observations = hook.run(COMPLIANCE.refresh([low, high]))
    assert (observations[low].done, observations[high].done) == (True, False)


def test_a_server_without_compliance_ends_the_wait(served: Served, hook: RudderHook) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    key = compliance_key("rule", ANTIVIRUS, 100)
    assert hook.run(COMPLIANCE.refresh([key])) == {key: Observation("reports-disabled", done=True)}
