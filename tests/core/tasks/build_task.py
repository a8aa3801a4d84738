"""The toy's waiting operator, executed and resumed as Airflow does it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.core.imports import import_string
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from tests.core.toy import BuildAndWaitOperator


def make_operator(**arguments: Any) -> BuildAndWaitOperator:
    return BuildAndWaitOperator(**{"task_id": "build", "job": "house", "poll_interval": 0.05, **arguments})


def execute_until_deferred(operator: BuildAndWaitOperator, context: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(context)
    return deferral.value


def resume(operator: WaitingOperator, context: Any, deferral: TaskDeferred) -> Any:
    """Resume the task as Airflow does: restore the trigger, run it, and pass its event to the method."""

    async def collect_events() -> Any:
        path, arguments = deferral.trigger.serialize()
        return [event async for event in import_string(path)(**arguments).run()]

    [event] = asyncio.run(collect_events())
    return getattr(operator, deferral.method_name)(context, event=event.payload, **(deferral.kwargs or {}))
