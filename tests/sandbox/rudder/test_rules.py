"""Rules of the stand-in, and the quirks that those of the real server have."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from self_hosted.sandbox.rudder import Rudder
from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, SHARE, rudders_cases
from tests.sandbox.rudder.asking import shown, update, words

MADE_UP = ("policyMode", "status")  # what the server works out from directives and nodes, which the stand-in lacks


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
