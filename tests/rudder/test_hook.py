"""Tests of rudder/hook.py: token and version of every request, the Test button, and the methods."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from self_hosted.core.http.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.http.flow import Request
from self_hosted.rudder.api import rules
from self_hosted.rudder.hook import RudderHook, TokenAuth
from self_hosted.sandbox.rudder import TOKENS
from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.rudder.wait_cases import add_change_request

HookAs = Callable[..., RudderHook]


def sign(version: str, *, in_header: bool) -> Request:
    step = next(TokenAuth("secret", version, in_header=in_header).send(Request("GET", "/rules/x")))
    assert isinstance(step, Request)
    return step


def test_the_version_is_part_of_the_path() -> None:
    request = sign("22", in_header=False)
    assert request.target == "/api/22/rules/x"
    assert request.headers == {"X-API-Token": "secret"}


def test_a_version_in_the_header_is_not_part_of_the_path() -> None:
    request = sign("latest", in_header=True)
    assert request.target == "/api/rules/x"
    assert request.headers == {"X-API-Token": "secret", "X-API-Version": "latest"}


@pytest.mark.parametrize(
    ("version", "version_in"),
    [
        ("latest", "header"),
        ("latest", "url"),
        ("Latest", "url"),
        ("21", "header"),
        (" 23 ", "url"),
        (22, "url"),
        ("", "url"),
        (None, "url"),
    ],
)
def test_rules_are_read_with_any_version(hook_as: HookAs, version: Any, version_in: str) -> None:
    hook = hook_as(extra={"api_version": version, "version_in": version_in})
    assert hook.get_rule(SHARE)["displayName"] == "Mount the project share"


@pytest.mark.parametrize("version", ["20", "9.1", "newest", "-21", "²³"])
def test_an_invalid_version_is_named(hook_as: HookAs, version: str) -> None:
    is_accepted, message = hook_as(extra={"api_version": version}).test_connection()
    assert not is_accepted
    assert "api_version must be" in message
    assert repr(version) in message


@pytest.mark.parametrize("password", [None, "", "  "])
def test_a_missing_token_is_named(hook_as: HookAs, password: str | None) -> None:
    assert hook_as(password=password).test_connection() == (
        False,
        "connection 'rudder_other': the API token (password) is missing",
    )


def test_a_line_break_after_the_token_is_ignored(hook_as: HookAs) -> None:
    assert hook_as(password=TOKENS["automation"] + "\n").test_connection()[0]


def test_the_test_button_shows_account_permissions_and_expiry(hook: RudderHook) -> None:
    assert hook.test_connection() == (
        True,
        "Signed in as API account 'Automation', which may read and write; its token does not expire.",
    )


@pytest.mark.parametrize(("days", "soon"), [(5, True), (60, False)])
def test_the_test_button_warns_about_a_token_that_expires_soon(
    served: Served, hook: RudderHook, days: int, soon: bool
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    served.seed({"expires": end.strftime("%Y-%m-%dT%H:%M:%SZ")})
    is_accepted, message = hook.test_connection()
    assert is_accepted
    assert f"expires on {end:%Y-%m-%d}" in message
    assert ("which is soon" in message) is soon


def test_the_test_button_shows_that_a_token_is_read_only(hook_as: HookAs) -> None:
    assert "which may read;" in hook_as(password=TOKENS["reader"]).test_connection()[1]


@pytest.mark.parametrize("path", ["rules/*", "rules", "compliance/nodes/*", "changeRequests"])
def test_a_token_that_may_not_read_its_account_is_accepted(served: Served, hook_as: HookAs, path: str) -> None:
    account = {"id": "acl", "name": "acl", "rights": "acl", "access": [[path, ["GET"]]]}
    served.seed({"accounts": {"tokenOfAnAccessList": account}, "validation": True})
    is_accepted, message = hook_as(password="tokenOfAnAccessList").test_connection()
    assert is_accepted
    assert "does not show its account" in message


def test_a_token_without_any_permission_fails_the_test(hook_as: HookAs) -> None:
    is_accepted, message = hook_as(password=TOKENS["access-list"]).test_connection()
    assert not is_accepted
    assert "give the API account a permission" in message


@pytest.mark.parametrize("versions", [[21], [18, 19, 20, 21], [21, 22, 23]])
@pytest.mark.parametrize("version_in", ["url", "header"])
def test_a_server_asked_for_api_version_21_accepts_the_token(
    served: Served, hook_as: HookAs, versions: list[int], version_in: str
) -> None:
    served.seed({"versions": versions})
    hook = hook_as(extra={"api_version": "21", "version_in": version_in})
    is_accepted, message = hook.test_connection()
    assert is_accepted
    assert "does not show its account" in message


def test_the_latest_version_of_rudder_8_3_accepts_the_token(served: Served, hook: RudderHook) -> None:
    served.seed({"versions": [18, 19, 20, 21]})
    assert hook.test_connection()[0]


def test_a_token_of_a_user_has_the_permissions_of_the_user(hook_as: HookAs) -> None:
    assert "has the permissions of its user" in hook_as(password=TOKENS["validator"]).test_connection()[1]


def test_a_malformed_expiry_date_fails_the_test(served: Served, hook: RudderHook) -> None:
    served.seed({"expires": "tomorrow"})
    is_accepted, message = hook.test_connection()
    assert not is_accepted
    assert "expirationDate: not a time" in message


@pytest.mark.parametrize("password", [TOKENS["expired"], "unknownTokenUnknownTokenUnknown1"])
def test_a_rejected_token_fails_the_test(hook_as: HookAs, password: str) -> None:
    is_accepted, message = hook_as(password=password).test_connection()
    assert not is_accepted
    assert "the API token is missing, unknown, expired or disabled" in message
    assert password not in message


def test_a_wrong_base_url_fails_the_test(served: Served, hook_as: HookAs) -> None:
    is_accepted, message = hook_as(host=f"{served.base_url}/nowhere").test_connection()
    assert not is_accepted
    assert "check the base URL" in message


def test_an_unsupported_version_fails_the_test(hook_as: HookAs) -> None:
    is_accepted, message = hook_as(extra={"api_version": "99"}).test_connection()
    assert not is_accepted
    assert "the API version" in message


def test_an_unsupported_version_in_the_header_fails_the_test(hook_as: HookAs) -> None:
    is_accepted, message = hook_as(extra={"api_version": "99", "version_in": "header"}).test_connection()
    assert not is_accepted
    assert "version is required" in message


def test_no_error_contains_the_credential(hook_as: HookAs) -> None:
    hook = hook_as(password=TOKENS["expired"])
    with pytest.raises(AuthenticationError) as rejection:
        hook.list_rules()
    assert TOKENS["expired"] not in repr(rejection.value.__dict__)


def test_methods_run_flows_with_the_same_parameters(hook: RudderHook) -> None:
    assert list(inspect.signature(hook.list_change_requests).parameters) == ["status", "rule_id"]
    assert len(hook.list_rules()) == 5
    assert hook.get_current_account()["id"] == "automation"


def test_a_missing_rule_is_not_found(hook: RudderHook) -> None:
    with pytest.raises(NotFoundError, match="Rule with id 'nothing' was not found"):
        hook.get_rule("nothing")


def test_a_read_only_token_may_not_write(hook_as: HookAs) -> None:
    hook = hook_as(password=TOKENS["reader"])
    with pytest.raises(PermissionDeniedError, match="not allowed to access"):
        hook.update_rule(SHARE, {"enabled": True}, reason="requested by a test")


def test_a_rejected_value_is_not_retried(hook: RudderHook) -> None:
    with pytest.raises(InvalidRequestError):
        hook.update_rule(SHARE, {"enabled": "maybe"}, reason="requested by a test")


def test_a_read_from_a_failing_server_is_not_repeated(served: Served, hook: RudderHook) -> None:
    served.fail("status", method="GET", path="/api/latest/rules/.*", status=500, body="<html>")
    with pytest.raises(ServerError, match="HTTP 500"):
        hook.get_rule(SHARE)


def test_a_write_to_a_failing_server_is_repeated_only_if_it_had_no_effect(served: Served, hook: RudderHook) -> None:
    for is_processed in (True, False):
        served.reset()
        served.fail("status", method="POST", path=".*/rules/.*", status=500, body="<html>", processed=is_processed)
        assert hook.update_rule(SHARE, {"enabled": True}, reason="requested by a test")["outcome"] == "applied"
        assert len(served.tables()["event log"]) == 1


def test_a_request_is_retried_while_the_server_is_unavailable(served: Served, hook: RudderHook) -> None:
    served.fail("status", method="POST", path="/api/latest/rules/.*", status=503, headers={"Retry-After": "0"})
    assert hook.update_rule(SHARE, {"enabled": True}, reason="requested by a test")["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_a_validator_may_accept(served: Served, hook: RudderHook, hook_as: HookAs) -> None:
    number = add_change_request(served)
    validator = hook_as(password=TOKENS["validator"])
    assert validator.accept_change_request(number)["status"] == "Deployed"
    assert hook.get_rule(SHARE)["displayName"] != "Mount the project share"


def test_a_public_token_may_not_accept(served: Served, hook: RudderHook) -> None:
    number = add_change_request(served)
    with pytest.raises(PermissionDeniedError, match="not authorized"):
        hook.accept_change_request(number)


def test_a_validator_may_decline(served: Served, hook_as: HookAs) -> None:
    number = add_change_request(served)
    assert hook_as(password=TOKENS["validator"]).decline_change_request(number)["status"] == "Cancelled"


def test_an_update_in_a_trigger_recovers_from_a_lost_response(served: Served, hook: RudderHook) -> None:
    async def update() -> Any:
        async with hook.async_client() as client:
            return await client(rules.update(SHARE, {"enabled": True}, reason="requested by a test"))

    served.fail("drop", method="POST", path="/api/latest/rules/.*")
    assert asyncio.run(update())["outcome"] == "applied"
    assert len(served.tables()["event log"]) == 1


def test_a_response_lost_twice_leaves_the_outcome_unknown(served: Served, hook: RudderHook) -> None:
    served.fail("refuse", method="POST", path="/api/latest/rules/.*", times=2)
    with pytest.raises(OutcomeUnknownError):
        hook.update_rule(SHARE, {"enabled": True}, reason="requested by a test")
