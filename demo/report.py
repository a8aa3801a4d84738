"""What the two runs did in the four products, read back from the sandbox, and whether that is what they should do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from demo.delivery import DAG, Delivered, name_of
from demo.rest import Api
from demo.world import World

OUTCOMES: dict[str, Callable[[dict[str, Any]], str]] = {
    "scan": lambda result: str(result["verdict"]),
    "create_project": lambda result: "created" if result["created"] else "updated",
    "open_share": lambda result: f"{result['outcome']}: {', '.join(result['changed'])}",
    "sync_products": lambda result: (
        f"{result['created']} created, not unique and left alone: {', '.join(result['ambiguous_keys'])}"
    ),
}
"""What each task's result says, in words."""


def happened(running: World, run: Delivered) -> Iterator[str]:
    """What a run did, with links.

    :param running: Airflow and sandbox
    :param run: the run
    """
    yield f"{run.run_id}: {run.state}, {running.airflow.url}/dags/{DAG}/runs/{run.run_id}"
    for task in run.tasks:
        if task["task_id"] in OUTCOMES and task["state"] in {"success", "failed"}:
            yield f"    {name_of(task):20} {_outcome(running.airflow.api, task)}"
            yield from (f"    {'':20} {link}" for link in running.airflow.api.links(task))


def _outcome(api: Api, task: dict[str, Any]) -> str:
    if task["state"] == "failed":
        return f"failed: {api.error(task)}"
    return OUTCOMES[task["task_id"]](api.result(task))


def checks(flagged: Delivered, cleaned: Delivered) -> dict[str, bool]:
    """Sentences about what should have happened, and whether it did.

    :param flagged: the run on the delivery as it arrived
    :param cleaned: the run on the cleaned delivery
    """
    stopped = "failed" in flagged.states("scan") and flagged.states("create_project") == ["upstream_failed"]
    untouched = not (flagged.projects or flagged.rule["enabled"] or flagged.synced)
    scanned = len(cleaned.scans) == len(cleaned.states("scan")) and not cleaned.malicious
    reason = cleaned.rule["last reason"] or ""
    once = Counter(number for number, times in cleaned.numbers.items() if times == 1)
    return {
        "the first run failed at the scan": flagged.state == "failed" and stopped,
        "for documents.zip alone, which is malicious": flagged.malicious == ["documents.zip"],
        "and nothing was done in AYON, Rudder and AtroCore": untouched,
        "the second run succeeded, each of its files scanned once": cleaned.state == "success" and scanned,
        "AYON has the project, once": len(cleaned.projects) == 1,
        "Rudder's rule is enabled, and the reason names the run": cleaned.rule["enabled"] and cleaned.run_id in reason,
        "AtroCore has each product of the catalogue once, but for the number that two share": once
        == Counter(product["number"] for product in cleaned.synced),
        "no task was tried twice": not flagged.tried_twice + cleaned.tried_twice,
    }
