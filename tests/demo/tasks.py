"""Task instances as Airflow's REST API returns them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from demo.api import Task


def task_json(task_id: str = "scan", **fields: Any) -> dict[str, Any]:
    """Return the JSON of a task instance that has succeeded at its first try, with other fields where given."""
    names = {"dag_id": "dag", "dag_display_name": "dag", "dag_run_id": "run", "task_id": task_id}
    values = {"id": str(uuid4()), "map_index": -1, "max_tries": 0, "try_number": 1, "state": "success"}
    rest = {"executor_config": "{}", "pool": "default_pool", "pool_slots": 1, "run_after": "2026-01-01T00:00:00Z"}
    return {**names, "task_display_name": task_id, **values, **rest, **fields}


def build_task(task_id: str = "scan", **fields: Any) -> Task:
    """Return a task instance that has succeeded at its first try, with other fields where given."""
    return Task.model_validate(task_json(task_id, **fields))
