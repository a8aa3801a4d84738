"""The workload of the campaign: each task has items of its own, named after it, so that the effects can be counted.

The DAG takes the operators' arguments from this module, and `effects.py` the expected effects.
"""

from __future__ import annotations

from typing import Any

TASK_IDS = (
    "submit_blocking",
    "submit_deferred",
    "create_project",
    "change_rule_blocking",
    "change_rule_deferred",
    "sync_products",
)
PRODUCTS_PER_TASK = 5
DIRECTIVE, TARGET = "storage-project-share", "special:all"


def list_names(task_id: str, tasks: int) -> list[str]:
    """Return the names of the items of one mapped task, one per task instance.

    :param task_id: one of `TASK_IDS`; a blocking and a deferred one share the number of tasks
    :param tasks: number of tasks per product
    """
    number = {"blocking": tasks - tasks // 2, "deferred": tasks // 2}.get(task_id.rpartition("_")[2], tasks)
    return [f"{task_id}_{n:04}" for n in range(number)]


def build_submission(name: str) -> dict[str, Any]:
    """Return the arguments to submit a file whose analysis takes 10 to 16 s; files differ by their scores."""
    content = f"{name}\nRIG-SLEEP:{10 + int(name[-4:]) % 7}\nRIG-SCORE:{get_score(name)}\n"
    return {"content": content, "name": name, "metadata": {"item": name}, "poll_interval": 5}


def get_score(name: str) -> int:
    """Return the score of a submitted file."""
    return int(name[-4:]) * 10


def build_project(name: str) -> dict[str, Any]:
    """Return the arguments to create a project."""
    return {"name": name, "code": get_code(name)}


def get_code(name: str) -> str:
    """Return the code of a project."""
    return f"c{name[-4:]}"


def build_rule_change(name: str) -> dict[str, Any]:
    """Return the arguments to enable a rule."""
    return {"rule_id": name, "enabled": True, "reason": f"The campaign enables {name}", "poll_interval": 5}


def build_rule(name: str) -> dict[str, Any]:
    """Return the disabled rule that `build_rule_change` enables, as Rudder stores it."""
    texts = {"categoryId": "rootRuleCategory", "shortDescription": "", "longDescription": ""}
    settings = {"directives": [DIRECTIVE], "targets": [TARGET], "enabled": False, "system": False, "tags": []}
    return {"id": name, "displayName": name, **texts, **settings}


def build_rows(name: str) -> list[dict[str, Any]]:
    """Return the products that one task syncs."""
    return [{"number": number, "name": f"Product {number}"} for number in list_product_numbers(name)]


def list_product_numbers(name: str) -> list[str]:
    """Return the numbers of the products that one task syncs."""
    return [f"{name}_{n}" for n in range(PRODUCTS_PER_TASK)]
