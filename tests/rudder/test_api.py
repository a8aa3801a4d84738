"""Tests of the flows of rudder/api/ by hand: what is sent, and what is made of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.core.errors import Broken, Conflict, Forbidden, Invalid, NotFound, Uncertain
from self_hosted.core.flow import Flow, Pause, Reply, Request
from self_hosted.core.lost_answers import LOOK_AGAIN
from self_hosted.core.transport import NO_REPLY
from self_hosted.rudder import api
from tests.rudder.conftest import success

RULE = {
    "id": "r1",
    "displayName": "One",
    "enabled": False,
    "directives": ["b", "a"],
    "targets": ["group:x"],
    "tags": [],
}
MARKED = {"id": 7, "status": "Pending validation", "description": "please\n\nairflow: key"}


def result_of(flow: Flow[Any], data: Any, request: Request) -> Any:
    with pytest.raises(StopIteration) as end:
        flow.send(success(request, data))
    return end.value.value


def answered(flow: Flow[Any], request: Request, data: Any) -> Request:
    """Answer a request and return the next."""
    step = flow.send(success(request, data))
    assert isinstance(step, Request)
    return step


def first(flow: Flow[Any]) -> Request:
    step = next(flow)
    assert isinstance(step, Request)
    return step


def written(wanted: dict[str, Any], **more: Any) -> tuple[Flow[Any], Request]:
    """A rule's update up to its write, on a server without the plugin."""
    flow = api.update_rule("r1", wanted, mark="key", **more)
    listed = answered(flow, first(flow), {"rules": [RULE]})
    assert listed.target == "/changeRequests?status=all&ruleId=r1"
    write = flow.throw(api.NotOffered("no such address"))
    assert isinstance(write, Request)
    return flow, write


def lost(flow: Flow[Any]) -> Request:
    step = flow.throw(Uncertain("the answer was lost"))
    assert isinstance(step, Request)
    return step


def looked_in_vain(flow: Flow[Any], look: Request, *answers: Any) -> Request:
    """Answer every look for what a lost write did with the same, and return the request after the last."""
    step: Any = look
    for pause in (*LOOK_AGAIN, None):
        for answer in answers:
            step = flow.send(success(step, answer))
        if pause:
            assert step == Pause(pause)
            step = flow.send(NO_REPLY)
    assert isinstance(step, Request)
    return step


def test_all_rules_are_listed() -> None:
    flow = api.rules()
    request = first(flow)
    assert (request.method, request.target) == ("GET", "/rules")
    assert result_of(flow, {"rules": [RULE]}, request) == [RULE]


def test_the_id_of_a_rule_is_quoted() -> None:
    assert first(api.rule("a/b c")).target == "/rules/a%2Fb%20c"


def test_an_update_sends_only_what_differs_and_the_reason_in_the_query() -> None:
    _, write = written(
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
    assert not write.may_be_repeated


def test_an_update_that_is_applied_says_what_changed() -> None:
    flow, write = written({"enabled": True})
    result = result_of(flow, {"rules": [{**RULE, "enabled": True}]}, write)
    assert result == {"rule_id": "r1", "outcome": "applied", "changed": ["enabled"], "change_request_id": None}


def test_an_update_that_waits_for_approval_is_pending_with_the_number_of_its_request() -> None:
    flow, write = written({"enabled": True})
    result = result_of(flow, {"rules": [{"changeRequestId": "37", **RULE, "enabled": True}]}, write)
    assert (result["outcome"], result["change_request_id"]) == ("pending", 37)


@pytest.mark.parametrize(
    "wanted",
    [
        {"enabled": False},
        {"directives": ["a", "b"]},
        {"targets": [{"include": {"or": ["group:x"]}, "exclude": {"or": []}}]},
        {"tags": []},
    ],
)
def test_nothing_is_sent_when_nothing_differs(wanted: dict[str, Any]) -> None:
    flow = api.update_rule("r1", wanted)
    assert result_of(flow, {"rules": [RULE]}, first(flow))["outcome"] == "unchanged"


def test_tags_compare_whatever_their_order() -> None:
    flow = api.update_rule("r1", {"tags": [{"b": "2"}, {"a": "1"}]})
    tagged = {**RULE, "tags": [{"a": "1"}, {"b": "2"}]}
    assert result_of(flow, {"rules": [tagged]}, first(flow))["outcome"] == "unchanged"


def test_stored_targets_of_an_unknown_form_are_replaced() -> None:
    flow = api.update_rule("r1", {"targets": ["group:x"]}, mark="key")
    answered(flow, first(flow), {"rules": [{**RULE, "targets": [{"and": ["group:x"]}]}]})
    write = flow.throw(api.NotOffered("no such address"))
    assert isinstance(write, Request)
    assert write.json == {"targets": [{"include": {"or": ["group:x"]}, "exclude": {"or": []}}]}


def test_an_answer_that_shows_other_values_than_asked_is_an_error() -> None:
    flow, write = written({"enabled": True, "displayName": "Two"})
    with pytest.raises(Broken, match="did not set enabled as asked"):
        flow.send(success(write, {"rules": [{**RULE, "displayName": "Two"}]}))


def test_a_lost_answer_is_looked_up_and_an_applied_update_recognised() -> None:
    flow, _ = written({"enabled": True})
    look = lost(flow)
    assert (look.method, look.path) == ("GET", "/rules/r1")
    assert result_of(flow, {"rules": [{**RULE, "enabled": True}]}, look)["outcome"] == "applied"


def test_a_lost_answer_is_looked_up_and_the_own_change_request_recognised() -> None:
    flow, _ = written({"enabled": True})
    listed = answered(flow, lost(flow), {"rules": [RULE]})
    others = [{**MARKED, "id": 8, "description": "airflow: other"}, {"id": 9, "status": "Deployed"}]
    result = result_of(flow, [MARKED, *others], listed)
    assert (result["outcome"], result["change_request_id"]) == ("pending", 7)


def test_an_update_that_left_no_trace_is_sent_again_the_same() -> None:
    flow, write = written({"enabled": True})
    again = looked_in_vain(flow, lost(flow), {"rules": [RULE]}, [])
    assert again == write
    assert result_of(flow, {"rules": [{**RULE, "enabled": True}]}, again)["outcome"] == "applied"


def test_a_server_that_works_on_after_its_answer_was_given_up_is_given_time() -> None:
    flow, _ = written({"enabled": True})
    pause = flow.send(success(answered(flow, lost(flow), {"rules": [RULE]}), []))
    assert pause == Pause(LOOK_AGAIN[0])
    look = flow.send(NO_REPLY)
    assert isinstance(look, Request)
    result = result_of(flow, [MARKED], answered(flow, look, {"rules": [RULE]}))
    assert (result["outcome"], result["change_request_id"]) == ("pending", 7)
    assert "duplicates" not in result


def test_an_answer_lost_twice_is_left_to_the_tasks_retries() -> None:
    flow, _ = written({"enabled": True})
    looked_in_vain(flow, lost(flow), {"rules": [RULE]}, [])
    with pytest.raises(Uncertain):
        flow.throw(Uncertain("the answer was lost"))


YOUNGER = {**MARKED, "id": 8}


def asked_twice() -> tuple[Flow[Any], Request]:
    """An update up to the look at its change requests, after it was sent again."""
    flow, _ = written({"enabled": True})
    again = looked_in_vain(flow, lost(flow), {"rules": [RULE]}, [])
    return flow, answered(flow, again, {"rules": [{"changeRequestId": "8", **RULE, "enabled": True}]})


def test_of_two_change_requests_with_one_mark_the_older_counts_and_the_younger_is_declined() -> None:
    flow, listed = asked_twice()
    decline = answered(flow, listed, [YOUNGER, MARKED])
    assert (decline.method, decline.path) == ("DELETE", "/changeRequests/8")
    assert "change request 7" in decline.query["reason"]
    result = result_of(flow, {"changeRequests": [{**YOUNGER, "status": "Cancelled"}]}, decline)
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("pending", 7, [])


@pytest.mark.parametrize("error", [Forbidden("not authorized"), Conflict("cannot be cancelled"), Broken("failed")])
def test_a_duplicate_that_cannot_be_declined_is_told_in_the_result(error: Exception) -> None:
    flow, listed = asked_twice()
    answered(flow, listed, [YOUNGER, MARKED])
    with pytest.raises(StopIteration) as end:
        flow.throw(error)
    assert (end.value.value["change_request_id"], end.value.value["duplicates"]) == (7, [8])


def test_an_update_that_was_sent_again_and_opened_one_change_request_says_that_there_may_be_more() -> None:
    flow, listed = asked_twice()
    result = result_of(flow, [YOUNGER], listed)
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("pending", 8, [])


def test_a_declined_change_request_counts_only_when_there_is_no_other() -> None:
    flow, listed = asked_twice()
    result = result_of(flow, [{**MARKED, "status": "Cancelled"}, YOUNGER], listed)
    assert (result["outcome"], result["change_request_id"]) == ("pending", 8)


def test_a_retry_finds_the_older_of_two_and_tidies_up() -> None:
    flow = api.update_rule("r1", {"enabled": True}, mark="key")
    listed = answered(flow, first(flow), {"rules": [RULE]})
    decline = answered(flow, listed, [{**MARKED, "status": "Deployed"}, YOUNGER])
    result = result_of(flow, {"changeRequests": [{**YOUNGER, "status": "Cancelled"}]}, decline)
    assert (result["outcome"], result["change_request_id"], result["duplicates"]) == ("applied", 7, [])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("Pending validation", "pending"), ("Pending deployment", "pending"), ("Deployed", "applied")],
)
def test_a_change_request_opened_by_an_earlier_try_is_found_before_another_is_opened(status: str, outcome: str) -> None:
    flow = api.update_rule("r1", {"enabled": True}, mark="key")
    listed = answered(flow, first(flow), {"rules": [RULE]})
    result = result_of(flow, [{**MARKED, "status": status}], listed)
    assert (result["outcome"], result["change_request_id"]) == (outcome, 7)


def test_a_change_request_that_was_declined_is_not_opened_again_by_the_same_work() -> None:
    flow = api.update_rule("r1", {"enabled": True}, mark="key")
    listed = answered(flow, first(flow), {"rules": [RULE]})
    with pytest.raises(Conflict, match="change request 7 for rule r1 was declined"):
        flow.send(success(listed, [{**MARKED, "status": "Cancelled"}]))


def test_an_update_stops_when_change_requests_may_not_be_seen() -> None:
    flow = api.update_rule("r1", {"enabled": True}, mark="key")
    answered(flow, first(flow), {"rules": [RULE]})
    with pytest.raises(Forbidden):
        flow.throw(Forbidden("not allowed to access GET api/latest/changeRequests"))


def test_an_update_without_mark_has_one_of_its_own() -> None:
    marks = set()
    for _ in range(2):
        flow = api.update_rule("r1", {"enabled": True})
        answered(flow, first(flow), {"rules": [RULE]})
        write = flow.throw(api.NotOffered("no such address"))
        assert isinstance(write, Request)
        marks.add(write.query["changeRequestDescription"])
    assert len(marks) == 2


def test_wrong_targets_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="is no target"):
        next(api.update_rule("r1", {"targets": ["everything"]}))


def test_change_requests_come_as_a_bare_list() -> None:
    flow = api.change_requests(rule_id="r1")
    request = first(flow)
    assert request.target == "/changeRequests?status=open&ruleId=r1"
    assert result_of(flow, [MARKED], request) == [MARKED]


def test_accepting_sends_the_status_in_the_query() -> None:
    request = first(api.accept_change_request(7, reason="fine by me"))
    assert (request.method, request.target) == (
        "POST",
        "/changeRequests/7/accept?status=Deployed&reason=fine+by+me",
    )


@pytest.mark.parametrize(
    ("flow", "status"),
    [(api.accept_change_request, "Deployed"), (api.decline_change_request, "Cancelled")],
)
def test_a_decision_whose_answer_is_lost_is_looked_up(flow: Any, status: str) -> None:
    running = flow(7)
    next(running)
    look = lost(running)
    assert (look.method, look.path) == ("GET", "/changeRequests/7")
    decided = {**MARKED, "status": status}
    assert result_of(running, {"changeRequests": [decided]}, look) == decided


def resent() -> tuple[Flow[Any], Request, Request]:
    """A decision that is sent again, since its first answer was lost and nothing came of it."""
    flow = api.decline_change_request(7)
    decline = first(flow)
    return flow, decline, looked_in_vain(flow, lost(flow), {"changeRequests": [MARKED]})


def test_a_decision_that_did_not_arrive_is_sent_again() -> None:
    flow, decline, again = resent()
    assert again == decline
    assert result_of(flow, {"changeRequests": [MARKED]}, again) == MARKED


def test_a_decision_that_was_made_while_it_was_sent_again_is_recognised() -> None:
    flow, _, _ = resent()
    look = flow.throw(Conflict("cannot be cancelled"))
    assert isinstance(look, Request)
    decided = {**MARKED, "status": "Cancelled"}
    assert result_of(flow, {"changeRequests": [decided]}, look) == decided


def test_a_decision_that_is_refused_when_it_is_sent_again_is_refused() -> None:
    flow, _, _ = resent()
    look = flow.throw(Conflict("cannot be cancelled"))
    assert isinstance(look, Request)
    with pytest.raises(Conflict):
        flow.send(success(look, {"changeRequests": [MARKED]}))


def test_the_token_is_proven_by_its_account() -> None:
    flow = api.proven_token()
    request = first(flow)
    assert request.target == "/apiaccounts/token"
    assert result_of(flow, {"accounts": [{"id": "airflow"}]}, request) == {"id": "airflow"}


@pytest.mark.parametrize("missing", [NotFound("no account token"), Invalid("no such version"), api.NotOffered("404")])
def test_an_older_server_is_asked_for_something_else(missing: Exception) -> None:
    flow = api.proven_token()
    next(flow)
    step = flow.throw(missing)
    assert isinstance(step, Request)
    assert step.target == "/info"
    assert result_of(flow, {}, step) is None


def test_a_missing_right_proves_the_token() -> None:
    flow = api.proven_token()
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.throw(Forbidden("not allowed"))
    assert end.value.value is None


def test_a_missing_right_on_an_older_server_proves_the_token() -> None:
    flow = api.proven_token()
    next(flow)
    flow.throw(NotFound("no account token"))
    with pytest.raises(StopIteration) as end:
        flow.throw(Forbidden("not allowed"))
    assert end.value.value is None


def test_a_page_of_something_else_proves_nothing() -> None:
    flow = api.proven_token()
    next(flow)
    step = flow.throw(NotFound("no account token"))
    assert isinstance(step, Request)
    with pytest.raises(Broken, match="no JSON"):
        flow.send(Reply(200, {"content-type": "text/html"}, b"<html>", step))


def test_a_server_that_has_none_of_the_addresses_proves_nothing() -> None:
    flow = api.proven_token()
    next(flow)
    for _ in range(3):
        flow.throw(api.NotOffered("no such address"))
    with pytest.raises(api.NotOffered):
        flow.throw(api.NotOffered("no such address"))


def test_pages_lie_below_the_base_url() -> None:
    base = "https://rudder.example.com/rudder"
    assert api.rule_page(base, "r 1") == f"{base}/secure/configurationManager/ruleManagement/rule/r%201"
    assert api.change_request_page(base, 7) == f"{base}/secure/configurationManager/changes/changeRequest/7"
    assert api.node_page(base, "root") == f"{base}/secure/nodeManager/node/root"
