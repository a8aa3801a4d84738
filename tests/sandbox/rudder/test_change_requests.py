"""Change requests at the fake Rudder server: validation, deployment, cancellation."""

from __future__ import annotations

import pytest

from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.client import accept, enable_rule, error_message, first_item, open_change_request


def test_with_validation_an_update_returns_the_new_values_but_stores_nothing(served: Served, call) -> None:
    served.seed({"validation": True})
    response = enable_rule(call)
    assert response.json()["action"] == "updateRule"
    assert next(iter(first_item(response).items())) == ("changeRequestId", "1")
    assert first_item(response)["enabled"] is True
    assert first_item(call("GET", f"/rules/{SHARE}"))["enabled"] is False


def test_a_change_request_contains_its_change(served: Served, call) -> None:
    number = open_change_request(served, call, params={"changeRequestDescription": "text"})
    request = first_item(call("GET", f"/changeRequests/{number}"), "changeRequests")
    assert (request["id"], request["status"], request["created by"]) == (1, "Pending validation", "automation")
    assert request["description"] == "text"
    assert request["displayName"] == f"update rule 'Mount the project share' ({SHARE}) by API request"
    (change,) = request["changes"]["rules"]
    assert change["change"]["enabled"] == {"from": False, "to": True}
    assert change["change"]["id"] == SHARE


def test_a_change_shows_targets_as_text_and_no_tags(served: Served, call) -> None:
    served.seed({"validation": True})
    call("POST", f"/rules/{SHARE}", json={"tags": [{"a": "b"}], "targets": ["special:all", "group:a"]})
    (change,) = first_item(call("GET", "/changeRequests/1"), "changeRequests")["changes"]["rules"]
    assert change["change"]["targets"]["to"] == ['{"include":{"or":["group:a","special:all"]},"exclude":{"or":[]}}']
    assert "tags" not in change["change"]


def test_name_and_description_can_be_changed(served: Served, call) -> None:
    number = open_change_request(served, call)
    renamed = call("POST", f"/changeRequests/{number}", json={"name": "New", "description": "text"})
    request = first_item(renamed, "changeRequests")
    assert (request["displayName"], request["description"]) == ("New", "text")
    again = call("POST", f"/changeRequests/{number}", json={"name": "New"})
    assert "No changes to save" in error_message(again)
    assert ".name(expected string)" in error_message(call("POST", f"/changeRequests/{number}", json={"name": 1}))


@pytest.mark.parametrize(("reason", "problem"), [(None, "is mandatory"), ("abc", "should be at least 5")])
def test_a_decision_may_need_a_reason(served: Served, call, reason: str | None, problem: str) -> None:
    number = open_change_request(served, call)
    served.seed({"reason_mandatory": True})
    path, params = f"/changeRequests/{number}", {"reason": reason, "status": "deployed"}
    for method, suffix in (("POST", "/accept"), ("DELETE", "")):
        response = call(method, path + suffix, params=params, token="validator")
        assert problem in error_message(response)
    params["reason"] = "long enough"
    assert call("POST", f"{path}/accept", params=params, token="validator").status_code == 200


def test_a_change_of_a_system_rule_cannot_be_deployed(served: Served, call) -> None:
    served.seed({"validation": True, "rules": [{"id": "s", "displayName": "System", "system": True}]})
    assert first_item(call("POST", "/rules/s", json={"enabled": False}))["changeRequestId"] == "1"
    assert "can not be modified" in error_message(accept(call, 1))


def test_a_deployment_replaces_the_whole_rule(served: Served, call) -> None:
    number = open_change_request(served, call)
    served.seed({"validation": False})
    call("POST", f"/rules/{SHARE}", json={"shortDescription": "later"})
    served.seed({"validation": True})
    accept(call, number)
    assert not first_item(call("GET", f"/rules/{SHARE}"))["shortDescription"]


def test_change_requests_are_listed_by_status_and_rule(served: Served, call) -> None:
    open_change_request(served, call)

    def count(**params: str) -> int:
        return len(call("GET", "/changeRequests", params=params).json()["data"])

    assert count() == count(status="OPEN") == count(status="pending validation") == count(ruleId=SHARE) == 1
    assert count(status="closed") == count(ruleId="other") == 0
    assert "not a possible state" in error_message(call("GET", "/changeRequests", params={"status": "unknown"}))


def test_a_deployment_stores_the_change(served: Served, call) -> None:
    number = open_change_request(served, call, params={"reason": "because"})
    assert first_item(accept(call, number, "Pending deployment"), "changeRequests")["status"] == "Pending deployment"
    assert first_item(accept(call, number), "changeRequests")["status"] == "Deployed"
    assert first_item(call("GET", f"/rules/{SHARE}"))["enabled"] is True
    assert served.tables()["event log"][0]["reason"] == "because"
    assert "already been deployed" in error_message(accept(call, number))
    assert "cannot be cancelled" in error_message(call("DELETE", f"/changeRequests/{number}", token="validator"))


def test_a_deletion_needs_validation(served: Served, call) -> None:
    served.seed({"validation": True})
    assert first_item(call("DELETE", f"/rules/{SHARE}"))["changeRequestId"] == "1"
    (change,) = first_item(call("GET", "/changeRequests/1"), "changeRequests")["changes"]["rules"]
    assert change["action"] == "delete"
    accept(call, 1)
    assert "was not found" in error_message(call("GET", f"/rules/{SHARE}"))


def test_a_status_in_a_json_body_is_ignored(served: Served, call) -> None:
    number = open_change_request(served, call)
    response = call("POST", f"/changeRequests/{number}/accept", json={"status": "deployed"}, token="validator")
    assert "workflow status should not be empty" in error_message(response)


def test_a_public_token_can_neither_accept_nor_decline(served: Served, call) -> None:
    number = open_change_request(served, call)
    assert "User is not authorized" in error_message(accept(call, number, token="automation"))
    assert "cannot be cancelled" in error_message(call("DELETE", f"/changeRequests/{number}"))


def test_a_validator_without_the_role_deployer_only_validates(served: Served, call) -> None:
    number = open_change_request(served, call)
    assert "to 'deployed' state" in error_message(accept(call, number, token="assistant"))
    assert accept(call, number, "pending deployment", token="assistant").status_code == 200
    assert "not authorized to update a 'pending deployment' change" in error_message(
        accept(call, number, token="assistant")
    )


def test_authors_approve_their_own_requests_only_if_the_settings_allow_it(served: Served, call) -> None:
    number = open_change_request(served, call, token="validator")
    assert "self-validation is disabled" in error_message(accept(call, number, "pending deployment"))
    served.seed({"self_deployment": False})
    assert "self-deployment is disabled" in error_message(accept(call, number))
    assert "cannot be cancelled" in error_message(call("DELETE", f"/changeRequests/{number}", token="validator"))
    served.seed({"self_validation": True})
    assert accept(call, number, "pending deployment").status_code == 200


@pytest.mark.parametrize(("status", "problem"), [("cancelled", "could not send"), ("done", "available values are")])
def test_an_impossible_target_status_is_an_error(served: Served, call, status: str, problem: str) -> None:
    assert problem in error_message(accept(call, open_change_request(served, call), status))


def test_a_validator_cancels_a_change_request(served: Served, call) -> None:
    number = open_change_request(served, call)
    cancelled = call("DELETE", f"/changeRequests/{number}", token="validator")
    assert first_item(cancelled, "changeRequests")["status"] == "Cancelled"
    assert "already been cancelled" in error_message(accept(call, number))


@pytest.mark.parametrize(("number", "problem"), [("9", "does not exist"), ("aaa", "need to be an integer")])
def test_the_error_for_a_missing_change_request_contains_its_id(
    served: Served, call, number: str, problem: str
) -> None:
    served.seed({"validation": True})
    response = call("GET", f"/changeRequests/{number}")
    assert problem in error_message(response)
    assert response.json()["id"] == number


def test_the_plugin_may_be_missing_or_disabled(served: Served, call) -> None:
    assert "Workflow are disabled" in error_message(call("GET", "/changeRequests"))
    served.seed({"plugin": False, "validation": True})
    assert call("GET", "/changeRequests").status_code == 404
    assert first_item(enable_rule(call))["enabled"] is True
    assert "changeRequestId" not in first_item(enable_rule(call))


def test_seeded_decisions_take_effect(served: Served, call) -> None:
    number = open_change_request(served, call)
    served.seed({"decisions": {str(number): "Deployed"}})
    assert first_item(call("GET", f"/rules/{SHARE}"))["enabled"] is True


def test_seeded_rules_are_stored(served: Served, call) -> None:
    served.seed({"rules": [{**first_item(call("GET", f"/rules/{SHARE}")), "id": "seeded"}]})
    assert first_item(call("GET", "/rules/seeded"))["displayName"] == "Mount the project share"
