"""Tests of rudder/api/change_requests.py: requests, and decisions after lost responses."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.http.errors import ConflictError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.rudder.api import change_requests
from tests.rudder.conftest import reply, success
from tests.rudder.flows import finish, first_request, request_after_error, request_after_lost_response
from tests.rudder.test_api import find_no_effect

PENDING = {"id": 7, "status": "Pending validation", "description": "please\n\nairflow: key 0123"}
CANCELLED = {**PENDING, "status": "Cancelled"}


def decline_twice() -> tuple[Flow[Any], Request, Request]:
    """Return a decision whose response was lost without an effect, its first request and its second one."""
    flow = change_requests.decline(7)
    first = first_request(flow)
    return flow, first, find_no_effect(flow, request_after_lost_response(flow), {"changeRequests": [PENDING]})


def test_change_requests_are_a_list_without_container() -> None:
    flow = change_requests.list_all(rule_id="r1")
    request = first_request(flow)
    assert request.target == "/changeRequests?status=open&ruleId=r1"
    assert finish(flow, request, [PENDING]) == [PENDING]


def test_a_change_request_is_read_by_its_number() -> None:
    flow = change_requests.get(7)
    request = first_request(flow)
    assert (request.method, request.target) == ("GET", "/changeRequests/7")
    assert finish(flow, request, {"changeRequests": [PENDING]}) == PENDING


def test_accepting_sends_the_status_in_the_query() -> None:
    request = first_request(change_requests.accept(7, reason="fine by me"))
    assert (request.method, request.target) == (
        "POST",
        "/changeRequests/7/accept?status=Deployed&reason=fine+by+me",
    )


@pytest.mark.parametrize(
    ("decide", "status"), [(change_requests.accept, "Deployed"), (change_requests.decline, "Cancelled")]
)
def test_after_a_lost_response_a_decision_is_recognized(decide: Any, status: str) -> None:
    flow = decide(7)
    next(flow)
    check = request_after_lost_response(flow)
    assert (check.method, check.path) == ("GET", "/changeRequests/7")
    decided = {**PENDING, "status": status}
    assert finish(flow, check, {"changeRequests": [decided]}) == decided


def test_a_decision_without_effect_is_sent_again() -> None:
    flow, first, second = decline_twice()
    assert second == first
    assert finish(flow, second, {"changeRequests": [CANCELLED]}) == CANCELLED


def test_a_decision_that_takes_effect_before_its_repetition_is_recognized() -> None:
    flow, _, _ = decline_twice()
    check = request_after_error(flow, ConflictError("cannot be cancelled"))
    assert finish(flow, check, {"changeRequests": [CANCELLED]}) == CANCELLED


def test_a_repeated_decision_that_is_rejected_raises_the_error() -> None:
    flow, _, _ = decline_twice()
    check = request_after_error(flow, ConflictError("cannot be cancelled"))
    with pytest.raises(ConflictError):
        flow.send(success(check, {"changeRequests": [PENDING]}))


def test_a_decision_without_data_in_its_response_is_read() -> None:
    flow = change_requests.decline(7)
    request = first_request(flow)
    check = flow.send(reply(200, {"action": "declineChangeRequest", "result": "success"}, request))
    assert isinstance(check, Request)
    assert finish(flow, check, {"changeRequests": [CANCELLED]}) == CANCELLED


@pytest.mark.parametrize("number", ["", " ", "None", None, True, 0, -1, "aaa", "1 ", "7/accept", "²", "9" * 10])
@pytest.mark.parametrize("call", [change_requests.get, change_requests.accept, change_requests.decline])
def test_an_invalid_number_is_rejected_before_any_request(call: Any, number: Any) -> None:
    with pytest.raises(ValueError, match="change_request_id must be"):
        next(call(number))


@pytest.mark.parametrize("call", [change_requests.accept, change_requests.decline])
def test_a_reason_must_be_a_text(call: Any) -> None:
    with pytest.raises(ValueError, match="reason must be a text"):
        next(call(7, reason=5))


@pytest.mark.parametrize("rule_id", ["", "None", "a b", "tree"])
def test_an_invalid_rule_id_is_rejected_before_any_request(rule_id: str) -> None:
    with pytest.raises(ValueError, match="rule_id must be"):
        next(change_requests.list_all(rule_id=rule_id))


def test_the_page_of_a_change_request_is_below_the_base_url() -> None:
    base_url = "https://rudder.example.com/rudder"
    expected = f"{base_url}/secure/configurationManager/changes/changeRequest/7"
    assert change_requests.page_url(base_url, 7) == expected
