"""Results of tasks that contradict the contents of the products are found."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.results import check_results
from chaos.workload import TASK_IDS, build_submission, list_names, list_product_numbers

TASKS = 2


def build_state() -> Any:
    """Return the contents of a sandbox after a campaign with two tasks per product."""
    files = [name for mode in ("blocking", "deferred") for name in list_names(f"submit_{mode}", TASKS)]
    rules = [name for mode in ("blocking", "deferred") for name in list_names(f"change_rule_{mode}", TASKS)]
    products = [number for name in list_names("sync_products", TASKS) for number in list_product_numbers(name)]
    requests = [{"id": 70 + number, "rule": name, "status": "Deployed"} for number, name in enumerate(rules)]
    return {
        "assemblyline": {"submissions": [{"name": name, "sid": f"sid of {name}"} for name in files]},
        "ayon": {"projects": [{"name": name, "code": f"c{name[-4:]}"} for name in list_names("create_project", TASKS)]},
        "rudder": {"rules": [{"id": name, "enabled": True} for name in rules], "change requests": requests},
        "atrocore": {"products": [{"number": number} for number in products]},
    }


def build_values() -> dict[tuple[str, int], Any]:
    """Return the results of the tasks."""
    values: dict[tuple[str, int], Any] = {}
    for mode, number in (("blocking", 70), ("deferred", 71)):
        sid = f"sid of submit_{mode}_0000"
        values[f"submit_{mode}", 0] = {"sid": sid, "state": "completed", "max_score": 0, "verdict": "info"}
        rule = {"rule_id": f"change_rule_{mode}_0000", "outcome": "applied", "change_request_id": number}
        values[f"change_rule_{mode}", 0] = rule
    for index in range(TASKS):
        name = f"create_project_{index:04}"
        values["create_project", index] = {"name": name, "code": f"c{index:04}", "created": True}
        counts = {"created": 3, "updated": 1, "unchanged": 1, "failed": 0, "total": 5}
        others = dict.fromkeys(("ambiguous", "skipped", "conflict", "altered"), 0)
        values["sync_products", index] = {**counts, **others}
    return values


def find_wrong(values: dict[tuple[str, int], Any], state: Any) -> list[str]:
    return [text for results in check_results(values, state, TASKS) for text in results.wrong]


def test_results_that_agree_with_the_products_are_right():
    checked = check_results(build_values(), build_state(), TASKS)
    assert [(results.task_id, results.wrong) for results in checked] == [(task_id, []) for task_id in TASK_IDS]
    assert sum(results.checked for results in checked) == 8


@pytest.mark.parametrize(
    ("task_id", "changes", "text"),
    [
        ("submit_blocking", {"sid": "another"}, "sid 'another' instead of 'sid of submit_blocking_0000'"),
        ("submit_deferred", {"state": "submitted"}, "state 'submitted' instead of 'completed'"),
        ("submit_blocking", {"max_score": 10}, "max_score 10 instead of 0"),
        ("submit_blocking", {"verdict": "malicious"}, "verdict 'malicious' instead of 'info'"),
        ("create_project", {"name": "another"}, "name 'another' instead of 'create_project_0000'"),
        ("create_project", {"created": False}, "created False instead of True"),
        ("change_rule_blocking", {"outcome": "pending"}, "outcome 'pending' instead of 'applied'"),
        ("change_rule_blocking", {"change_request_id": 71}, "change_request_id 71 instead of 70"),
        ("change_rule_deferred", {"rule_id": "another"}, "rule_id 'another' instead of 'change_rule_deferred_0000'"),
        ("sync_products", {"failed": 1}, "failed 1 instead of 0"),
        ("sync_products", {"conflict": 1}, "conflict 1 instead of 0"),
        ("sync_products", {"total": 4}, "total 4 instead of 5"),
        ("sync_products", {"created": 1}, "failed 0 instead of 2"),
    ],
)
def test_a_wrong_field_is_found(task_id: str, changes: dict[str, Any], text: str):
    values = build_values()
    values[task_id, 0].update(changes)
    assert find_wrong(values, build_state()) == [f"{list_names(task_id, TASKS)[0]} has {text}"]


def test_a_missing_result_is_found():
    values = build_values()
    values["create_project", 1] = None
    assert find_wrong(values, build_state()) == ["create_project_0001 has the result None"]


@pytest.mark.parametrize("change", [{"outcome": "unchanged"}, {"outcome": "unchanged", "change_request_id": None}])
def test_a_retry_may_find_the_rule_unchanged(change: dict[str, Any]):
    values = build_values()
    values["change_rule_deferred", 0].update(change)
    assert find_wrong(values, build_state()) == []


@pytest.mark.parametrize(
    ("product", "table", "field", "value", "text"),
    [
        ("rudder", "rules", "enabled", False, "outcome 'applied' instead of 'pending'"),
        ("rudder", "change requests", "status", "Pending validation", "outcome 'applied' instead of 'pending'"),
        ("ayon", "projects", "name", "another", "code 'c0000' instead of None"),
        ("atrocore", "products", "number", "another", "failed 0 instead of 1"),
        ("assemblyline", "submissions", "name", "another", "sid 'sid of submit_blocking_0000' instead of None"),
    ],
)
def test_a_result_without_its_effect_is_found(product: str, table: str, field: str, value: Any, text: str):
    state = build_state()
    state[product][table][0][field] = value
    [found] = find_wrong(build_values(), state)
    assert found.endswith(text)


def test_files_differ_by_their_scores():
    scores = [
        build_submission(name)["content"].rpartition("RIG-SCORE:")[2] for name in list_names("submit_blocking", 200)
    ]
    assert len({*scores}) == 100
