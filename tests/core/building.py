"""The toy's operator that waits, executed as Airflow does it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.core.question import imported
from self_hosted.core.waiting import WaitingOperator
from tests.core.toy import BuildAndWaitOperator


def building(**arguments: Any) -> BuildAndWaitOperator:
    return BuildAndWaitOperator(**{"task_id": "build", "job": "house", "poll_interval": 0.05, **arguments})


def deferred(operator: BuildAndWaitOperator, context: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferral:
        operator.execute(context)
    return deferral.value


def resumed(operator: WaitingOperator, context: Any, deferral: TaskDeferred) -> Any:
    """Go on as Airflow does: trigger from its stored form, its event as the argument of the method."""

    async def event() -> Any:
        path, arguments = deferral.trigger.serialize()
        return [event async for event in imported(path)(**arguments).run()]

    [only] = asyncio.run(event())
    return getattr(operator, deferral.method_name)(context, event=only.payload, **(deferral.kwargs or {}))
