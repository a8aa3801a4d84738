"""Tests of rudder/api/rule_changes.py: which change request of an earlier attempt counts, and which is declined."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.http.errors import ConflictError, PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.rudder.api import rule_values, rules
from tests.rudder.conftest import success
from tests.rudder.flows import (
    finish,
    finish_with_error,
    first_request,
    next_request,
    request_after_lost_response,
)
from tests.rudder.test_api import OWN, RULE, SIGNATURE, find_no_effect, reach_write

DUPLICATE = {**OWN, "id": 8}
OUTDATED = {"id": 6, "status": "Pending validation", "description": "airflow: key 0123456789ab"}


def write_twice() -> tuple[Flow[Any], Request]:
    """Return an update whose write was sent twice, and its request for the own change requests."""
    flow, _ = reach_write({"enabled": True})
    second = find_no_effect(flow, request_after_lost_response(flow), {"rules": [RULE]}, [])
    return flow, next_request(flow, second, {"rules": [{"changeRequestId": "8", **RULE, "enabled": True}]})


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
    check = next_request(flow, own_requests, [{**OWN, "status": "Deployed"}, DUPLICATE])
    decline = next_request(flow, check, {"rules": [{**RULE, "enabled": True}]})
    result = finish(flow, decline, {"changeRequests": [{**DUPLICATE, "status": "Cancelled"}]})
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("applied", 7, [])


@pytest.mark.parametrize(
    "status",
    ["Pending validation", "Pending deployment"],
)
def test_a_retry_finds_the_change_request_of_an_earlier_attempt(status: str) -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    result = finish(flow, own_requests, [{**OWN, "status": status}])
    assert (result["outcome"], result["change_request_id"]) == ("pending", 7)


def test_a_change_request_that_was_deployed_meanwhile_is_applied() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    check = next_request(flow, own_requests, [{**OWN, "status": "Deployed"}])
    result = finish(flow, check, {"rules": [{**RULE, "enabled": True}]})
    assert (result["outcome"], result["change_request_id"]) == ("applied", 7)


def test_a_deployed_change_request_does_not_count_while_the_rule_differs() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    check = next_request(flow, own_requests, [{**OWN, "status": "Deployed"}])
    write = next_request(flow, check, {"rules": [RULE]})
    assert (write.method, write.path) == ("POST", "/rules/r1")
    result = finish(flow, write, {"rules": [{"changeRequestId": "8", **RULE, "enabled": True}]})
    assert (result["outcome"], result["change_request_id"]) == ("pending", 8)


@pytest.mark.parametrize("status", ["Pending validation", "Deployed", "Cancelled"])
def test_a_change_request_with_other_values_is_not_adopted(status: str) -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    write = next_request(flow, own_requests, [{**OUTDATED, "status": status}])
    assert (write.method, write.path) == ("POST", "/rules/r1")


def test_an_open_change_request_with_other_values_is_declined_after_the_write() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    write = next_request(flow, next_request(flow, first_request(flow), {"rules": [RULE]}), [OUTDATED])
    decline = next_request(flow, write, {"rules": [{"changeRequestId": "8", **RULE, "enabled": True}]})
    assert (decline.method, decline.path) == ("DELETE", "/changeRequests/6")
    assert decline.query == {"reason": "replaced by change request 8 of the same task"}
    result = finish(flow, decline, {"changeRequests": [{**OUTDATED, "status": "Cancelled"}]})
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("pending", 8, [])


def test_the_result_contains_an_open_change_request_with_other_values() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    write = next_request(flow, next_request(flow, first_request(flow), {"rules": [RULE]}), [OUTDATED])
    decline = next_request(flow, write, {"rules": [{**RULE, "enabled": True}]})
    assert "applied at once" in decline.query["reason"]
    result = finish_with_error(flow, PermissionDeniedError("not authorized"))
    assert (result["outcome"], result["duplicates"]) == ("applied", [6])


def test_a_change_request_of_a_key_with_the_same_beginning_is_not_adopted() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    others = [{**OWN, "description": SIGNATURE.replace("key", "key2")}, {**OWN, "description": None}]
    assert next_request(flow, own_requests, others).method == "POST"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"directives": ["a", "b"]}, {"directives": ["b", "a", "a"]}),
        ({"tags": [{"a": "1"}, {"b": "2"}]}, {"tags": [{"b": "2"}, {"a": "1"}]}),
        ({"targets": ["group:x"]}, {"targets": [{"include": {"or": ["group:x"]}, "exclude": {"or": []}}]}),
        ({"enabled": True, "displayName": "One"}, {"displayName": "One", "enabled": True}),
    ],
)
def test_equal_values_have_equal_fingerprints(first: dict[str, Any], second: dict[str, Any]) -> None:
    fingerprints = {rule_values.compute_fingerprint(rule_values.normalize(values)) for values in (first, second)}
    assert len(fingerprints) == 1


def test_different_values_have_different_fingerprints() -> None:
    values: list[dict[str, Any]] = [
        {"enabled": True},
        {"enabled": False},
        {"displayName": "One"},
        {"tags": [{"a": "1"}]},
        {"tags": []},
    ]
    assert len({rule_values.compute_fingerprint(given) for given in values}) == len(values)


def test_a_retry_does_not_repeat_a_declined_change_request() -> None:
    flow = rules.update("r1", {"enabled": True}, idempotency_key="key")
    own_requests = next_request(flow, first_request(flow), {"rules": [RULE]})
    with pytest.raises(ConflictError, match="change request 7 for rule r1 was declined"):
        flow.send(success(own_requests, [{**OWN, "status": "Cancelled"}]))
