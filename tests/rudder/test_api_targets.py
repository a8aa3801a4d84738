"""Tests of rudder/api/targets.py: equal targets compare equal, and ambiguous targets are rejected."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.rudder.api.targets import normalize


def stored_form(include: list[Any], exclude: list[Any] | None = None) -> dict[str, Any]:
    return {"include": {"or": include}, "exclude": {"or": exclude or []}}


@pytest.mark.parametrize(
    "targets",
    [
        ["group:a", "special:all"],
        ["special:all", "group:a", "group:a"],
        [{"or": ["group:a", "special:all"]}],
        [stored_form(["special:all", "group:a"])],
        [{"include": {"or": ["special:all", "group:a"]}}],
        ["group:a", stored_form(["special:all"])],
        [stored_form([{"or": ["group:a"]}, "special:all"])],
    ],
)
def test_all_forms_of_the_same_targets_are_equal(targets: list[Any]) -> None:
    assert normalize(targets) == stored_form(["group:a", "special:all"])


def test_excluded_targets_make_a_difference() -> None:
    assert normalize([stored_form(["special:all"], ["group:a"])]) != normalize(["special:all"])


def test_former_names_equal_current_names() -> None:
    old = ["special:all_nodes_without_role", "special:all_servers_with_role"]
    assert normalize(old) == normalize(["special:all_exceptPolicyServers", "special:all_policyServers"])


def test_an_empty_list_is_valid() -> None:
    assert normalize([]) == stored_form([])


@pytest.mark.parametrize(
    "targets", [[{"and": ["group:a", "group:b"]}], [stored_form(["group:a", {"and": ["group:b"]}])]]
)
def test_an_and_is_rejected_with_the_reason(targets: list[Any]) -> None:
    with pytest.raises(ValueError, match='stores an "and" as "or"'):
        normalize(targets)


@pytest.mark.parametrize(
    "target",
    [
        "special:none",
        "group:",
        "workstations",
        "",
        7,
        None,
        {},
        {"oder": []},
        {"include": {"or": []}, "or": []},
        {"or": [3]},
        {"or": None},
        {"or": "group:a"},
        "group:a b",
    ],
)
def test_the_error_names_an_invalid_target(target: Any) -> None:
    with pytest.raises(ValueError, match="is not a target"):
        normalize([target])


@pytest.mark.parametrize("targets", ["special:all", {"or": []}, None])
def test_targets_must_be_a_list(targets: Any) -> None:
    with pytest.raises(ValueError, match="must be a list"):
        normalize(targets)


def test_nested_unions_equal_their_members() -> None:
    stored = [{"include": {"or": [{"or": ["group:a"]}, "group:b"]}, "exclude": {"or": [{"or": []}]}}]
    assert normalize(stored) == normalize(["group:a", "group:b"])


def test_very_deep_unions_are_rejected() -> None:
    target: Any = "group:a"
    for _ in range(100):
        target = {"or": [target]}
    with pytest.raises(ValueError, match="nested in more than 20 levels"):
        normalize([target])
