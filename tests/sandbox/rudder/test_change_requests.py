"""Change requests of the stand-in: who may validate, deploy and decline."""

from __future__ import annotations

import pytest

from tests.conftest import Served
from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.asking import accept, pending, shown, update, words


def test_under_validation_an_update_shows_the_wanted_values_and_changes_nothing(served: Served, call) -> None:
    served.seed({"validation": True})
    reply = update(call)
    assert reply.json()["action"] == "updateRule"
    assert next(iter(shown(reply).items())) == ("changeRequestId", "1")
    assert shown(reply)["enabled"] is True
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is False


def test_a_change_request_shows_its_change(served: Served, call) -> None:
    number = pending(served, call, params={"changeRequestDescription": "words"})
    request = shown(call("GET", f"/changeRequests/{number}"), "changeRequests")
    assert (request["id"], request["status"], request["created by"]) == (1, "Pending validation", "automation")
    assert request["description"] == "words"
    assert request["displayName"] == f"Update rule 'Mount the project share' ({SHARE}) by API request"
    (change,) = request["changes"]["rules"]
    assert change["change"]["enabled"] == {"from": False, "to": True}
    assert change["change"]["id"] == SHARE


def test_change_requests_are_listed_bare_by_status_and_rule(served: Served, call) -> None:
    pending(served, call)

    def listed(**params: str) -> int:
        return len(call("GET", "/changeRequests", params=params).json()["data"])

    assert listed() == listed(status="OPEN") == listed(status="pending validation") == listed(ruleId=SHARE) == 1
    assert listed(status="closed") == listed(ruleId="other") == 0
    assert "not a possible state" in words(call("GET", "/changeRequests", params={"status": "unknown"}))


def test_a_validator_deploys_and_the_change_happens(served: Served, call) -> None:
    number = pending(served, call, params={"reason": "because"})
    assert shown(accept(call, number, "Pending deployment"), "changeRequests")["status"] == "Pending deployment"
    assert shown(accept(call, number), "changeRequests")["status"] == "Deployed"
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is True
    assert served.tables()["event log"][0]["reason"] == "because"
    assert "already been deployed" in words(accept(call, number))
    assert "cannot be cancelled" in words(call("DELETE", f"/changeRequests/{number}", token="validator"))


def test_a_deletion_waits_too(served: Served, call) -> None:
    served.seed({"validation": True})
    assert shown(call("DELETE", f"/rules/{SHARE}"))["changeRequestId"] == "1"
    (change,) = shown(call("GET", "/changeRequests/1"), "changeRequests")["changes"]["rules"]
    assert change["action"] == "delete"
    accept(call, 1)
    assert "was not found" in words(call("GET", f"/rules/{SHARE}"))


def test_the_status_in_a_json_body_is_not_read(served: Served, call) -> None:
    number = pending(served, call)
    reply = call("POST", f"/changeRequests/{number}/accept", json={"status": "deployed"}, token="validator")
    assert "workflow status should not be empty" in words(reply)


def test_a_public_token_can_neither_accept_nor_decline(served: Served, call) -> None:
    number = pending(served, call)
    assert "User is not authorized" in words(accept(call, number, token="automation"))
    assert "cannot be cancelled" in words(call("DELETE", f"/changeRequests/{number}"))


def test_a_validator_who_is_no_deployer_validates_only(served: Served, call) -> None:
    number = pending(served, call)
    assert "to 'deployed' state" in words(accept(call, number, token="assistant"))
    assert accept(call, number, "pending deployment", token="assistant").status_code == 200
    assert "not authorized to update a 'pending deployment' change" in words(accept(call, number, token="assistant"))


def test_an_author_validates_only_where_that_is_allowed(served: Served, call) -> None:
    number = pending(served, call, token="validator")
    assert "self-validation is disabled" in words(accept(call, number, "pending deployment"))
    served.seed({"self_deployment": False})
    assert "self-deployment is disabled" in words(accept(call, number))
    assert "cannot be cancelled" in words(call("DELETE", f"/changeRequests/{number}", token="validator"))
    served.seed({"self_validation": True})
    assert accept(call, number, "pending deployment").status_code == 200


@pytest.mark.parametrize(("status", "problem"), [("cancelled", "could not send"), ("done", "available values are")])
def test_only_open_steps_are_taken(served: Served, call, status: str, problem: str) -> None:
    assert problem in words(accept(call, pending(served, call), status))


def test_a_validator_declines(served: Served, call) -> None:
    number = pending(served, call)
    declined = call("DELETE", f"/changeRequests/{number}", token="validator")
    assert shown(declined, "changeRequests")["status"] == "Cancelled"
    assert "already been cancelled" in words(accept(call, number))


@pytest.mark.parametrize(("number", "problem"), [("9", "does not exist"), ("aaa", "need to be an integer")])
def test_a_missing_change_request_is_named_in_the_envelope(served: Served, call, number: str, problem: str) -> None:
    served.seed({"validation": True})
    reply = call("GET", f"/changeRequests/{number}")
    assert problem in words(reply)
    assert reply.json()["id"] == number


def test_the_plugin_may_be_absent_or_switched_off(served: Served, call) -> None:
    assert "Workflow are disabled" in words(call("GET", "/changeRequests"))
    served.seed({"plugin": False, "validation": True})
    assert call("GET", "/changeRequests").status_code == 404
    assert shown(update(call))["enabled"] is True
    assert "changeRequestId" not in shown(update(call))


def test_tests_decide_by_seeding(served: Served, call) -> None:
    number = pending(served, call)
    served.seed({"decisions": {str(number): "Deployed"}})
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is True


def test_rules_can_be_seeded(served: Served, call) -> None:
    served.seed({"rules": [{**shown(call("GET", f"/rules/{SHARE}")), "id": "seeded"}]})
    assert shown(call("GET", "/rules/seeded"))["displayName"] == "Mount the project share"
