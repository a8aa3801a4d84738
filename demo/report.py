"""The effects of the two runs in the four products, read from the sandbox, compared with the expected ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from demo.api import AirflowApi, Task
from demo.environment import Environment
from demo.intake import DAG_ID, IntakeRun, get_display_name

RESULT_FORMATTERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "scan": lambda result: str(result["verdict"]),
    "create_project": lambda result: "created" if result["created"] else "updated",
    "open_share": lambda result: f"{result['outcome']}: {', '.join(result['changed'])}",
    "sync_products": lambda result: (
        f"{result['created']} created; skipped because not unique: {', '.join(_list_ambiguous_keys(result))}"
    ),
}
"""Task id -> the function that describes the task's result."""


def _list_ambiguous_keys(result: dict[str, Any]) -> list[str]:
    return sorted({problem["key"] for problem in result["problems"] if problem["result"] == "ambiguous"})


def describe_run(environment: Environment, run: IntakeRun) -> Iterator[str]:
    """Yield lines about the tasks of a run, with links.

    :param environment: Airflow and the sandbox
    :param run: the run
    """
    api = environment.airflow.api
    yield f"{run.run_id}: {run.state}, {environment.airflow.url}/dags/{DAG_ID}/runs/{run.run_id}"
    for task in run.tasks:
        if task.task_id in RESULT_FORMATTERS and task.state in {"success", "failed"}:
            yield f"    {get_display_name(task):20} {_describe_outcome(api, task)}"
            yield from (f"    {'':20} {link}" for link in api.list_links(task))


def _describe_outcome(api: AirflowApi, task: Task) -> str:
    if task.state == "failed":
        return f"failed: {api.get_error(task)}"
    return RESULT_FORMATTERS[task.task_id](api.get_result(task))


def check_runs(flagged: IntakeRun, clean: IntakeRun) -> dict[str, bool]:
    """Return sentences about the expected effects, and whether each is true.

    :param flagged: the run on the delivery with the malicious file
    :param clean: the run on the delivery without it
    """
    stopped = "failed" in flagged.get_states("scan") and flagged.get_states("create_project") == ["upstream_failed"]
    unchanged = not (flagged.projects or flagged.rule["enabled"] or flagged.synced_products)
    scanned = len(clean.scores) == len(clean.get_states("scan")) and not clean.malicious_files
    reason = clean.rule["last reason"] or ""
    unique = Counter(number for number, count in clean.number_counts.items() if count == 1)
    return {
        "The first run fails at the scan.": flagged.state == "failed" and stopped,
        "Only documents.zip is malicious.": flagged.malicious_files == ["documents.zip"],
        "The first run changes nothing in AYON, Rudder and AtroCore.": unchanged,
        "The second run succeeds and submits each file once.": clean.state == "success" and scanned,
        "The project exists once in AYON.": len(clean.projects) == 1,
        "The rule in Rudder is enabled, and the reason names the run.": clean.rule["enabled"]
        and clean.run_id in reason,
        "Each product with a unique number exists once in AtroCore.": unique
        == Counter(product["number"] for product in clean.synced_products),
        "No task is retried.": not flagged.retried_tasks + clean.retried_tasks,
    }
