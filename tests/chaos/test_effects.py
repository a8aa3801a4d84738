"""Effects are counted right: what is missing and what is doubled is found, in each product."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from chaos.effects import effects
from chaos.works import KINDS, names, numbers

TASKS = 3


def state() -> Any:
    """What the sandbox holds when each effect is there once."""
    files = names("submit_blocking", TASKS) + names("submit_deferred", TASKS)
    rules = names("change_rule_blocking", TASKS) + names("change_rule_deferred", TASKS)
    projects = names("create_project", TASKS)
    products = [number for name in names("sync_products", TASKS) for number in numbers(name)]
    return {
        "assemblyline": {"submissions": [{"name": name, "metadata": json.dumps({"work": name})} for name in files]},
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


PLACES = [
    ("assemblyline", "submissions", ["submissions, by file name", "submissions, by metadata"]),
    ("ayon", "projects", ["projects"]),
    ("ayon", "events", ["creations of projects"]),
    ("rudder", "rules", ["rules with the wanted value"]),
    ("rudder", "change requests", ["change requests"]),
    ("rudder", "event log", ["changes of rules"]),
    ("atrocore", "products", ["products"]),
]


def test_all_is_right_when_each_effect_is_there_once():
    assert all(found.right for found in effects(state(), TASKS))


@pytest.mark.parametrize(("product", "table", "sorts"), PLACES)
def test_an_effect_that_is_missing_is_named(product, table, sorts):
    less = state()
    del less[product][table][0]
    wrong = {found.sort: (len(found.missing), found.doubled) for found in effects(less, TASKS) if not found.right}
    assert wrong == dict.fromkeys(sorts, (1, []))


@pytest.mark.parametrize(("product", "table", "sorts"), PLACES)
def test_an_effect_that_is_doubled_is_named(product, table, sorts):
    more = state()
    more[product][table].append(copy.deepcopy(more[product][table][0]))
    wrong = {found.sort: (found.missing, len(found.doubled)) for found in effects(more, TASKS) if not found.right}
    assert wrong == dict.fromkeys(sorts, ([], 1))


def test_a_rule_that_is_not_enabled_lacks_the_effect():
    less = state()
    less["rudder"]["rules"][0]["enabled"] = False
    assert [found.missing for found in effects(less, TASKS) if not found.right] == [["change_rule_blocking_0000"]]


def test_a_project_that_was_made_deleted_and_made_again_is_doubled():
    more = state()
    more["ayon"]["events"].append({"topic": "entity.project.created", "project": "create_project_0001"})
    assert [found.doubled for found in effects(more, TASKS) if not found.right] == [["create_project_0001"]]


@pytest.mark.parametrize("tasks", [1, 2, 7, 200])
def test_each_product_has_as_many_tasks_as_were_asked_for(tasks):
    number = {kind: len(names(kind, tasks)) for kind in KINDS}
    assert number["create_project"] == number["sync_products"] == tasks
    assert number["submit_blocking"] + number["submit_deferred"] == tasks
    assert number["change_rule_blocking"] + number["change_rule_deferred"] == tasks
