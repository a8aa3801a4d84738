"""The run of the DAG with every operator and sensor of Assemblyline."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from airflow_client.client import TaskInstanceApi

from demo.api import AirflowApi, Task
from demo.environment import Environment
from tests.dags.environment import TIMEOUT_SECONDS

DAG_ID = "every_operator"
MAPPED = {"urls", "ingested"}
SAMPLE = b"EvilCorp RIG-SCORE:1200"
ZIP_PASSWORD = "a-password-of-zips"  # a secret of this test only
FILES = {
    "sample.exe": SAMPLE,
    "rule.yar": b'rule evil { strings: $a = "EvilCorp" condition: $a }',
    "delivery/one.txt": b"harmless",
    "delivery/two.txt": b"RIG-SCORE:350",
    "delivery/empty.txt": b"",
    "intake/three.txt": b"harmless, too",
    "intake/four.txt": b"RIG-FAIL",
}
"""The files that the DAG reads, by name."""


@dataclass
class OperatorsRun:
    """A run of the DAG.

    :param environment: Airflow and the sandbox
    :param folder: the folder that the run reads and writes
    :param run_id: its id
    :param tasks: its task instances, at its end
    :param triggers: all rows of Airflow's table of triggers during the run
    """

    environment: Environment
    folder: Path
    run_id: str
    tasks: list[Task] = field(default_factory=list)
    triggers: set[str] = field(default_factory=set)
    is_stopped: Event = field(default_factory=Event)

    def watch(self) -> None:
        """Record tasks and triggers until the end of the run, or until a test session ends early."""
        api = AirflowApi(self.environment.airflow.url)  # of this thread
        for tasks in api.watch_run(DAG_ID, self.run_id, TIMEOUT_SECONDS):
            self.tasks = tasks
            self.triggers.update(str(row) for row in self.query_database("SELECT * FROM trigger"))
            if self.is_stopped.is_set():
                return

    def list_instances(self, task_id: str) -> list[Task]:
        """Return the instances of a task."""
        return [task for task in self.tasks if task.task_id == task_id]

    @cached_property
    def results(self) -> dict[str, Any]:
        """The result of each task; a list for mapped ones."""
        api = self.environment.airflow.api
        task_ids = {task.task_id for task in self.tasks}
        results = {name: [api.get_result(task) for task in self.list_instances(name)] for name in task_ids}
        return {name: found if name in MAPPED else found[0] for name, found in results.items()}

    def list_results(self, task_id: str) -> list[dict[str, Any]]:
        """Return the results of all instances of a task."""
        found = self.results[task_id]
        return found if isinstance(found, list) else [found]

    def get_rendered_fields(self, task_id: str) -> dict[str, Any]:
        """Return the arguments of a task as Airflow shows them."""
        api = TaskInstanceApi(self.environment.airflow.api.client)
        return api.get_task_instance(DAG_ID, self.run_id, task_id).rendered_fields or {}

    def read_lines(self, name: str) -> list[dict[str, Any]]:
        """Return the contents of a JSONL file that the run has written."""
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    def query_database(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows of Airflow's database."""
        database = f"file:{self.environment.airflow.home}/airflow.db?mode=ro"
        with closing(sqlite3.connect(database, uri=True, timeout=60)) as connection:
            return list(connection.execute(statement))


@contextmanager
def start_operators_run(environment: Environment, folder: Path) -> Generator[tuple[OperatorsRun, Future[None]]]:
    """Write the files of the DAG, start a run, and watch it in a thread during the block.

    :param environment: Airflow and the sandbox
    :param folder: an empty folder for the files
    :return: the run, and the future of its end
    """
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    environment.airflow.api.create_connection("quarantine", {"conn_type": "generic", "password": ZIP_PASSWORD})
    environment.airflow.wait_for_dag(DAG_ID)
    run = OperatorsRun(environment, folder, environment.airflow.api.trigger_run(DAG_ID, {"folder": str(folder)}))
    with ThreadPoolExecutor(1, "operators-run") as pool:
        try:
            yield run, pool.submit(run.watch)
        finally:
            run.is_stopped.set()
