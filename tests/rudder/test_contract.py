"""What holds on the stand-in and, with --live, on a real server: with requests and with httpx.

A real server's rules are not touched but one: RUDDER_RULE_ID names it, and its short description is changed.
"""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from self_hosted.core.errors import NotFound
from self_hosted.core.flow import Flow
from self_hosted.rudder import api
from self_hosted.rudder.api.compliance import Kind
from self_hosted.rudder.hook import RudderHook
from tests.conftest import Ask
from tests.rudder.conftest import SHARE


@pytest.fixture
def rule_id(request: pytest.FixtureRequest) -> str:
    """The rule that may be changed."""
    if "sandbox" in request.node.callspec.id:
        return SHARE
    return os.environ.get("RUDDER_RULE_ID") or pytest.skip("RUDDER_RULE_ID is not set")


def test_the_token_is_accepted(server: str, ask: Ask) -> None:
    hook = RudderHook(server)
    assert isinstance(ask(hook, hook.signed_in()), str)


def test_a_listed_rule_is_the_one_read_alone(server: str, ask: Ask) -> None:
    hook = RudderHook(server)
    listed = ask(hook, api.rules())[0]
    alone = ask(hook, api.rule(listed["id"]))
    assert alone["displayName"] == listed["displayName"]
    assert api.normalised(alone["targets"]) == api.normalised(listed["targets"])


def test_a_rule_that_does_not_exist_is_not_found(server: str, ask: Ask) -> None:
    with pytest.raises(NotFound):
        ask(RudderHook(server), api.rule(str(uuid4())))


def test_the_list_of_rules_tells_the_status_of_each(server: str, ask: Ask) -> None:
    hook = RudderHook(server)
    listed = ask(hook, api.rules())[0]
    assert listed["status"]["value"] in api.STATUSES
    assert ask(hook, api.rule(listed["id"]))["status"] == listed["status"]


def test_a_node_is_the_same_alone_in_the_list_and_searched_for(server: str, ask: Ask) -> None:
    hook = RudderHook(server)
    alone = ask(hook, api.node("root"))  # the server itself, a policy server
    assert alone["status"] == "accepted"
    assert api.last_run(alone) is not None
    for listed in (ask(hook, api.nodes()), ask(hook, api.nodes(["root", str(uuid4())]))):
        assert "root" in {found["id"] for found in listed}
        assert all(set(found) == set(alone) for found in listed if found["id"] == "root")


def test_nodes_that_are_searched_for_are_no_others(server: str, ask: Ask) -> None:
    hook = RudderHook(server)
    assert [found["id"] for found in ask(hook, api.nodes(["root"]))] == ["root"]
    assert ask(hook, api.nodes([str(uuid4()), "roo."])) == []


def test_pending_nodes_are_listed_by_themselves(server: str, ask: Ask) -> None:
    hook = RudderHook(server)
    assert {found["status"] for found in ask(hook, api.pending_nodes())} <= {"pending"}
    assert ask(hook, api.pending_nodes(["root"])) == []


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_one_thing_is_that_of_the_list(server: str, ask: Ask, kind: Kind) -> None:
    hook = RudderHook(server)
    listed = ask(hook, api.compliances(kind))[0]
    alone = ask(hook, api.compliance(kind, listed["id"]))
    assert {"id", "compliance", "mode", "complianceDetails"} <= set(alone) & set(listed)
    assert 0 <= alone["compliance"] <= 100
    assert isinstance(api.reached(alone, 100), bool)


def test_a_node_that_does_not_exist_is_not_found(server: str, ask: Ask) -> None:
    with pytest.raises(NotFound):
        ask(RudderHook(server), api.node(str(uuid4())))


@pytest.mark.parametrize("kind", ["rule", "node"])
def test_the_compliance_of_what_does_not_exist_is_not_found(server: str, ask: Ask, kind: Kind) -> None:
    with pytest.raises(NotFound):
        ask(RudderHook(server), api.compliance(kind, str(uuid4())))


def test_an_address_that_does_not_exist_is_not_offered(server: str, ask: Ask) -> None:
    with pytest.raises(api.NotOffered):
        ask(RudderHook(server), _no_such_address())


def test_an_update_is_applied_or_pending_and_asked_for_once(server: str, ask: Ask, rule_id: str) -> None:
    hook, mark = RudderHook(server), uuid4().hex
    words = f"checked {mark}"

    def update() -> dict[str, object]:
        wanted = {"shortDescription": words}
        return ask(hook, api.update_rule(rule_id, wanted, reason="contract test", mark=mark))  # type: ignore[no-any-return]

    first, second = update(), update()
    assert first["changed"] == ["shortDescription"]
    if first["outcome"] == "pending":
        assert second == first
    else:
        assert (first["outcome"], second["outcome"]) == ("applied", "unchanged")
        assert ask(hook, api.rule(rule_id))["shortDescription"] == words


def _no_such_address() -> Flow[object]:
    from self_hosted.core.flow import Request

    return (yield Request("GET", "/no/such/address"))
