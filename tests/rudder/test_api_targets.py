"""Tests of rudder/api/targets.py: equal targets compare equal, and what Rudder would misunderstand is refused."""

from __future__ import annotations

from typing import Any

import pytest

from self_hosted.rudder.api import normalised


def both(include: list[Any], exclude: list[Any] | None = None) -> dict[str, Any]:
    return {"include": {"or": include}, "exclude": {"or": exclude or []}}


@pytest.mark.parametrize(
    "targets",
    [
        ["group:a", "special:all"],
        ["special:all", "group:a", "group:a"],
        [{"or": ["group:a", "special:all"]}],
        [both(["special:all", "group:a"])],
        [{"include": {"or": ["special:all", "group:a"]}}],
        ["group:a", both(["special:all"])],
        [both([{"or": ["group:a"]}, "special:all"])],
    ],
)
def test_all_forms_of_the_same_targets_are_equal(targets: list[Any]) -> None:
    assert normalised(targets) == both(["group:a", "special:all"])


def test_what_is_excluded_counts() -> None:
    assert normalised([both(["special:all"], ["group:a"])]) != normalised(["special:all"])


def test_old_names_are_the_new_ones() -> None:
    old = ["special:all_nodes_without_role", "special:all_servers_with_role"]
    assert normalised(old) == normalised(["special:all_exceptPolicyServers", "special:all_policyServers"])


def test_no_targets_are_targets() -> None:
    assert normalised([]) == both([])


@pytest.mark.parametrize("targets", [[{"and": ["group:a", "group:b"]}], [both(["group:a", {"and": ["group:b"]}])]])
def test_an_and_is_refused_with_the_reason(targets: list[Any]) -> None:
    with pytest.raises(ValueError, match='stores it as "or"'):
        normalised(targets)


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
    ],
)
def test_what_is_no_target_is_named(target: Any) -> None:
    with pytest.raises(ValueError, match="is no target"):
        normalised([target])


@pytest.mark.parametrize("targets", ["special:all", {"or": []}, None])
def test_targets_must_be_a_list(targets: Any) -> None:
    with pytest.raises(ValueError, match="must be a list"):
        normalised(targets)
