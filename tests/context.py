"""The context of a task, as far as operators look at it: what Airflow would give them, without an Airflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Ti:
    """What an operator needs of a task instance."""

    dag_id: str = "dag"
    run_id: str = "run"
    task_id: str = "task"
    map_index: int = -1
    try_number: int = 1
    max_tries: int = 0
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


def context(operator: Any, **of_ti: Any) -> Any:
    return {"ti": Ti(**of_ti), "task": operator}
