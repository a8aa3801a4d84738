"""The effects of the campaign in the products: each expected effect must exist exactly once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from chaos.workload import list_names, list_product_numbers
from demo.environment import Tables

MODES = ("blocking", "deferred")


@dataclass(frozen=True)
class Effects:
    """The effects of one kind.

    :param kind: such as "projects"
    :param expected: the names of the effects that must exist once
    :param found: name -> number of effects that exist
    """

    kind: str
    expected: list[str]
    found: Counter[str]

    @property
    def missing(self) -> list[str]:
        """The expected effects that do not exist."""
        return [name for name in self.expected if not self.found[name]]

    @property
    def duplicated(self) -> list[str]:
        """The expected effects that exist more than once."""
        return [name for name in self.expected if self.found[name] > 1]

    @property
    def is_exact(self) -> bool:
        """Whether each expected effect exists exactly once."""
        return not self.missing and not self.duplicated


def count_effects(state: Tables, tasks: int) -> list[Effects]:
    """Return the effects of all kinds.

    :param state: contents of the sandbox
    :param tasks: number of tasks per product
    """
    files = [name for mode in MODES for name in list_names(f"submit_{mode}", tasks)]
    rules = [name for mode in MODES for name in list_names(f"change_rule_{mode}", tasks)]
    projects = list_names("create_project", tasks)
    products = [number for name in list_names("sync_products", tasks) for number in list_product_numbers(name)]
    submissions, rudder, ayon = state["assemblyline"]["submissions"], state["rudder"], state["ayon"]
    return [
        _count("submissions, by file name", files, (row["name"] for row in submissions)),
        _count("submissions, by metadata", files, (_read_item(row["metadata"]) for row in submissions)),
        _count("projects", projects, (row["name"] for row in ayon["projects"])),
        _count("creations of projects", projects, _list_created_projects(ayon["events"])),
        _count("change requests", rules, (row["rule"] for row in rudder["change requests"])),
        _count("rules with the expected value", rules, (row["id"] for row in rudder["rules"] if row["enabled"])),
        _count("changes of rules", rules, (row["rule"] for row in rudder["event log"])),
        _count("products", products, (row["number"] for row in state["atrocore"]["products"])),
    ]


def _count(kind: str, expected: list[str], found: Iterable[str]) -> Effects:
    return Effects(kind, expected, Counter(found))


def _read_item(metadata: str) -> str:
    return str(json.loads(metadata).get("item", ""))


def _list_created_projects(events: list[dict[str, str]]) -> Iterable[str]:
    return (event["project"] for event in events if event["topic"] == "entity.project.created")
