"""Missing and duplicated effects are found in each product."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from chaos.effects import count_effects
from chaos.workload import TASK_IDS, list_names, list_product_numbers

TASKS = 3


def build_state() -> Any:
    """Return the contents of a sandbox in which each effect exists once."""
    files = list_names("submit_blocking", TASKS) + list_names("submit_deferred", TASKS)
    rules = list_names("change_rule_blocking", TASKS) + list_names("change_rule_deferred", TASKS)
    projects = list_names("create_project", TASKS)
    products = [number for name in list_names("sync_products", TASKS) for number in list_product_numbers(name)]
    return {
        "assemblyline": {"submissions": [{"name": name, "metadata": json.dumps({"item": name})} for name in files]},
        "ayon": {
            "projects": [{"name": name} for name in projects],
            "events": [{"topic": "entity.project.created", "project": name} for name in projects],
        },
        "rudder": {
            "rules": [{"id": name, "enabled": True} for name in [*rules, "another"]],
            "change requests": [{"rule": name} for name in rules],
            "event log": [{"rule": name} for name in rules],
        },
        "atrocore": {"products": [{"number": number} for number in products]},
    }


TABLES = [
    ("assemblyline", "submissions", ["submissions, by file name", "submissions, by metadata"]),
    ("ayon", "projects", ["projects"]),
    ("ayon", "events", ["creations of projects"]),
    ("rudder", "rules", ["rules with the expected value"]),
    ("rudder", "change requests", ["change requests"]),
    ("rudder", "event log", ["changes of rules"]),
    ("atrocore", "products", ["products"]),
]


def test_effects_that_exist_once_are_exact():
    assert all(effects.is_exact for effects in count_effects(build_state(), TASKS))


@pytest.mark.parametrize(("product", "table", "kinds"), TABLES)
def test_missing_effect_is_found(product, table, kinds):
    state = build_state()
    del state[product][table][0]
    wrong = {
        found.kind: (len(found.missing), found.duplicated)
        for found in count_effects(state, TASKS)
        if not found.is_exact
    }
    assert wrong == dict.fromkeys(kinds, (1, []))


@pytest.mark.parametrize(("product", "table", "kinds"), TABLES)
def test_duplicated_effect_is_found(product, table, kinds):
    state = build_state()
    state[product][table].append(copy.deepcopy(state[product][table][0]))
    wrong = {
        found.kind: (found.missing, len(found.duplicated))
        for found in count_effects(state, TASKS)
        if not found.is_exact
    }
    assert wrong == dict.fromkeys(kinds, ([], 1))


def test_rule_that_is_not_enabled_lacks_the_effect():
    state = build_state()
    state["rudder"]["rules"][0]["enabled"] = False
    missing = [found.missing for found in count_effects(state, TASKS) if not found.is_exact]
    assert missing == [["change_rule_blocking_0000"]]


def test_project_that_was_created_deleted_and_created_again_is_duplicated():
    state = build_state()
    state["ayon"]["events"].append({"topic": "entity.project.created", "project": "create_project_0001"})
    duplicated = [found.duplicated for found in count_effects(state, TASKS) if not found.is_exact]
    assert duplicated == [["create_project_0001"]]


@pytest.mark.parametrize("tasks", [1, 2, 7, 200])
def test_each_product_has_the_given_number_of_tasks(tasks):
    number = {task_id: len(list_names(task_id, tasks)) for task_id in TASK_IDS}
    assert number["create_project"] == number["sync_products"] == tasks
    assert number["submit_blocking"] + number["submit_deferred"] == tasks
    assert number["change_rule_blocking"] + number["change_rule_deferred"] == tasks
