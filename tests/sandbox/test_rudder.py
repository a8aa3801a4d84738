"""Tests of the stand-in of Rudder, asked as plainly as curl would: the quirks that the real server has."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from self_hosted.sandbox.rudder import TOKENS, Rudder
from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, FILE_SERVER, PENDING_NODE, SHARE, rudders_cases

LATEST = "/api/latest"
MADE_UP = ("policyMode", "status")  # what the server works out from directives and nodes, which the stand-in lacks


@pytest.fixture(scope="session")
def _served(serve: Callable[[Rudder], Served]) -> Served:
    return serve(Rudder())


@pytest.fixture
def served(_served: Served) -> Served:
    _served.reset()
    return _served


@pytest.fixture
def call(served: Served):
    """``call("GET", "/rules")``: latest version, as the automation account."""

    def ask(
        method: str, path: str, *, prefix: str = LATEST, token: str | None = "automation", headers=None, **body: Any
    ) -> requests.Response:
        given = {"X-API-Token": TOKENS.get(token, token)} if token else {}
        return requests.request(
            method, served.base_url + prefix + path, headers={**given, **(headers or {})}, timeout=10, **body
        )

    return ask


def shown(reply: requests.Response, container: str = "rules") -> dict[str, Any]:
    return reply.json()["data"][container][0]  # type: ignore[no-any-return]


def words(reply: requests.Response) -> str:
    assert reply.status_code == 500
    return reply.json()["errorDetails"]  # type: ignore[no-any-return]


def update(call, **more: Any) -> requests.Response:
    return call("POST", f"/rules/{SHARE}", json={"enabled": True}, **more)  # type: ignore[no-any-return]


def pending(served: Served, call, **more: Any) -> int:
    """A change request."""
    served.seed({"validation": True})
    return int(shown(update(call, **more))["changeRequestId"])


def accept(call, number: int, status: str = "deployed", token: str = "validator") -> requests.Response:
    return call("POST", f"/changeRequests/{number}/accept", params={"status": status}, token=token)  # type: ignore[no-any-return]


# Coming in


def test_the_status_needs_no_token_and_no_version(call) -> None:
    reply = call("GET", "/api/status", prefix="", token=None)
    assert (reply.status_code, reply.text) == (200, "OK\n")
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("token", [None, "", "unknown", "expired"])
@pytest.mark.parametrize("path", ["/rules", "/nowhere"])
def test_a_token_that_is_not_accepted_gets_a_page(call, token: str | None, path: str) -> None:
    reply = call("GET", path, token=token)
    assert reply.status_code == 401
    assert "html" in reply.headers["content-type"]


@pytest.mark.parametrize("path", ["/nowhere", "/rules/", "/rules/a/b", "/rules/a%2Fb"])
def test_an_unknown_address_gets_a_page(call, path: str) -> None:
    reply = call("GET", path)
    assert reply.status_code == 404
    assert "html" in reply.headers["content-type"]


@pytest.mark.parametrize("version", ["20", "99", "newest"])
def test_a_version_in_the_path_that_is_not_served_gets_a_page(call, version: str) -> None:
    assert call("GET", "/rules", prefix=f"/api/{version}").status_code == 404


@pytest.mark.parametrize(("token", "method"), [("reader", "POST"), ("access-list", "GET"), ("access-list", "POST")])
def test_a_missing_right_is_a_403_with_envelope_over_several_lines(call, token: str, method: str) -> None:
    reply = call(method, f"/rules/{SHARE}", token=token)
    assert reply.status_code == 403
    assert f"is not allowed to access {method} api/latest/rules" in reply.json()["errorDetails"]
    assert "\n" in reply.text


def test_a_reading_token_may_read(call) -> None:
    assert call("GET", "/rules", token="reader").status_code == 200


def test_the_version_is_in_the_path_or_in_the_header(call) -> None:
    assert call("GET", "/rules", prefix="/api/21").status_code == 200
    assert call("GET", "/rules", prefix="/api", headers={"X-API-Version": "22"}).status_code == 200
    assert call("GET", "/rules", prefix="/api", headers={"X-API-Version": "latest"}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-API-Version": "99"}, {"X-API-Version": "new"}])
def test_without_a_version_that_is_served_the_server_asks_for_one(call, headers: dict[str, str]) -> None:
    reply = call("GET", "/rules", prefix="/api", headers=headers)
    assert "Request is missing a version" in words(reply)
    assert "'21''22''23'" in words(reply)
    assert reply.json()["action"] == "unknow"


def test_a_server_with_one_version_needs_none(served: Served, call) -> None:
    served.seed({"versions": [23]})
    assert call("GET", "/rules", prefix="/api").status_code == 200


def test_versions_in_path_and_header_that_differ_are_refused(call) -> None:
    reply = call("GET", "/rules", headers={"X-API-Version": "21"})
    assert "Request is requiring version '21'" in words(reply)


def test_a_broken_json_body_is_a_412(call) -> None:
    reply = call("POST", f"/rules/{SHARE}", data="{", headers={"Content-Type": "application/json"})
    assert reply.status_code == 412
    assert "action" not in reply.json()


# Accounts


def test_a_token_shows_its_account_from_version_22_on(call) -> None:
    assert shown(call("GET", "/apiaccounts/token"), "accounts")["authorizationType"] == "rw"
    assert "was not found" in words(call("GET", "/apiaccounts/token", prefix="/api/21"))


def test_the_servers_state_can_be_asked(call) -> None:
    assert call("GET", "/info").json()["data"]["availableVersions"]["latest"] == 23
    assert call("GET", "/system/status").json()["data"] == {"global": "OK"}


# Rules


def test_one_rule_comes_in_a_list_and_a_missing_one_is_a_500_without_id(call) -> None:
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is False
    missing = call("GET", "/rules/nothing")
    assert words(missing) == "Rule with id 'nothing' was not found"
    assert "id" not in missing.json()


def test_an_update_keeps_what_is_not_named(call) -> None:
    before, after = shown(call("GET", f"/rules/{SHARE}")), shown(update(call))
    assert after == {**before, "enabled": True, "status": {"value": "In application"}}


def test_unknown_fields_and_the_id_in_the_body_are_passed_over(call) -> None:
    body = {"id": "other", "system": True, "policyMode": "audit", "nonsense": 1}
    after = shown(call("POST", f"/rules/{SHARE}", json=body))
    assert (after["id"], after["system"], after["policyMode"]) == (SHARE, False, "enforce")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"params": {"reason": "query"}, "json": {"enabled": True}}, "query"),
        ({"json": {"enabled": True, "reason": "body"}}, None),
        ({"data": {"enabled": "true", "reason": "form"}}, "form"),
        ({"params": {"reason": "query"}, "data": {"enabled": "true", "reason": "form"}}, "query"),
    ],
)
def test_the_reason_is_read_from_query_and_form_only(
    served: Served, call, sent: dict[str, Any], kept: str | None
) -> None:
    call("POST", f"/rules/{SHARE}", **sent)
    assert served.tables()["event log"][0]["reason"] == kept


def test_json_of_another_content_type_changes_nothing_and_succeeds(call) -> None:
    reply = call("POST", f"/rules/{SHARE}", data=b'{"enabled":true}', headers={"Content-Type": "text/plain"})
    assert shown(reply)["enabled"] is False


@pytest.mark.parametrize(
    "targets",
    [
        ["special:all", "group:a"],
        [{"or": ["group:a", "special:all"]}],
        [{"and": ["special:all", "group:a"]}],
        ["group:a", {"include": {"and": ["special:all"]}, "exclude": {"or": []}}],
    ],
)
def test_targets_become_one_object_and_an_and_becomes_an_or(call, targets: list[Any]) -> None:
    after = shown(call("POST", f"/rules/{SHARE}", json={"targets": targets}))
    assert after["targets"] == [{"include": {"or": ["group:a", "special:all"]}, "exclude": {"or": []}}]


def test_an_unknown_target_is_refused(call) -> None:
    assert "Invalid target string: 'everything'" in words(
        call("POST", f"/rules/{SHARE}", json={"targets": ["everything"]})
    )


def test_a_wrong_truth_value_is_refused(call) -> None:
    assert ".enabled" in words(call("POST", f"/rules/{SHARE}", json={"enabled": "maybe"}))


def test_directives_lose_their_order(call) -> None:
    assert shown(call("POST", f"/rules/{SHARE}", json={"directives": ["b", "a"]}))["directives"] == ["a", "b"]


def test_a_rule_is_created_once(call) -> None:
    body = {"id": "new", "displayName": "New", "category": "shares"}
    created = call("PUT", "/rules", json=body)
    assert (created.json()["action"], shown(created)["categoryId"]) == ("createRule", "shares")
    assert shown(created)["enabled"] is True
    assert "already exists" in words(call("PUT", "/rules", json=body))


def test_a_rule_needs_a_name_spelled_their_way(call) -> None:
    assert "Missing manadatory parameter 'displayName'" in words(call("PUT", "/rules", json={"enabled": True}))


def test_under_validation_a_rule_is_created_without_being_enabled(served: Served, call) -> None:
    served.seed({"validation": True})
    created = shown(call("PUT", "/rules", json={"displayName": "New", "enabled": True}))
    assert created["enabled"] is False
    assert "changeRequestId" not in created
    assert shown(call("PUT", "/rules", json={"displayName": "Only a name"}))["enabled"] is True


def test_deleting_a_missing_rule_succeeds_with_empty_fields(call) -> None:
    assert call("DELETE", f"/rules/{SHARE}").status_code == 200
    gone = shown(call("DELETE", f"/rules/{SHARE}"))
    assert (gone["id"], gone["displayName"], gone["enabled"]) == (SHARE, "", False)


def test_rudders_own_cases_of_rules_are_answered_alike(served: Served, call) -> None:
    scenario = [case for case in rudders_cases("rules") if case["index"] <= 14]
    if not scenario:
        pytest.skip("Rudder's own API cases are not at hand")
    server: Rudder = served.product  # type: ignore[assignment]
    server.state.rules.clear()
    served.seed({"rules": [_stored(rule) for rule in scenario[1]["response"]["data"]["rules"]]})
    for case in scenario:
        expected = case["response"]["data"]["rules"]
        if case["method"] == "POST" and expected[0]["id"] not in server.state.rules:
            served.seed({"rules": [_stored(expected[0])]})  # of the cases' own mocks
        answer = _send(call, case)
        assert answer.status_code == case["status"], case["description"]
        envelope = answer.json()
        assert [_stored(rule) for rule in envelope.pop("data")["rules"]] == [_stored(rule) for rule in expected]
        assert envelope == {name: value for name, value in case["response"].items() if name != "data"}


def _stored(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in MADE_UP}


def _send(call, case: dict[str, Any]) -> requests.Response:
    body = {"data": case["form_params"]} if case["body_json"] is None else {"json": case["body_json"]}
    return call(case["method"], case["path"], prefix="", **body)  # type: ignore[no-any-return]


def test_the_status_of_a_rule_follows_from_its_directives(served: Served, call) -> None:
    def status() -> dict[str, str]:
        return shown(call("GET", f"/rules/{ANTIVIRUS}"))["status"]  # type: ignore[no-any-return]

    assert status() == {"value": "In application"}
    served.seed({"disabled_directives": ["antivirus-clamav"]})
    assert status() == {"value": "Not applied", "details": "Directive 'antivirus-clamav' disabled"}
    call("POST", f"/rules/{ANTIVIRUS}", json={"directives": ["antivirus-clamav", "ntp"]})
    assert status()["value"] == "Partially applied"
    call("POST", f"/rules/{ANTIVIRUS}", json={"enabled": False})
    assert status()["details"] == "This rule is disabled. , Directive 'antivirus-clamav' disabled"


def test_rules_of_the_system_are_in_no_list(served: Served, call) -> None:
    served.seed({"rules": [{**shown(call("GET", f"/rules/{SHARE}")), "id": "inventory-all", "system": True}]})
    assert shown(call("GET", "/rules/inventory-all"))["system"] is True
    for path in ("/rules", "/compliance/rules"):
        assert "inventory-all" not in {rule["id"] for rule in call("GET", path).json()["data"]["rules"]}


# Nodes


def found(call, path: str = "/nodes", **query: str) -> list[str]:
    return [node["id"] for node in call("GET", path, params=query).json()["data"]["nodes"]]


def where(attribute: str, comparator: str, value: str) -> str:
    return json.dumps([{"objectType": "node", "attribute": attribute, "comparator": comparator, "value": value}])


def test_accepted_and_pending_nodes_are_listed_apart_and_found_alone_alike(call) -> None:
    assert PENDING_NODE not in found(call)
    assert found(call, "/nodes/pending") == [PENDING_NODE]
    for node_id, status in ((FILE_SERVER, "accepted"), (PENDING_NODE, "pending")):
        assert shown(call("GET", f"/nodes/{node_id}"), "nodes")["status"] == status


def test_a_missing_node_is_named_after_other_words(call) -> None:
    assert "Node with ID 'nothing' was not found in Rudder" in words(call("GET", "/nodes/nothing"))


def test_a_search_leaves_policy_servers_out_unless_they_are_asked_for(call) -> None:
    everything = where("nodeId", "regex", ".*")
    assert "root" in found(call)
    assert "root" not in found(call, where=everything)
    assert "root" in found(call, where=everything, select="nodeAndPolicyServer")


def test_an_expression_matches_whole_ids(call) -> None:
    assert found(call, where=where("nodeId", "regex", FILE_SERVER[:-1])) == []
    assert found(call, where=where("nodeId", "regex", f"nothing|{FILE_SERVER}")) == [FILE_SERVER]
    assert found(call, where=where("nodeHostname", "eq", "file-server-01.example.com")) == [FILE_SERVER]


def test_a_criterion_that_the_stand_in_lacks_is_refused(call) -> None:
    assert "no criterion" in words(call("GET", "/nodes", params={"where": where("ram", "gt", "1")}))


@pytest.mark.parametrize(
    ("include", "fields"),
    [
        ("minimal", {"id", "hostname", "status"}),
        ("minimal,lastRunDate,nonsense", {"id", "hostname", "status", "lastRunDate"}),
        ("lastRunDate", {"id", "hostname", "status", "state", "lastRunDate", "policyMode"}),
        (None, {"id", "hostname", "status", "state", "lastRunDate", "policyMode"}),
    ],
)
def test_a_node_shows_what_is_asked_for(call, include: str | None, fields: set[str]) -> None:
    query = {"include": include} if include else {}
    assert set(shown(call("GET", f"/nodes/{FILE_SERVER}", params=query), "nodes")) == fields


def test_a_node_that_never_ran_tells_no_date(call) -> None:
    assert "lastRunDate" not in shown(call("GET", f"/nodes/{PENDING_NODE}"), "nodes")


def test_agents_run_by_themselves(served: Served, call) -> None:
    def last_run() -> datetime:
        told = shown(call("GET", "/nodes/n1"), "nodes")["lastRunDate"]
        assert told.endswith("Z")
        return datetime.fromisoformat(told)

    served.seed({"nodes": [{"id": "n1", "first_run": -3600, "run_interval": 1}]})
    first, now = last_run(), datetime.now(UTC)
    assert 0 <= (now - first).total_seconds() < 3
    deadline = time.monotonic() + 5
    while last_run() == first:
        assert time.monotonic() < deadline


def test_rudders_own_case_of_a_node_is_answered_alike(served: Served, call) -> None:
    cases = [case for case in rudders_cases("nodes") if case["index"] == 0]
    if not cases:
        pytest.skip("Rudder's own API cases are not at hand")
    served.seed({"nodes": [{"id": "node1", "hostname": "node1.localhost"}]})
    answer = call("GET", cases[0]["path"], prefix="", params=cases[0]["query"])
    assert answer.json() == cases[0]["response"]


# Compliance


def compliance(call, thing: str) -> dict[str, Any]:
    return shown(call("GET", f"/compliance/{thing}"), thing.partition("/")[0])


def test_compliance_is_that_of_what_was_reported_and_applying_beside_it(served: Served, call) -> None:
    served.seed({"reports": {ANTIVIRUS: {"share": 50, "takes": 3600}}})
    told = compliance(call, f"rules/{ANTIVIRUS}")
    assert told["complianceDetails"]["applying"] > 99
    assert told["compliance"] in {0, 50}
    served.seed({"reports": {ANTIVIRUS: {"share": 50, "takes": 0}}})
    told = compliance(call, f"rules/{ANTIVIRUS}")
    assert (told["compliance"], told["complianceDetails"]) == (50, {"successAlreadyOK": 50, "error": 50})


def test_after_a_change_a_rule_is_applying_until_it_is_reported(served: Served, call) -> None:
    served.seed({"apply_seconds": 0.3})
    update(call)
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]
    deadline = time.monotonic() + 5
    while "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]:
        assert time.monotonic() < deadline
    assert compliance(call, f"rules/{SHARE}")["compliance"] == 100


def test_a_change_request_that_is_deployed_is_a_change(served: Served, call) -> None:
    accept(call, pending(served, call))
    assert "applying" in compliance(call, f"rules/{SHARE}")["complianceDetails"]


def test_nothing_is_reported_of_a_disabled_rule(call) -> None:
    told = compliance(call, f"rules/{SHARE}")
    assert (told["compliance"], told["complianceDetails"]) == (0, {"noReport": 100})


def test_nodes_have_a_compliance_once_they_are_accepted(call) -> None:
    assert compliance(call, f"nodes/{FILE_SERVER}")["compliance"] == 100
    assert found(call, "/compliance/nodes") == found(call)
    assert "is not known on Rudder" in words(call("GET", f"/compliance/nodes/{PENDING_NODE}"))


def test_a_missing_rule_has_no_compliance(call) -> None:
    assert "Rule with id 'nothing' was not found" in words(call("GET", "/compliance/rules/nothing"))


def test_a_server_may_tell_no_compliance(served: Served, call) -> None:
    served.seed({"compliance_mode": "reports-disabled"})
    told = compliance(call, f"rules/{ANTIVIRUS}")
    assert (told["mode"], told["complianceDetails"]) == ("reports-disabled", {"reportsDisabled": 100})


def test_compliance_has_the_form_of_rudders_own_cases(call) -> None:
    cases = [case for case in rudders_cases("compliance") if case["path"].endswith("/rules/br6")]
    if not cases:
        pytest.skip("Rudder's own API cases are not at hand")
    (theirs,) = cases[0]["response"]["data"]["rules"]
    details = {"directives", "nodes"}  # of deeper levels than the stand-in shows
    assert set(compliance(call, f"rules/{ANTIVIRUS}")) == set(theirs) - details
    assert call("GET", f"/compliance/rules/{ANTIVIRUS}").json()["action"] == cases[0]["response"]["action"]


def test_rules_and_nodes_can_be_taken_away(served: Served, call) -> None:
    served.seed({"gone": [ANTIVIRUS, FILE_SERVER]})
    assert "was not found" in words(call("GET", f"/rules/{ANTIVIRUS}"))
    assert "was not found" in words(call("GET", f"/nodes/{FILE_SERVER}"))


# Change requests


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


# The page


def test_the_tables_show_rules_requests_and_reasons_but_no_token(served: Served, call) -> None:
    update(call, params={"reason": "because"})
    tables = served.tables()
    assert set(tables) == {"rules", "nodes", "change requests", "event log"}
    assert next(rule for rule in tables["rules"] if rule["id"] == SHARE)["last reason"] == "because"
    assert not any(token in json.dumps(tables) for token in TOKENS.values())


def test_a_reset_forgets_everything_and_sessions_are_none(served: Served, call) -> None:
    update(call)
    served.end_sessions()
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is True
    served.reset()
    assert shown(call("GET", f"/rules/{SHARE}"))["enabled"] is False
