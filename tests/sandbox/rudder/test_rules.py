"""Rules at the fake Rudder server, with the peculiarities of the real one."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from self_hosted.sandbox.rudder import Rudder
from tests.conftest import Served
from tests.rudder.conftest import ANTIVIRUS, SHARE, load_vendor_cases
from tests.sandbox.rudder.client import enable_rule, error_message, first_item

DERIVED_FIELDS = ("policyMode", "status")  # the real server derives them from data that the fake one does not have


def test_a_rule_is_in_a_list_and_a_missing_one_is_an_error_without_id(call) -> None:
    assert first_item(call("GET", f"/rules/{SHARE}"))["enabled"] is False
    missing = call("GET", "/rules/nothing")
    assert error_message(missing) == "Rule with id 'nothing' was not found"
    assert "id" not in missing.json()


def test_an_update_keeps_other_fields(call) -> None:
    before, after = first_item(call("GET", f"/rules/{SHARE}")), first_item(enable_rule(call))
    assert after == {**before, "enabled": True, "status": {"value": "In application"}}


def test_unknown_fields_and_the_id_in_the_body_are_ignored(call) -> None:
    body = {"id": "other", "system": True, "policyMode": "audit", "nonsense": 1}
    after = first_item(call("POST", f"/rules/{SHARE}", json=body))
    assert (after["id"], after["system"], after["policyMode"]) == (SHARE, False, "enforce")


@pytest.mark.parametrize(
    ("parameters", "logged"),
    [
        ({"params": {"reason": "query"}, "json": {"enabled": True}}, "query"),
        ({"json": {"enabled": True, "reason": "body"}}, None),
        ({"data": {"enabled": "true", "reason": "form"}}, "form"),
        ({"params": {"reason": "query"}, "data": {"enabled": "true", "reason": "form"}}, "query"),
    ],
)
def test_the_reason_is_read_from_query_and_form_only(
    served: Served, call, parameters: dict[str, Any], logged: str | None
) -> None:
    call("POST", f"/rules/{SHARE}", **parameters)
    assert served.tables()["event log"][0]["reason"] == logged


def test_json_with_another_content_type_is_ignored(call) -> None:
    response = call("POST", f"/rules/{SHARE}", data=b'{"enabled":true}', headers={"Content-Type": "text/plain"})
    assert first_item(response)["enabled"] is False


@pytest.mark.parametrize(
    ("targets", "included", "excluded"),
    [
        ([], [], []),
        (["special:all", "group:a"], ["special:all", "group:a"], []),
        (["special:all_nodes_without_role"], ["special:all_exceptPolicyServers"], []),
        ([{"or": ["group:a", "group:b"]}], [{"or": ["group:a", "group:b"]}], []),
        ([{"and": ["group:a", "group:b"]}], [{"or": ["group:a", "group:b"]}], []),
        ([{"include": {"and": ["group:a"]}, "exclude": {"or": ["group:b"]}}], ["group:a"], ["group:b"]),
        (
            ["group:a", {"include": {"or": ["group:b"]}, "exclude": {"or": ["group:c"]}}],
            ["group:a", {"or": ["group:b"]}],
            [{"or": ["group:c"]}],
        ),
    ],
)
def test_targets_become_one_object_and_an_and_becomes_an_or(
    call, targets: list[Any], included: list[Any], excluded: list[Any]
) -> None:
    after = first_item(call("POST", f"/rules/{SHARE}", json={"targets": targets}))
    assert after["targets"] == [{"include": {"or": included}, "exclude": {"or": excluded}}]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"enabled": "true"}, ".enabled(expected a Boolean)"),
        ({"displayName": 1}, ".displayName(expected string)"),
        ({"directives": "a"}, ".directives(expected '[' got '\"')"),
        ({"directives": [1]}, ".directives[0](expected string)"),
        ({"tags": [{"n": 1}]}, ".tags[0].n(expected string)"),
        ({"tags": ["n"]}, ".tags[0](expected '{')"),
        ({"targets": ["everything"]}, "Invalid target string: 'everything'"),
        ({"targets": [1]}, ".targets[0](expected a target)"),
        ({"targets": [{}]}, ".targets[0](expected a composition of targets)"),
        ({"targets": [{"include": {"or": ["special:all"]}}]}, ".targets[0].exclude(missing)"),
        ([], "(expected '{' got '[')"),
    ],
)
def test_a_malformed_field_is_an_error_that_names_it(call, body: Any, problem: str) -> None:
    response = call("POST", f"/rules/{SHARE}", json=body)
    assert error_message(response).endswith(f"Unexpected: {problem}") or problem in error_message(response)
    assert error_message(response).startswith("Could not extract a rule from request.")


def test_a_malformed_new_rule_is_an_error(call) -> None:
    assert ".enabled" in error_message(call("PUT", "/rules", json={"displayName": "New", "enabled": 1}))


@pytest.mark.parametrize(("form", "problem"), [({"enabled": "maybe"}, "Boolean"), ({"tags": "[{"}, "expected '['")])
def test_a_malformed_field_of_a_form_is_an_error(call, form: dict[str, str], problem: str) -> None:
    assert problem in error_message(call("POST", f"/rules/{SHARE}", data=form))


def test_a_null_field_is_ignored(call) -> None:
    after = first_item(call("POST", f"/rules/{SHARE}", json={"displayName": None}))
    assert after["displayName"] == "Mount the project share"


def test_tags_are_sorted_by_name(call) -> None:
    tags = [{"b": "2"}, {"a": "1"}, {"a": "0"}]
    after = first_item(call("POST", f"/rules/{SHARE}", json={"tags": tags}))
    assert after["tags"] == [{"a": "1"}, {"a": "0"}, {"b": "2"}]


def test_directives_are_sorted(call) -> None:
    assert first_item(call("POST", f"/rules/{SHARE}", json={"directives": ["b", "a"]}))["directives"] == ["a", "b"]


def test_a_creation_with_an_existing_id_is_an_error(call) -> None:
    body = {"id": "new", "displayName": "New", "category": "shares"}
    created = call("PUT", "/rules", json=body)
    assert (created.json()["action"], first_item(created)["categoryId"]) == ("createRule", "shares")
    assert first_item(created)["enabled"] is True
    assert "there is already a rule with the same id" in error_message(call("PUT", "/rules", json=body))


def test_names_of_rules_are_unique(served: Served, call) -> None:
    name = first_item(call("GET", f"/rules/{ANTIVIRUS}"))["displayName"]
    assert "a rule with the same name" in error_message(call("PUT", "/rules", json={"displayName": name}))
    assert "already in use" in error_message(call("POST", f"/rules/{SHARE}", json={"displayName": name}))
    served.seed({"unique_names": False})
    assert call("POST", f"/rules/{SHARE}", json={"displayName": name}).status_code == 200


def test_a_clone_of_a_missing_rule_is_an_error(call) -> None:
    response = call("PUT", "/rules", json={"displayName": "Clone", "source": "nothing"})
    assert "by cloning rule 'nothing'" in error_message(response)


def test_a_system_rule_can_be_neither_changed_nor_deleted(served: Served, call) -> None:
    served.seed({"rules": [{"id": "inventory-all", "displayName": "Inventory", "system": True}]})
    assert "can not be modified" in error_message(call("POST", "/rules/inventory-all", json={"enabled": False}))
    assert "can't be deleted" in error_message(call("DELETE", "/rules/inventory-all"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/rules/", "Rule with id 'index' was not found"),
        ("/rules/a%20b", "Rule with id 'a+b' was not found"),
        ("/rules/a%2Fb", "Rule with id 'a/b' was not found"),
    ],
)
def test_some_ids_are_read_as_other_ids(call, path: str, message: str) -> None:
    assert error_message(call("GET", path)) == message


def test_a_revision_of_a_rule_cannot_be_deleted(call) -> None:
    assert "past revision" in error_message(call("DELETE", f"/rules/{SHARE}+abcdef"))


def test_a_rule_without_a_name_is_an_error(call) -> None:
    assert "Missing manadatory parameter 'displayName'" in error_message(call("PUT", "/rules", json={"enabled": True}))


def test_with_validation_a_new_rule_is_disabled(served: Served, call) -> None:
    served.seed({"validation": True})
    created = first_item(call("PUT", "/rules", json={"displayName": "New", "enabled": True}))
    assert created["enabled"] is False
    assert "changeRequestId" not in created
    assert first_item(call("PUT", "/rules", json={"displayName": "Only a name"}))["enabled"] is True


def test_the_deletion_of_a_missing_rule_returns_empty_fields(call) -> None:
    assert call("DELETE", f"/rules/{SHARE}").status_code == 200
    missing = first_item(call("DELETE", f"/rules/{SHARE}"))
    assert (missing["id"], missing["displayName"], missing["enabled"]) == (SHARE, "", False)


def test_responses_equal_rudders_own_test_cases(served: Served, call) -> None:
    scenario = [case for case in load_vendor_cases("rules") if case["index"] <= 14]
    server: Rudder = served.product  # type: ignore[assignment]
    server.state.rules.clear()
    served.seed({"rules": [_stored(rule) for rule in scenario[1]["response"]["data"]["rules"]]})
    for case in scenario:
        expected = case["response"]["data"]["rules"]
        if case["method"] == "POST" and expected[0]["id"] not in server.state.rules:
            served.seed({"rules": [_stored(expected[0])]})  # from the mocks of Rudder's tests
        response = _send(call, case)
        assert response.status_code == case["status"], case["description"]
        envelope = response.json()
        assert [_stored(rule) for rule in envelope.pop("data")["rules"]] == [_stored(rule) for rule in expected]
        assert envelope == {name: value for name, value in case["response"].items() if name != "data"}


def _stored(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in DERIVED_FIELDS}


def _send(call, case: dict[str, Any]) -> requests.Response:
    body = {"data": case["form_params"]} if case["body_json"] is None else {"json": case["body_json"]}
    return call(case["method"], case["path"], prefix="", **body)  # type: ignore[no-any-return]


def test_the_status_of_a_rule_depends_on_its_directives(served: Served, call) -> None:
    def status() -> dict[str, str]:
        return first_item(call("GET", f"/rules/{ANTIVIRUS}"))["status"]  # type: ignore[no-any-return]

    assert status() == {"value": "In application"}
    served.seed({"disabled_directives": ["antivirus-clamav"]})
    assert status() == {"value": "Not applied", "details": "Directive 'antivirus-clamav' disabled"}
    call("POST", f"/rules/{ANTIVIRUS}", json={"directives": ["antivirus-clamav", "ntp"]})
    assert status()["value"] == "Partially applied"
    call("POST", f"/rules/{ANTIVIRUS}", json={"enabled": False})
    assert status()["details"] == "This rule is disabled. , Directive 'antivirus-clamav' disabled"


def test_a_rule_without_directives_or_nodes_is_not_applied(served: Served, call) -> None:
    created = first_item(call("PUT", "/rules", json={"displayName": "Empty"}))
    assert created["status"] == {"value": "Not applied", "details": "No policy defined, Empty groups"}
    served.seed({"empty_groups": ["group:archive"]})
    after = first_item(call("POST", f"/rules/{ANTIVIRUS}", json={"targets": ["group:archive"]}))
    assert after["status"] == {"value": "Not applied", "details": "Empty groups"}


def test_lists_omit_system_rules(served: Served, call) -> None:
    served.seed({"rules": [{**first_item(call("GET", f"/rules/{SHARE}")), "id": "inventory-all", "system": True}]})
    assert first_item(call("GET", "/rules/inventory-all"))["system"] is True
    for path in ("/rules", "/compliance/rules"):
        assert "inventory-all" not in {rule["id"] for rule in call("GET", path).json()["data"]["rules"]}
