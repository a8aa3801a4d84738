"""Tests of rudder/api/rules.py: requests, results, and updates after lost responses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from self_hosted.core.http.errors import (
    InvalidRequestError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.http.flow import NO_REPLY, Flow, Pause, Request
from self_hosted.core.http.recovery import RECHECK_DELAYS_SECONDS
from self_hosted.rudder.api import change_requests, rule_values, rules
from self_hosted.rudder.errors import NotOfferedError
from tests.rudder.conftest import reply, success
from tests.rudder.flows import (
    finish,
    first_request,
    next_request,
    request_after_error,
    request_after_lost_response,
)

RULE = {
    "id": "r1",
    "displayName": "One",
    "enabled": False,
    "directives": ["b", "a"],
    "targets": ["group:x"],
    "tags": [],
}
SIGNATURE = change_requests.sign_description(None, "key", rule_values.compute_fingerprint({"enabled": True}))
OWN = {"id": 7, "status": "Pending validation", "description": f"please\n\n{SIGNATURE}"}
NOT_OFFERED = NotOfferedError("no such address")


def reach_write(values: dict[str, Any], **arguments: Any) -> tuple[Flow[Any], Request]:
    """Return an update and its write, on a server without the plugin."""
    flow = rules.update("r1", values, idempotency_key="key", **arguments)
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    assert own_requests.target == "/changeRequests?status=all&ruleId=r1"
    return flow, request_after_error(flow, NOT_OFFERED)


def find_no_effect(flow: Flow[Any], request: Request, *responses: Any) -> Request:
    """Answer every check for the effect of a lost write with the same responses; return the request after the last."""
    step: Any = request
    for delay in (*RECHECK_DELAYS_SECONDS, None):
        for response in responses:
            step = flow.send(success(step, response))
        if delay:
            assert isinstance(step, Pause)
            assert step.seconds == delay
            step = flow.send(NO_REPLY)
    assert isinstance(step, Request)
    return step


def test_all_rules_are_listed() -> None:
    flow = rules.list_all()
    request = first_request(flow)
    assert (request.method, request.target) == ("GET", "/rules")
    assert finish(flow, request, {"rules": [RULE]}) == [RULE]


def test_the_id_of_a_rule_is_quoted() -> None:
    assert first_request(rules.get("r1+abcdef")).target == "/rules/r1%2Babcdef"


def test_an_update_sends_only_differing_fields_and_the_reason_in_the_query() -> None:
    _, write = reach_write(
        {"displayName": "One", "enabled": True, "directives": ["a", "b"], "tags": [{"team": "it"}]},
        reason="because of it",
        change_request_name="Share",
        change_request_description="For the show",
    )
    assert write.json == {"enabled": True, "tags": [{"team": "it"}]}
    assert write.query == {
        "reason": "because of it",
        "changeRequestName": "Share",
        "changeRequestDescription": write.query["changeRequestDescription"],
    }
    assert re.fullmatch(r"For the show\n\nairflow: key [0-9a-f]{12}", write.query["changeRequestDescription"])
    assert not write.is_idempotent


def test_an_applied_update_returns_the_changed_fields() -> None:
    flow, write = reach_write({"enabled": True})
    result = finish(flow, write, {"rules": [{**RULE, "enabled": True}]})
    assert result == {"rule_id": "r1", "outcome": "applied", "changed": ["enabled"], "change_request_id": None}


def test_an_update_that_needs_approval_is_pending_with_the_number_of_its_change_request() -> None:
    flow, write = reach_write({"enabled": True})
    result = finish(flow, write, {"rules": [{"changeRequestId": "37", **RULE, "enabled": True}]})
    assert (result["outcome"], result["change_request_id"]) == ("pending", 37)


@pytest.mark.parametrize(
    "values",
    [
        {"enabled": False},
        {"directives": ["a", "b"]},
        {"targets": [{"include": {"or": ["group:x"]}, "exclude": {"or": []}}]},
        {"tags": []},
    ],
)
def test_nothing_is_sent_if_no_field_differs(values: dict[str, Any]) -> None:
    flow = rules.update("r1", values)
    assert finish(flow, first_request(flow), {"rules": [RULE]})["outcome"] == "unchanged"


def test_the_order_of_tags_makes_no_difference() -> None:
    flow = rules.update("r1", {"tags": [{"b": "2"}, {"a": "1"}]})
    tagged = {**RULE, "tags": [{"a": "1"}, {"b": "2"}]}
    assert finish(flow, first_request(flow), {"rules": [tagged]})["outcome"] == "unchanged"


def test_stored_targets_of_an_unknown_form_are_replaced() -> None:
    flow = rules.update("r1", {"targets": ["group:x"]}, idempotency_key="key")
    next_request(flow, first_request(flow), {"rules": [{**RULE, "targets": [{"and": ["group:x"]}]}]})
    write = request_after_error(flow, NOT_OFFERED)
    assert write.json == {"targets": [{"include": {"or": ["group:x"]}, "exclude": {"or": []}}]}


def test_a_success_with_other_values_is_an_error() -> None:
    flow, write = reach_write({"enabled": True, "displayName": "Two"})
    with pytest.raises(ServerError, match="reported success, but did not set enabled"):
        flow.send(success(write, {"rules": [{**RULE, "displayName": "Two"}]}))


def test_after_a_lost_response_an_applied_update_is_recognized() -> None:
    flow, _ = reach_write({"enabled": True})
    check = request_after_lost_response(flow)
    assert (check.method, check.path) == ("GET", "/rules/r1")
    assert finish(flow, check, {"rules": [{**RULE, "enabled": True}]})["outcome"] == "applied"


def test_after_a_lost_response_the_own_change_request_is_recognized() -> None:
    flow, _ = reach_write({"enabled": True})
    own_requests = next_request(flow, request_after_lost_response(flow), {"rules": [RULE]})
    others = [{**OWN, "id": 8, "description": "airflow: other 0"}, {"id": 9, "status": "Deployed"}]
    result = finish(flow, own_requests, [OWN, *others])
    assert (result["outcome"], result["change_request_id"]) == ("pending", 7)


def test_a_write_without_effect_is_sent_again_unchanged() -> None:
    flow, write = reach_write({"enabled": True})
    second = find_no_effect(flow, request_after_lost_response(flow), {"rules": [RULE]}, [])
    assert second == write
    assert finish(flow, second, {"rules": [{**RULE, "enabled": True}]})["outcome"] == "applied"


def test_a_late_effect_is_found_before_the_write_is_sent_again() -> None:
    flow, _ = reach_write({"enabled": True})
    own_requests = next_request(flow, request_after_lost_response(flow), {"rules": [RULE]})
    pause = flow.send(success(own_requests, []))
    assert isinstance(pause, Pause)
    assert pause.seconds == RECHECK_DELAYS_SECONDS[0]
    assert "looking for its effect again in 1 s" in pause.reason
    check = flow.send(NO_REPLY)
    assert isinstance(check, Request)
    result = finish(flow, next_request(flow, check, {"rules": [RULE]}), [OWN])
    assert (result["outcome"], result["change_request_id"]) == ("pending", 7)
    assert "duplicates" not in result


def test_a_second_lost_response_is_left_to_the_retries_of_the_task() -> None:
    flow, _ = reach_write({"enabled": True})
    find_no_effect(flow, request_after_lost_response(flow), {"rules": [RULE]}, [])
    with pytest.raises(OutcomeUnknownError):
        flow.throw(OutcomeUnknownError("the response was lost"))


def test_a_system_rule_is_not_updated() -> None:
    flow = rules.update("r1", {"enabled": True})
    with pytest.raises(InvalidRequestError, match="rule r1 is a system rule: only Rudder itself may change it"):
        flow.send(success(first_request(flow), {"rules": [{**RULE, "system": True}]}))


def test_a_system_rule_without_a_difference_is_unchanged() -> None:
    flow = rules.update("r1", {"enabled": False})
    result = finish(flow, first_request(flow), {"rules": [{**RULE, "system": True}]})
    assert result["outcome"] == "unchanged"


def test_a_success_without_data_is_followed_by_a_look_at_the_effect() -> None:
    flow, write = reach_write({"enabled": True})
    check = flow.send(reply(200, {"action": "updateRule", "result": "success"}, write))
    assert isinstance(check, Request)
    assert finish(flow, check, {"rules": [{**RULE, "enabled": True}]})["outcome"] == "applied"


def test_a_success_without_data_and_without_effect_is_an_error() -> None:
    flow, write = reach_write({"enabled": True})
    check = flow.send(reply(200, {"action": "updateRule", "result": "success"}, write))
    assert isinstance(check, Request)
    own_requests = next_request(flow, check, {"rules": [RULE]})
    with pytest.raises(ServerError, match="reported success, but changed nothing"):
        flow.send(success(own_requests, []))


@pytest.mark.parametrize("number", ["", "abc", "1.5"])
def test_after_a_malformed_number_of_a_change_request_its_effect_is_looked_for(number: str) -> None:
    flow, write = reach_write({"enabled": True})
    check = flow.send(success(write, {"rules": [{"changeRequestId": number, **RULE, "enabled": True}]}))
    assert isinstance(check, Request)
    assert (check.method, check.path) == ("GET", write.path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule_id": ""}, "rule_id must be"),
        ({"rule_id": "tree"}, "rule_id must be the id of a rule"),
        ({"rule_id": "a b"}, "rule_id must be the id of a rule"),
        ({"reason": 5}, "reason must be a text, not 5"),
        ({"change_request_name": ["n"]}, "change_request_name must be a text"),
        ({"change_request_description": 1}, "change_request_description must be a text"),
        ({"values": {"directives": ["a b"]}}, "directives must be the id of a directive"),
        ({"values": {"targets": ["group:a b"]}}, "is not a target"),
    ],
)
def test_invalid_arguments_are_rejected_before_any_request(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next(rules.update(**{"rule_id": "r1", "values": {"enabled": True}, **arguments}))


def test_an_update_fails_without_the_permission_to_read_change_requests() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    next_request(flow, first_request(flow), {"rules": [RULE]})
    with pytest.raises(PermissionDeniedError):
        flow.throw(PermissionDeniedError("not allowed to access GET api/latest/changeRequests"))


def test_the_default_idempotency_key_is_random() -> None:
    descriptions = set()
    for _ in range(2):
        flow = rules.update("r1", {"enabled": True})
        next_request(flow, first_request(flow), {"rules": [RULE]})
        descriptions.add(request_after_error(flow, NOT_OFFERED).query["changeRequestDescription"])
    assert len(descriptions) == 2


def test_the_page_of_a_rule_is_below_the_base_url() -> None:
    base_url = "https://rudder.example.com/rudder"
    assert rules.page_url(base_url, "r+1") == f"{base_url}/secure/configurationManager/ruleManagement/rule/r%2B1"
