"""The results of the campaign's tasks, compared with the contents of the products and with what each task requested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.workload import PRODUCTS_PER_TASK, TASK_IDS, get_code, get_score, list_names
from demo.environment import Tables

BANDS = {"info": 0, "suspicious": 300, "highly_suspicious": 700, "malicious": 1000}
"""The lowest score of each verdict, in the sandbox and in a new Assemblyline."""

RULE_OUTCOMES = ("applied", "unchanged")
"""A retry finds the rule unchanged if the change was deployed after the earlier try."""

Values = Mapping[tuple[str, int], Any]
"""The results of the tasks that have succeeded, by task id and map index."""


@dataclass(frozen=True)
class Results:
    """The results of one mapped task.

    :param task_id: one of `TASK_IDS`
    :param checked: number of results
    :param wrong: one text about each difference
    """

    task_id: str
    checked: int
    wrong: list[str]


def check_results(values: Values, state: Tables, tasks: int) -> list[Results]:
    """Return the differences of all results.

    :param values: the results
    :param state: contents of the sandbox
    :param tasks: number of tasks per product
    """
    return [_check_task(task_id, values, state, tasks) for task_id in TASK_IDS]


def _check_task(task_id: str, values: Values, state: Tables, tasks: int) -> Results:
    names, check = list_names(task_id, tasks), _CHECKS[task_id]
    found = {names[index]: value for (other_id, index), value in values.items() if other_id == task_id}
    return Results(task_id, len(found), [text for name in found for text in _describe(name, found[name], state, check)])


def _describe(name: str, result: Any, state: Tables, check: Check) -> Iterator[str]:
    if not isinstance(result, dict):
        yield f"{name} has the result {result!r}"
        return
    for field, expected in check(name, result, state).items():
        if result.get(field) != expected:
            yield f"{name} has {field} {result.get(field)!r} instead of {expected!r}"


Check = Callable[[str, dict[str, Any], Tables], dict[str, Any]]
"""Returns the expected fields of a result, for the name of an item, its result, and the contents of the sandbox."""


def _expect_analysis(name: str, result: dict[str, Any], state: Tables) -> dict[str, Any]:
    score, rows = get_score(name), state["assemblyline"]["submissions"]
    sid = _find_value(rows, "name", name, "sid")
    verdict = [band for band, lowest in BANDS.items() if score >= lowest][-1]
    return {"sid": sid, "state": "completed", "max_score": score, "verdict": verdict}


def _expect_project(name: str, result: dict[str, Any], state: Tables) -> dict[str, Any]:
    rows = state["ayon"]["projects"]
    return {"name": name, "code": _find_value(rows, "name", name, "code") and get_code(name), "created": True}


def _expect_update(name: str, result: dict[str, Any], state: Tables) -> dict[str, Any]:
    rules, requests = state["rudder"]["rules"], state["rudder"]["change requests"]
    is_enabled = _find_value(rules, "id", name, "enabled") is True
    outcome = result.get("outcome") if result.get("outcome") in RULE_OUTCOMES else RULE_OUTCOMES[0]
    number = _find_value(requests, "rule", name, "id") if result.get("change_request_id") else None
    is_deployed = _find_value(requests, "rule", name, "status") == "Deployed"
    outcome = outcome if is_enabled and is_deployed else "pending"
    return {"rule_id": name, "outcome": outcome, "change_request_id": number}


def _expect_sync(name: str, result: dict[str, Any], state: Tables) -> dict[str, Any]:
    stored = sum(row["number"].startswith(f"{name}_") for row in state["atrocore"]["products"])
    written = sum(result.get(field, 0) for field in ("created", "updated", "unchanged"))
    failed = PRODUCTS_PER_TASK - min(stored, written)
    others = dict.fromkeys(("ambiguous", "skipped", "conflict", "altered"), 0)
    return {"total": PRODUCTS_PER_TASK, "failed": failed, **others}


def _find_value(rows: list[dict[str, Any]], key: str, name: str, field: str) -> Any:
    """Return a field of the first row of an item, or None if there is no row."""
    return next((row[field] for row in rows if row[key] == name), None)


_CHECKS: dict[str, Check] = {
    "submit_blocking": _expect_analysis,
    "submit_deferred": _expect_analysis,
    "create_project": _expect_project,
    "change_rule_blocking": _expect_update,
    "change_rule_deferred": _expect_update,
    "sync_products": _expect_sync,
}
