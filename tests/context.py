"""The context of a task, as far as operators look at it, and its execution: as Airflow would, without an Airflow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.triggers.base import TaskSuccessEvent

from self_hosted.core.question import imported


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


def executed(make: Callable[[], Any], told: Any = None) -> Any:
    """The result of a task: in a worker or, deferred, by its trigger; both make a new one, and store plain JSON.

    :param make: makes the operator or sensor
    :param told: its context
    """
    task = make()
    told = told or context(task)
    try:
        return task.execute(told)
    except TaskDeferred as deferral:
        event = asyncio.run(first_event(deferral.trigger))
        if isinstance(event, TaskSuccessEvent):
            return (event.xcoms or {})["return_value"]
        payload = json.loads(json.dumps(event.payload))
        return getattr(make(), deferral.method_name)(told, payload, **(deferral.kwargs or {}))


async def first_event(trigger: Any) -> Any:
    """The event of a trigger, made anew from what is stored of it."""
    path, arguments = json.loads(json.dumps(trigger.serialize()))
    return await anext(aiter(imported(path)(**arguments).run()))
