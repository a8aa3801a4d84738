"""Taking in a delivery: one run of the joint DAG, and what the products hold afterwards."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from demo.program import ProgramFailed
from demo.world import Tables, World

DAG = "asset_pack_intake"
PROJECT, RULE = "Maeuseburg", "b2c1f8de-0c5a-4f0e-9d6b-7a1d3e5f9c01"  # the defaults of the DAG's params
MALICIOUS = 1000  # Assemblyline's lowest score for this verdict
TIMEOUT = 300.0  # seconds; a run takes about 20
WAITING = {None, "scheduled", "queued"}  # states in which nothing happens yet


@dataclass(frozen=True)
class Delivered:
    """One run of the DAG.

    :param run_id: its id
    :param state: how it ended
    :param tasks: its task instances
    :param products: what the sandbox held afterwards
    :param catalogue: the delivered catalogue
    """

    run_id: str
    state: str
    tasks: list[dict[str, Any]]
    products: Tables
    catalogue: Path

    @cached_property
    def numbers(self) -> Counter[str]:
        """How often each product number occurs in the catalogue."""
        with self.catalogue.open(newline="", encoding="utf-8") as sheet:
            return Counter(row["number"] for row in csv.DictReader(sheet))

    @property
    def scans(self) -> dict[str, int]:
        """The files that this run had scanned, and their scores."""
        rows = self.products["assemblyline"]["submissions"]
        return {row["name"]: row["max_score"] for row in rows if self.run_id in row["metadata"]}

    @property
    def malicious(self) -> list[str]:
        """The files that Assemblyline found malicious."""
        return [name for name, score in self.scans.items() if score >= MALICIOUS]

    @property
    def projects(self) -> list[dict[str, Any]]:
        """The project in AYON."""
        return [row for row in self.products["ayon"]["projects"] if row["name"] == PROJECT]

    @property
    def rule(self) -> dict[str, Any]:
        """The rule in Rudder."""
        return next(row for row in self.products["rudder"]["rules"] if row["id"] == RULE)

    @property
    def synced(self) -> list[dict[str, Any]]:
        """The catalogue's products in AtroCore."""
        return [row for row in self.products["atrocore"]["products"] if row["number"] in self.numbers]

    def states(self, task_id: str) -> list[str]:
        """How the instances of a task ended."""
        return [task["state"] for task in self.tasks if task["task_id"] == task_id]

    @property
    def tried_twice(self) -> list[str]:
        """The tasks that needed more than one try."""
        return [name_of(task) for task in self.tasks if task["try_number"] > 1]


def take_in(running: World, folder: Path, run_id: str, tell: Callable[[str], None] = print) -> Delivered:
    """Run the DAG on a delivery, telling each task's change of state, and wait for its end.

    :param running: Airflow and sandbox
    :param folder: the delivery
    :param run_id: the run's id
    :param tell: takes lines of text
    """
    api, began = running.airflow.api, time.monotonic()
    api.trigger(DAG, {"delivery": str(folder)}, run_id)
    told: dict[tuple[str, int], str] = {}
    tasks: list[dict[str, Any]] = []
    for tasks in api.watch(DAG, run_id, TIMEOUT):
        running.airflow.check()
        for task in tasks:
            key, state = (task["task_id"], task["map_index"]), task["state"]
            if state not in {*WAITING, told.get(key)}:
                tell(f"{time.monotonic() - began:6.1f} s  {name_of(task):24} {state}")
                told[key] = state
    by_start = sorted(tasks, key=lambda task: task["start_date"] or "9")  # the last: those that never began
    return Delivered(run_id, api.state(DAG, run_id), by_start, running.state(), folder / "catalogue.csv")


def await_dag(running: World, dag_id: str = DAG) -> None:
    """Wait until Airflow has read a DAG."""
    deadline = time.monotonic() + TIMEOUT
    while dag_id not in running.airflow.api.dags():
        for error in running.airflow.api.import_errors():
            raise ProgramFailed(f"Airflow cannot read {error['filename']}:\n{error['stack_trace']}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"Airflow did not read {dag_id} in {TIMEOUT:.0f} s")
        running.airflow.check()
        time.sleep(0.3)


def name_of(task: dict[str, Any]) -> str:
    """A task instance as the UI names it: a mapped one by its file, once Airflow has rendered that."""
    name, index = str(task["task_id"]), task["map_index"]
    return name if index < 0 else f"{name} {task.get('rendered_map_index') or index}"
