"""Categories of rules at the fake Rudder server; `test_transcript.py` has their normal use."""

from __future__ import annotations

from tests.rudder.conftest import SHARE
from tests.sandbox.rudder.client import error_message


def test_the_rule_tree_is_the_tree_of_categories(call) -> None:
    tree = call("GET", "/rules/tree").json()["data"]["ruleCategories"]
    assert tree["id"] == "rootRuleCategory"
    assert SHARE in {rule["id"] for rule in tree["rules"]}


def test_a_category_with_a_category_cannot_be_deleted(call) -> None:
    for category_id, parent in (("outer", "rootRuleCategory"), ("inner", "outer")):
        call("PUT", "/rules/categories", json={"id": category_id, "name": category_id, "parent": parent})
    assert call("GET", "/rules/categories/outer").json()["data"]["ruleCategories"]["categories"] == ["inner"]
    assert "is not empty" in error_message(call("DELETE", "/rules/categories/outer"))


def test_the_root_cannot_be_changed(call) -> None:
    assert "root" in error_message(call("POST", "/rules/categories/rootRuleCategory", json={"name": "New"}))


def test_a_malformed_category_is_an_error(call) -> None:
    assert "expected '{'" in error_message(call("PUT", "/rules/categories", json=[]))
