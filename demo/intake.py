"""One run of the joint DAG on a delivery, and the contents of the products afterwards."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from demo.api import Task
from demo.environment import Environment, Tables

DAG_ID = "asset_pack_intake"
PROJECT, RULE_ID = "Maeuseburg", "b2c1f8de-0c5a-4f0e-9d6b-7a1d3e5f9c01"  # defaults of the DAG's params
MIN_MALICIOUS_SCORE = 1000  # Assemblyline's threshold for this verdict
TIMEOUT_SECONDS = 300.0  # a run takes about 20
PENDING_STATES = {None, "scheduled", "queued"}


@dataclass(frozen=True)
class IntakeRun:
    """One run of the DAG.

    :param run_id: its id
    :param state: its final state
    :param tasks: its task instances, in the order of their start
    :param products: contents of the sandbox afterwards
    :param catalogue: the delivered catalogue
    """

    run_id: str
    state: str
    tasks: list[Task]
    products: Tables
    catalogue: Path

    @cached_property
    def number_counts(self) -> Counter[str]:
        """The number of rows in the catalogue by product number."""
        with self.catalogue.open(newline="", encoding="utf-8") as sheet:
            return Counter(row["number"] for row in csv.DictReader(sheet))

    @property
    def scores(self) -> dict[str, int]:
        """The scores of the files that this run has submitted: file name -> score."""
        rows = self.products["assemblyline"]["submissions"]
        return {row["name"]: row["max_score"] for row in rows if self.run_id in row["metadata"]}

    @property
    def malicious_files(self) -> list[str]:
        """The names of the submitted files with the verdict malicious."""
        return [name for name, score in self.scores.items() if score >= MIN_MALICIOUS_SCORE]

    @property
    def projects(self) -> list[dict[str, Any]]:
        """The rows of the project in AYON."""
        return [row for row in self.products["ayon"]["projects"] if row["name"] == PROJECT]

    @property
    def rule(self) -> dict[str, Any]:
        """The rule in Rudder."""
        return next(row for row in self.products["rudder"]["rules"] if row["id"] == RULE_ID)

    @property
    def synced_products(self) -> list[dict[str, Any]]:
        """The catalogue's products in AtroCore."""
        return [row for row in self.products["atrocore"]["products"] if row["number"] in self.number_counts]

    def get_states(self, task_id: str) -> list[str | None]:
        """Return the states of a task's instances."""
        return [task.state.value if task.state else None for task in self.tasks if task.task_id == task_id]

    @property
    def retried_tasks(self) -> list[str]:
        """The names of the task instances with more than one try."""
        return [get_display_name(task) for task in self.tasks if task.try_number > 1]


def run_intake(
    environment: Environment, folder: Path, run_id: str, print_line: Callable[[str], None] = print
) -> IntakeRun:
    """Run the DAG on a delivery, print each state change of its tasks, and wait for its end.

    :param environment: Airflow and the sandbox
    :param folder: the delivery
    :param run_id: the id of the run
    :param print_line: prints a line of text
    :raises TimeoutError: if the run takes longer than five minutes
    """
    api, start = environment.airflow.api, time.monotonic()
    api.trigger_run(DAG_ID, {"delivery": str(folder)}, run_id)
    printed: dict[tuple[str, int], str] = {}
    tasks: list[Task] = []
    for tasks in api.watch_run(DAG_ID, run_id, TIMEOUT_SECONDS):
        environment.airflow.ensure_running()
        for task in tasks:
            key, state = (task.task_id, task.map_index), task.state
            if state not in {*PENDING_STATES, printed.get(key)} and state is not None:
                print_line(f"{time.monotonic() - start:6.1f} s  {get_display_name(task):24} {state.value}")
                printed[key] = state.value
    tasks.sort(key=lambda task: task.start_date or datetime.max.replace(tzinfo=UTC))
    return IntakeRun(
        run_id, api.get_run_state(DAG_ID, run_id), tasks, environment.get_state(), folder / "catalogue.csv"
    )


def get_display_name(task: Task) -> str:
    """Return the name of a task instance as in the UI: with the file of a mapped one, once Airflow has rendered it."""
    if task.map_index < 0:
        return task.task_id
    return f"{task.task_id} {task.rendered_map_index or task.map_index}"
