"""Sensors of the toy product, and how Airflow runs them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.triggers.base import TriggerEvent

from self_hosted.core.imports import import_string
from tests.core.toy import JobSensor, Toy, ToyHook


def make_sensor(**arguments: Any) -> JobSensor:
    return JobSensor(**{"task_id": "wait", "job_id": "a", "poke_interval": 0.05, "deferrable": False, **arguments})


def expected_result(hook: ToyHook) -> dict[str, str]:
    return {"state": "done", "url": f"{hook.settings.address.base_url}/jobs/a"}


def seed_job(toy: Toy, polls: int, state: str = "done") -> None:
    toy.seed({"jobs": {"a": {"polls": polls, "state": state}}})


def execute_to_end(waiting: JobSensor, context: Any) -> Any:
    """Execute to the end, including a deferral."""
    try:
        return waiting.execute(context)
    except TaskDeferred as deferral:
        event = run_trigger(deferral.trigger)
        return waiting.execute_complete(context, event=event.payload)


def run_trigger(trigger: Any) -> TriggerEvent:
    path, arguments = trigger.serialize()
    [only] = asyncio.run(collect_events(import_string(path)(**json.loads(json.dumps(arguments)))))
    return only


async def collect_events(trigger: Any) -> list[TriggerEvent]:
    return [event async for event in trigger.run()]
