"""The contract of Rudder's API: valid for the fake server and, with --live, for a real one; with requests and httpx.

One rule of a real server is changed: its short description. RUDDER_RULE_ID names the rule.
"""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from self_hosted.core.http.errors import NotFoundError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.rudder.api import compliance, nodes, rules, targets
from self_hosted.rudder.api.compliance import Kind
from self_hosted.rudder.errors import NotOfferedError
from self_hosted.rudder.hook import RudderHook
from tests.conftest import FlowRunner
from tests.rudder.conftest import SHARE


@pytest.fixture
def rule_id(request: pytest.FixtureRequest) -> str:
    """The rule that may be changed."""
    if "sandbox" in request.node.callspec.id:
        return SHARE
    return os.environ.get("RUDDER_RULE_ID") or pytest.skip("RUDDER_RULE_ID is not set")


def test_the_token_is_accepted(server: str, run_flow: FlowRunner) -> None:
    hook = RudderHook(server)
    assert isinstance(run_flow(hook, hook.verify_credentials()), str)


def test_a_listed_rule_equals_the_rule_read_by_id(server: str, run_flow: FlowRunner) -> None:
    hook = RudderHook(server)
    listed = run_flow(hook, rules.list_all())[0]
    rule = run_flow(hook, rules.get(listed["id"]))
    assert rule["displayName"] == listed["displayName"]
    assert targets.normalize(rule["targets"]) == targets.normalize(listed["targets"])


def test_a_missing_rule_is_not_found(server: str, run_flow: FlowRunner) -> None:
    with pytest.raises(NotFoundError):
        run_flow(RudderHook(server), rules.get(str(uuid4())))


def test_the_list_of_rules_contains_the_status_of_each(server: str, run_flow: FlowRunner) -> None:
    hook = RudderHook(server)
    listed = run_flow(hook, rules.list_all())[0]
    assert listed["status"]["value"] in rules.STATUSES
    assert run_flow(hook, rules.get(listed["id"]))["status"] == listed["status"]


def test_a_node_is_the_same_by_id_in_a_list_and_in_a_search(server: str, run_flow: FlowRunner) -> None:
    hook = RudderHook(server)
    node = run_flow(hook, nodes.get("root"))  # the server itself, a policy server
    assert node["status"] == "accepted"
    assert nodes.get_last_run(node) is not None
    for listed in (run_flow(hook, nodes.list_accepted()), run_flow(hook, nodes.list_accepted(["root", str(uuid4())]))):
        assert "root" in {found["id"] for found in listed}
        assert all(set(found) == set(node) for found in listed if found["id"] == "root")


def test_a_search_finds_complete_ids_only(server: str, run_flow: FlowRunner) -> None:
    hook = RudderHook(server)
    assert [found["id"] for found in run_flow(hook, nodes.list_accepted(["root"]))] == ["root"]
    assert run_flow(hook, nodes.list_accepted([str(uuid4()), "roo."])) == []


def test_pending_nodes_have_a_list_of_their_own(server: str, run_flow: FlowRunner) -> None:
    hook = RudderHook(server)
    assert {found["status"] for found in run_flow(hook, nodes.list_pending())} <= {"pending"}
    assert run_flow(hook, nodes.list_pending(["root"])) == []


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_listed_compliance_has_the_fields_of_compliance_read_by_id(
    server: str, run_flow: FlowRunner, kind: Kind
) -> None:
    hook = RudderHook(server)
    listed = run_flow(hook, compliance.list_all(kind))[0]
    single = run_flow(hook, compliance.get(kind, listed["id"]))
    assert {"id", "compliance", "mode", "complianceDetails"} <= set(single) & set(listed)
    assert 0 <= single["compliance"] <= 100
    assert isinstance(compliance.is_reached(single, 100), bool)


def test_a_missing_node_is_not_found(server: str, run_flow: FlowRunner) -> None:
    with pytest.raises(NotFoundError):
        run_flow(RudderHook(server), nodes.get(str(uuid4())))


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_a_missing_object_is_not_found(server: str, run_flow: FlowRunner, kind: Kind) -> None:
    with pytest.raises(NotFoundError):
        run_flow(RudderHook(server), compliance.get(kind, str(uuid4())))


def test_a_missing_endpoint_is_not_offered(server: str, run_flow: FlowRunner) -> None:
    def request_missing_endpoint() -> Flow[object]:
        return (yield Request("GET", "/no/such/address"))

    with pytest.raises(NotOfferedError):
        run_flow(RudderHook(server), request_missing_endpoint())


def test_a_repeated_update_has_one_effect(server: str, run_flow: FlowRunner, rule_id: str) -> None:
    hook, key = RudderHook(server), uuid4().hex
    description = f"checked {key}"

    def update() -> dict[str, object]:
        values = {"shortDescription": description}
        flow = rules.update(rule_id, values, reason="contract test", idempotency_key=key)
        return run_flow(hook, flow)  # type: ignore[no-any-return]

    first, second = update(), update()
    assert first["changed"] == ["shortDescription"]
    if first["outcome"] == "pending":
        assert second == first
    else:
        assert (first["outcome"], second["outcome"]) == ("applied", "unchanged")
        assert run_flow(hook, rules.get(rule_id))["shortDescription"] == description
