"""The context of a task, as far as operators use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass
class FakeTaskInstance:
    """The parts of a task instance that an operator uses."""

    run_id: str
    dag_id: str = "dag"
    task_id: str = "task"
    map_index: int = -1
    max_tries: int = 0
    try_number: int = 1
    log_url: str = "http://airflow.example.com/dags/dag"
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        """Store an XCom."""
        self.xcoms[key] = value


@dataclass
class FakeDagRun:
    """The parts of a DAG run that an operator uses."""

    start_date: datetime
    run_after: datetime


def build_context(task: Any, run_id: str) -> Any:
    """Return the context of a task's first try.

    :param task: the operator
    :param run_id: distinguishes the work of this run from that of others
    """
    now = datetime.now(UTC)
    return {"ti": FakeTaskInstance(run_id), "task": task, "dag_run": FakeDagRun(now, now)}
