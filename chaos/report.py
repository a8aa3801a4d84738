"""The results of the campaign as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chaos.effects import Effects
from chaos.results import Results
from chaos.workload import TASK_IDS
from demo.api import Task

MAX_LISTED_NAMES = 10


@dataclass(frozen=True)
class CampaignResult:
    """The results of a campaign.

    :param tasks: all task instances
    :param effects: the effects in the products
    :param results: the results of the tasks, compared with the effects
    :param counts: the sandbox's counts of requests and faults
    :param kills: target -> number of killed tasks
    :param restarts: number of restarts of the triggerer
    :param rotations: number of rotated credentials
    :param outage_seconds: time that the sandbox was down
    :param duration_seconds: time from the start to the end of the DAG run
    """

    tasks: Sequence[Task]
    effects: Sequence[Effects]
    results: Sequence[Results]
    counts: Mapping[str, Mapping[str, int]]
    kills: Mapping[str, int]
    restarts: int
    rotations: int
    outage_seconds: float
    duration_seconds: float

    @property
    def is_success(self) -> bool:
        """Whether all tasks have succeeded with the right result, and each effect exists exactly once."""
        succeeded = all(task.state == "success" for task in self.tasks)
        is_exact = all(effects.is_exact for effects in self.effects)
        return bool(self.tasks) and succeeded and is_exact and not any(results.wrong for results in self.results)


def build_report(result: CampaignResult) -> str:
    """Return the tables of tasks, effects, results and disruptions, and the effects and results that are wrong."""
    parts = [_build_table(("tasks", "number", "success", "failed", "tries", "max tries"), _list_tasks(result.tasks))]
    parts.append(_build_table(("effects", "expected", "found", "missing", "duplicated"), _list_effects(result.effects)))
    parts.append(_build_table(("results", "checked", "wrong"), _list_results(result.results)))
    parts.append(_build_table(("disruptions", "number"), _list_disruptions(result)))
    parts += [f"{effects.kind}: {_list_problems(effects)}" for effects in result.effects if not effects.is_exact]
    parts += [
        f"{results.task_id}: wrong: {'; '.join(results.wrong[:MAX_LISTED_NAMES])}"
        for results in result.results
        if results.wrong
    ]
    return "\n\n".join(parts)


def _build_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _list_tasks(tasks: Sequence[Task]) -> Iterable[Sequence[Any]]:
    for task_id in TASK_IDS:
        instances = [task for task in tasks if task.task_id == task_id]
        tries, successes = [task.try_number for task in instances], sum(task.state == "success" for task in instances)
        yield task_id, len(instances), successes, len(instances) - successes, sum(tries), max(tries, default=0)


def _list_effects(all_effects: Iterable[Effects]) -> Iterable[Sequence[Any]]:
    for effects in all_effects:
        found = sum(effects.found[name] for name in effects.expected)
        yield effects.kind, len(effects.expected), found, len(effects.missing), len(effects.duplicated)


def _list_results(all_results: Iterable[Results]) -> Iterable[Sequence[Any]]:
    return ((results.task_id, results.checked, len(results.wrong)) for results in all_results)


def _list_disruptions(result: CampaignResult) -> Iterable[Sequence[Any]]:
    requests = sum(result.counts["requests"].values())
    yield "requests", requests
    for name, number in sorted(result.counts["faults"].items()):
        yield f"fault: {name}", f"{number} ({number / requests:.1%})"
    for target, number in sorted(result.kills.items()):
        yield f"killed: {target}", number
    yield "restarts of the triggerer", result.restarts
    yield "rotated credentials", result.rotations
    yield "outage of the sandbox", f"{result.outage_seconds:.0f} s"
    yield "duration", f"{result.duration_seconds:.0f} s"


def _list_problems(effects: Effects) -> str:
    problems = {"missing": effects.missing, "duplicated": effects.duplicated}
    return "; ".join(
        f"{problem}: {', '.join(names[:MAX_LISTED_NAMES])}" for problem, names in problems.items() if names
    )
