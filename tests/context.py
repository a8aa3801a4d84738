"""The context of a task, as far as operators use it, and the execution of a task without a running Airflow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.core.imports import import_string


@dataclass
class Ti:
    """The part of a task instance that operators use."""

    dag_id: str = "dag"
    run_id: str = "run"
    task_id: str = "task"
    map_index: int = -1
    try_number: int = 1
    max_tries: int = 0
    log_url: str = "http://airflow/dags/dag/runs/run/tasks/task"
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


@dataclass
class Run:
    """The part of a DAG run that operators use."""

    start_date: datetime = datetime(2026, 5, 1, 8, 0, 0, 123456, UTC)
    run_after: datetime = datetime(2026, 5, 1, 8, tzinfo=UTC)


def context(operator: Any, **of_ti: Any) -> Any:
    return {"ti": Ti(**of_ti), "task": operator, "dag_run": Run()}


def executed(make: Callable[[], Any], task_context: Any = None) -> Any:
    """Return the result of a task: from a worker, or, if it defers, from its trigger. Both store plain JSON.

    :param make: creates the operator or sensor
    :param task_context: its context
    """
    task = make()
    task_context = task_context or context(task)
    try:
        return task.execute(task_context)
    except TaskDeferred as deferral:
        event = asyncio.run(first_event(deferral.trigger))
        payload = json.loads(json.dumps(event.payload))
        return getattr(make(), deferral.method_name)(task_context, payload, **(deferral.kwargs or {}))


async def first_event(trigger: Any) -> Any:
    """Return the first event of a trigger that is recreated from its stored form."""
    path, arguments = json.loads(json.dumps(trigger.serialize()))
    return await anext(aiter(import_string(path)(**arguments).run()))
