"""Tests of rudder/hook.py: token and version on every request, and what the Test button says."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from self_hosted.core.errors import Forbidden, Invalid, LoginRefused, NotFound, Uncertain
from self_hosted.core.flow import Request
from self_hosted.rudder import api
from self_hosted.rudder.hook import RudderHook, TokenAuth
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.rudder.conftest import SHARE

HookAs = Callable[..., RudderHook]


def sent(version: str, *, in_header: bool) -> Request:
    step = next(TokenAuth("secret", version, in_header=in_header).send(Request("GET", "/rules/x")))
    assert isinstance(step, Request)
    return step


def test_the_version_goes_into_the_path() -> None:
    request = sent("22", in_header=False)
    assert request.target == "/api/22/rules/x"
    assert request.headers == {"X-API-Token": "secret"}


def test_the_version_goes_into_the_header_and_then_not_into_the_path() -> None:
    request = sent("latest", in_header=True)
    assert request.target == "/api/rules/x"
    assert request.headers == {"X-API-Token": "secret", "X-API-Version": "latest"}


@pytest.mark.parametrize("version", ["latest", "Latest", "21", " 23 ", 22, "", None])
@pytest.mark.parametrize("version_in", ["url", "header"])
def test_rules_are_read_with_any_version(hook_as: HookAs, version: Any, version_in: str) -> None:
    hook = hook_as(extra={"api_version": version, "version_in": version_in})
    assert hook.rule(SHARE)["displayName"] == "Mount the project share"


@pytest.mark.parametrize("version", ["20", "9.1", "newest", "-21", "²³"])
def test_a_version_that_cannot_be_is_named(hook_as: HookAs, version: str) -> None:
    tested, words = hook_as(extra={"api_version": version}).test_connection()
    assert not tested
    assert "api_version must be" in words
    assert repr(version) in words


@pytest.mark.parametrize("password", [None, "", "  "])
def test_a_missing_token_is_named(hook_as: HookAs, password: str | None) -> None:
    assert hook_as(password=password).test_connection() == (
        False,
        "connection 'rudder_other': the API token (password) is missing",
    )


def test_a_token_may_end_in_a_line_break(hook_as: HookAs) -> None:
    assert hook_as(password=TOKENS["automation"] + "\n").test_connection()[0]


def test_the_test_button_says_whose_token_it_is_and_what_it_may_do(hook: RudderHook) -> None:
    assert hook.test_connection() == (
        True,
        "Signed in as API account 'Automation', which may read and write; its token does not end.",
    )


@pytest.mark.parametrize(("days", "soon"), [(5, True), (60, False)])
def test_the_test_button_warns_of_a_token_that_ends_soon(
    served: Served, hook: RudderHook, days: int, soon: bool
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    served.seed({"expires": end.strftime("%Y-%m-%dT%H:%M:%SZ")})
    tested, words = hook.test_connection()
    assert tested
    assert f"ends on {end:%Y-%m-%d}" in words
    assert ("which is soon" in words) is soon


def test_a_reading_token_says_so(hook_as: HookAs) -> None:
    assert "which may read;" in hook_as(password=TOKENS["reader"]).test_connection()[1]


def test_a_token_without_the_right_to_see_its_account_passes(hook_as: HookAs) -> None:
    tested, words = hook_as(password=TOKENS["access-list"]).test_connection()
    assert tested
    assert "does not tell whose" in words


def test_a_server_before_version_22_passes(served: Served, hook: RudderHook) -> None:
    served.seed({"versions": [21]})
    assert hook.test_connection()[0]


@pytest.mark.parametrize("password", [TOKENS["expired"], "unknownTokenUnknownTokenUnknown1"])
def test_a_token_that_is_not_accepted_fails(hook_as: HookAs, password: str) -> None:
    tested, words = hook_as(password=password).test_connection()
    assert not tested
    assert "the API token is missing, unknown, expired or disabled" in words
    assert password not in words


def test_a_wrong_base_url_fails(served: Served, hook_as: HookAs) -> None:
    tested, words = hook_as(host=f"{served.base_url}/nowhere").test_connection()
    assert not tested
    assert "mind the base URL" in words


def test_a_version_that_is_not_served_fails(hook_as: HookAs) -> None:
    tested, words = hook_as(extra={"api_version": "99"}).test_connection()
    assert not tested
    assert "the API version" in words


def test_a_version_in_the_header_that_is_not_served_fails(hook_as: HookAs) -> None:
    tested, words = hook_as(extra={"api_version": "99", "version_in": "header"}).test_connection()
    assert not tested
    assert "version is required" in words


def test_the_credential_is_in_no_error(hook_as: HookAs) -> None:
    hook = hook_as(password=TOKENS["expired"])
    with pytest.raises(LoginRefused) as refused:
        hook.rules()
    assert TOKENS["expired"] not in repr(refused.value.__dict__)


def test_methods_are_the_flows(hook: RudderHook) -> None:
    assert list(inspect.signature(hook.change_requests).parameters) == ["status", "rule_id"]
    assert len(hook.rules()) == 5
    assert hook.current_account()["id"] == "automation"


def test_a_rule_that_is_missing_is_not_found(hook: RudderHook) -> None:
    with pytest.raises(NotFound, match="Rule with id 'nothing' was not found"):
        hook.rule("nothing")


def test_a_reading_token_may_not_write(hook_as: HookAs) -> None:
    hook = hook_as(password=TOKENS["reader"])
    with pytest.raises(Forbidden, match="not allowed to access"):
        hook.update_rule(SHARE, {"enabled": True}, reason="tried by a test")


def test_a_refused_value_fails_at_once(hook: RudderHook) -> None:
    with pytest.raises(Invalid):
        hook.update_rule(SHARE, {"enabled": "maybe"}, reason="tried by a test")


def test_a_failure_of_the_server_is_not_repeated(served: Served, hook: RudderHook) -> None:
    served.fail("status", method="POST", path="/api/latest/rules/.*", status=500, body="<html>")
    with pytest.raises(Exception, match="HTTP 500"):
        hook.update_rule(SHARE, {"enabled": True}, reason="tried by a test")
    assert not served.tables()["event log"]


def test_a_busy_server_is_asked_again(served: Served, hook: RudderHook) -> None:
    served.fail("status", method="POST", path="/api/latest/rules/.*", status=503, headers={"Retry-After": "0"})
    assert hook.update_rule(SHARE, {"enabled": True}, reason="tried by a test")["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_a_decision_is_made_once_when_its_answer_is_lost(served: Served, hook: RudderHook, hook_as: HookAs) -> None:
    served.seed({"validation": True})
    number = hook.update_rule(SHARE, {"enabled": True}, reason="asked by a test")["change_request_id"]
    validator = hook_as(password=TOKENS["validator"])
    served.fail("drop", method="POST", path=".*/accept")
    assert validator.accept_change_request(number)["status"] == "Deployed"
    assert hook.rule(SHARE)["enabled"] is True


def test_a_public_token_may_not_decide(served: Served, hook: RudderHook) -> None:
    served.seed({"validation": True})
    number = hook.update_rule(SHARE, {"enabled": True}, reason="asked by a test")["change_request_id"]
    with pytest.raises(Forbidden, match="not authorized"):
        hook.accept_change_request(number)


def test_a_validator_may_decline(served: Served, hook: RudderHook, hook_as: HookAs) -> None:
    served.seed({"validation": True})
    number = hook.update_rule(SHARE, {"enabled": True}, reason="asked by a test")["change_request_id"]
    assert hook_as(password=TOKENS["validator"]).decline_change_request(number)["status"] == "Cancelled"


def test_a_trigger_updates_as_a_worker_does(served: Served, hook: RudderHook) -> None:
    async def update() -> Any:
        async with hook.asking() as ask:
            return await ask(api.update_rule(SHARE, {"enabled": True}, reason="tried by a test"))

    served.fail("drop", method="POST", path="/api/latest/rules/.*")
    assert asyncio.run(update())["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_a_timeout_after_the_work_was_done_is_recognised(served: Served, hook_as: HookAs) -> None:
    hook = hook_as(extra={"read_timeout": 1})
    served.fail("slow_after", method="POST", path="/api/latest/rules/.*", seconds=1.2)
    assert hook.update_rule(SHARE, {"enabled": True}, reason="tried by a test")["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_an_answer_lost_again_and_again_is_uncertain(served: Served, hook: RudderHook) -> None:
    served.fail("refuse", method="POST", path="/api/latest/rules/.*", times=2)
    with pytest.raises(Uncertain):
        hook.update_rule(SHARE, {"enabled": True}, reason="tried by a test")
