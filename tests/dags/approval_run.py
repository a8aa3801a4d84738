"""Runs of the example DAG in which a person approves or rejects the changes of a supplier's file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from demo.api import Task
from demo.environment import Environment
from tests.dags.environment import TIMEOUT_SECONDS, wait_until

DAG_ID = "atrocore_supplier_approval"
WAITING = {"awaiting_input", "deferred"}  # since Airflow 3.3, and before


class ApprovalRun:
    """A run for a file with one product per key.

    :param environment: Airflow and the sandbox
    :param folder: the folder of the file
    :param keys: article numbers
    """

    def __init__(self, environment: Environment, folder: Path, keys: Sequence[str]) -> None:
        self.api, self.keys = environment.airflow.api, keys
        self.environment = environment
        file = folder / f"{keys[0]}.xlsx"
        book = openpyxl.Workbook()
        book.active.append(["Artikelnummer", "Bezeichnung", "Preis", "Bestand"])
        for number, key in enumerate(keys, 1):
            book.active.append([key, f"Größe {number}", f"{number},50", number])
        book.save(file)
        self.run_id = self.api.trigger_run(DAG_ID, {"file": str(file)})

    def find_task(self, task_id: str) -> Task:
        """Return a task instance."""
        return next(task for task in self.api.list_tasks(DAG_ID, self.run_id) if task.task_id == task_id)

    def wait_for_question(self) -> Task:
        """Return the task that asks a person, as soon as it does."""
        return wait_until(self._find_question)  # type: ignore[no-any-return]

    def answer(self, option: str) -> dict[str, str | None]:
        """Answer through the API, and return the state of each task at the end of the run."""
        return self.follow(lambda question: self.api.answer(question, option))

    def follow(self, respond: Callable[[Task], None]) -> dict[str, str | None]:
        """Respond to each question, and return the state of each task at the end of the run.

        Airflow may consider a task lost that is answered within a second of its question: its next try asks again.
        """
        answered, tasks = set[int](), list[Task]()
        for tasks in self.api.watch_run(DAG_ID, self.run_id, TIMEOUT_SECONDS):
            question = next(task for task in tasks if task.task_id == "approve")
            if question.state in WAITING and question.try_number not in answered:
                respond(question)
                answered.add(question.try_number)
        return {task.task_id: task.state for task in tasks}

    def list_errors(self) -> dict[str, str]:
        """Return the error of each task that has failed."""
        tasks = self.api.list_tasks(DAG_ID, self.run_id)
        return {task.task_id: self.api.get_error(task) for task in tasks if task.state == "failed"}

    def find_products(self) -> list[dict[str, Any]]:
        """Return the products of the run in AtroCore."""
        products = self.environment.get_state()["atrocore"]["products"]
        return [product for product in products if product["number"] in self.keys]

    def _find_question(self) -> Task | None:
        task = self.find_task("approve")
        return task if task.state in WAITING else None
