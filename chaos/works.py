"""What the campaign's tasks work on: each on things of its own, named after it, so that effects can be counted.

The DAG takes the operators' arguments from here, and `effects.py` what there should be in the products afterwards.
"""

from __future__ import annotations

from typing import Any

KINDS = (
    "submit_blocking",
    "submit_deferred",
    "create_project",
    "change_rule_blocking",
    "change_rule_deferred",
    "sync_products",
)
ROWS = 5
DIRECTIVE, TARGET = "storage-project-share", "special:all"


def names(kind: str, tasks: int) -> list[str]:
    """The names of what the tasks of one kind work on.

    :param kind: one of `KINDS`; those that wait in two ways have half of the tasks each
    :param tasks: how many tasks each product has
    """
    number = {"blocking": tasks - tasks // 2, "deferred": tasks // 2}.get(kind.rpartition("_")[2], tasks)
    return [f"{kind}_{n:04}" for n in range(number)]


def submission(name: str) -> dict[str, Any]:
    """The arguments that submit a file, whose analysis takes 10 to 16 s."""
    content = f"{name}\nRIG-SLEEP:{10 + int(name[-4:]) % 7}\n"
    return {"content": content, "name": name, "metadata": {"work": name}, "poll_interval": 5}


def project(name: str) -> dict[str, Any]:
    """The arguments that create a project."""
    return {"name": name, "code": f"c{name[-4:]}"}


def change(name: str) -> dict[str, Any]:
    """The arguments that enable a rule."""
    return {"rule_id": name, "enabled": True, "reason": f"The campaign enables {name}", "poll_interval": 5}


def rule(name: str) -> dict[str, Any]:
    """The rule that `change` is about, as Rudder holds it before."""
    texts = {"categoryId": "rootRuleCategory", "shortDescription": "", "longDescription": ""}
    rest = {"directives": [DIRECTIVE], "targets": [TARGET], "enabled": False, "system": False, "tags": []}
    return {"id": name, "displayName": name, **texts, **rest}


def rows(name: str) -> list[dict[str, Any]]:
    """The products that one task syncs."""
    return [{"number": number, "name": f"Product {number}"} for number in numbers(name)]


def numbers(name: str) -> list[str]:
    """The numbers of the products that one task syncs."""
    return [f"{name}_{n}" for n in range(ROWS)]
