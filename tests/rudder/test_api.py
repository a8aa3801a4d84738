"""Tests of rudder/api/rules.py: requests, results, and updates after lost responses."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.http.errors import ConflictError, OutcomeUnknownError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Flow, Pause, Request
from self_hosted.core.http.recovery import RECHECK_DELAYS_SECONDS
from self_hosted.core.http.transport import NO_REPLY
from self_hosted.rudder.api import rules
from self_hosted.rudder.errors import NotOfferedError
from tests.rudder.conftest import success
from tests.rudder.flows import (
    finish,
    finish_with_error,
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
OWN = {"id": 7, "status": "Pending validation", "description": "please\n\nairflow: key"}
DUPLICATE = {**OWN, "id": 8}
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
            assert step == Pause(delay)
            step = flow.send(NO_REPLY)
    assert isinstance(step, Request)
    return step


def write_twice() -> tuple[Flow[Any], Request]:
    """Return an update whose write was sent twice, and its request for the own change requests."""
    flow, _ = reach_write({"enabled": True})
    second = find_no_effect(flow, request_after_lost_response(flow), {"rules": [RULE]}, [])
    return flow, next_request(flow, second, {"rules": [{"changeRequestId": "8", **RULE, "enabled": True}]})


def test_all_rules_are_listed() -> None:
    flow = rules.list_all()
    request = first_request(flow)
    assert (request.method, request.target) == ("GET", "/rules")
    assert finish(flow, request, {"rules": [RULE]}) == [RULE]


def test_the_id_of_a_rule_is_quoted() -> None:
    assert first_request(rules.get("a b")).target == "/rules/a%20b"


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
        "changeRequestDescription": "For the show\n\nairflow: key",
    }
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
    others = [{**OWN, "id": 8, "description": "airflow: other"}, {"id": 9, "status": "Deployed"}]
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
    assert flow.send(success(own_requests, [])) == Pause(RECHECK_DELAYS_SECONDS[0])
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


def test_of_two_own_change_requests_the_newer_is_declined() -> None:
    flow, own_requests = write_twice()
    decline = next_request(flow, own_requests, [DUPLICATE, OWN])
    assert (decline.method, decline.path) == ("DELETE", "/changeRequests/8")
    assert "change request 7" in decline.query["reason"]
    result = finish(flow, decline, {"changeRequests": [{**DUPLICATE, "status": "Cancelled"}]})
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("pending", 7, [])


@pytest.mark.parametrize(
    "error", [PermissionDeniedError("not authorized"), ConflictError("cannot be cancelled"), ServerError("failed")]
)
def test_the_result_contains_duplicates_that_could_not_be_declined(error: Exception) -> None:
    flow, own_requests = write_twice()
    next_request(flow, own_requests, [DUPLICATE, OWN])
    result = finish_with_error(flow, error)
    assert (result["change_request_id"], result["duplicates"]) == (7, [8])


def test_the_result_shows_that_a_write_sent_twice_may_still_open_a_duplicate() -> None:
    flow, own_requests = write_twice()
    result = finish(flow, own_requests, [DUPLICATE])
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("pending", 8, [])


def test_a_declined_change_request_is_effective_only_if_there_is_no_other() -> None:
    flow, own_requests = write_twice()
    result = finish(flow, own_requests, [{**OWN, "status": "Cancelled"}, DUPLICATE])
    assert (result["outcome"], result["change_request_id"]) == ("pending", 8)


def test_a_retry_uses_the_older_of_two_change_requests_and_declines_the_other() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    decline = next_request(flow, own_requests, [{**OWN, "status": "Deployed"}, DUPLICATE])
    result = finish(flow, decline, {"changeRequests": [{**DUPLICATE, "status": "Cancelled"}]})
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("applied", 7, [])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("Pending validation", "pending"), ("Pending deployment", "pending"), ("Deployed", "applied")],
)
def test_a_retry_finds_the_change_request_of_an_earlier_attempt(status: str, outcome: str) -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    result = finish(flow, own_requests, [{**OWN, "status": status}])
    assert (result["outcome"], result["change_request_id"]) == (outcome, 7)


def test_a_retry_does_not_repeat_a_declined_change_request() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    with pytest.raises(ConflictError, match="change request 7 for rule r1 was declined"):
        flow.send(success(own_requests, [{**OWN, "status": "Cancelled"}]))


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


def test_invalid_targets_are_rejected_before_any_request() -> None:
    with pytest.raises(ValueError, match="is not a target"):
        next(rules.update("r1", {"targets": ["everything"]}))


def test_the_page_of_a_rule_is_below_the_base_url() -> None:
    base_url = "https://rudder.example.com/rudder"
    assert rules.page_url(base_url, "r 1") == f"{base_url}/secure/configurationManager/ruleManagement/rule/r%201"
