"""What the campaign did in the products, counted: each effect that was wanted must exist exactly once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from chaos.works import names, numbers
from demo.world import Tables

MODES = ("blocking", "deferred")


@dataclass(frozen=True)
class Effects:
    """The effects of one sort.

    :param sort: what they are
    :param expected: what should be there once
    :param found: what is there, and how often
    """

    sort: str
    expected: list[str]
    found: Counter[str]

    @property
    def missing(self) -> list[str]:
        """What should be there and is not."""
        return [name for name in self.expected if not self.found[name]]

    @property
    def doubled(self) -> list[str]:
        """What is there more than once."""
        return [name for name in self.expected if self.found[name] > 1]

    @property
    def right(self) -> bool:
        """Whether each is there exactly once."""
        return not self.missing and not self.doubled


def effects(state: Tables, tasks: int) -> list[Effects]:
    """All effects.

    :param state: what the sandbox holds
    :param tasks: how many tasks each product had
    """
    files = [name for mode in MODES for name in names(f"submit_{mode}", tasks)]
    rules = [name for mode in MODES for name in names(f"change_rule_{mode}", tasks)]
    projects = names("create_project", tasks)
    products = [number for name in names("sync_products", tasks) for number in numbers(name)]
    scans, rudder, ayon = state["assemblyline"]["submissions"], state["rudder"], state["ayon"]
    return [
        _effects("submissions, by file name", files, (row["name"] for row in scans)),
        _effects("submissions, by metadata", files, (json.loads(row["metadata"]).get("work", "") for row in scans)),
        _effects("projects", projects, (row["name"] for row in ayon["projects"])),
        _effects("creations of projects", projects, _created(ayon["events"])),
        _effects("change requests", rules, (row["rule"] for row in rudder["change requests"])),
        _effects("rules with the wanted value", rules, (row["id"] for row in rudder["rules"] if row["enabled"])),
        _effects("changes of rules", rules, (row["rule"] for row in rudder["event log"])),
        _effects("products", products, (row["number"] for row in state["atrocore"]["products"])),
    ]


def _effects(sort: str, expected: list[str], found: Iterable[str]) -> Effects:
    return Effects(sort, expected, Counter(found))


def _created(events: list[dict[str, str]]) -> Iterable[str]:
    return (event["project"] for event in events if event["topic"] == "entity.project.created")
