"""The campaign's figures as Markdown tables, and whether they are as they should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.effects import Effects
from chaos.works import KINDS

NAMED = 10  # how many of the missing and doubled are named


@dataclass(frozen=True)
class Figures:
    """What is counted.

    :param tasks: all task instances, as Airflow's API shows them
    :param effects: what is there in the products
    :param counts: what the sandbox counted: requests and faults
    :param kills: how many tasks were killed, by how
    :param restarts: how often the triggerer was restarted
    :param outage: how long the sandbox was down, in seconds
    :param seconds: how long all took
    """

    tasks: Sequence[Mapping[str, Any]]
    effects: Sequence[Effects]
    counts: Mapping[str, Mapping[str, int]]
    kills: Mapping[str, int]
    restarts: int
    outage: float
    seconds: float

    @property
    def right(self) -> bool:
        """Whether all tasks ended in success, and each effect is there exactly once."""
        succeeded = all(task["state"] == "success" for task in self.tasks)
        return bool(self.tasks) and succeeded and all(effects.right for effects in self.effects)


def report(figures: Figures) -> str:
    """The tables."""
    parts = [_table(("tasks", "number", "success", "failed", "tries", "most"), _tasks(figures.tasks))]
    parts.append(_table(("effects", "expected", "found", "missing", "doubled"), _effects(figures.effects)))
    parts.append(_table(("trouble", "number"), _trouble(figures)))
    parts += [f"{effects.sort}: {_named(effects)}" for effects in figures.effects if not effects.right]
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _tasks(tasks: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[Any]]:
    for kind in KINDS:
        found = [task for task in tasks if task["task_id"] == kind]
        states, tries = Counter(task["state"] for task in found), [task["try_number"] for task in found]
        yield kind, len(found), states["success"], len(found) - states["success"], sum(tries), max(tries, default=0)


def _effects(effects: Iterable[Effects]) -> Iterable[Sequence[Any]]:
    for found in effects:
        there = sum(found.found[name] for name in found.expected)
        yield found.sort, len(found.expected), there, len(found.missing), len(found.doubled)


def _trouble(figures: Figures) -> Iterable[Sequence[Any]]:
    requests = sum(figures.counts["requests"].values())
    yield "requests", requests
    for name, number in sorted(figures.counts["faults"].items()):
        yield f"fault: {name}", f"{number} ({number / requests:.1%})"
    for how, number in sorted(figures.kills.items()):
        yield f"killed: {how}", number
    yield "restarts of the triggerer", figures.restarts
    yield "outage of the sandbox", f"{figures.outage:.0f} s"
    yield "duration", f"{figures.seconds:.0f} s"


def _named(effects: Effects) -> str:
    wrong = {"missing": effects.missing, "doubled": effects.doubled}
    return "; ".join(f"{how}: {', '.join(found[:NAMED])}" for how, found in wrong.items() if found)
