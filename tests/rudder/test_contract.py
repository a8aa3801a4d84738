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
