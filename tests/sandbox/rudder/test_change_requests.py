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
    assert request["displayName"] == f"Update rule 'Mount the project share' ({SHARE}) by API request"
    (change,) = request["changes"]["rules"]
    assert change["change"]["enabled"] == {"from": False, "to": True}
    assert change["change"]["id"] == SHARE


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
