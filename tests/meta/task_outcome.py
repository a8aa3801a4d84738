"""What a task does with its arguments: the flows that it runs, with their arguments, and how it ends."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from airflow.providers.common.compat.sdk import AirflowException, TaskDeferred

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.sensor import SelfHostedSensor
from self_hosted.core.wait.observation import Observation
from tests.context import context

MAX_DEPTH = 8
GENERATED = re.compile(
    r"[0-9A-Za-z]{20,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{10}\.\d+"
    r"|(?!2020)\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*"
)
"""Ids and times that differ from run to run; the times in the arguments are of 2020."""

REMAINING_TIMES = {"quota_timeout"}
"""Arguments of flows that are seconds from now to a deadline."""

PLAIN_TYPES = (str, int, float, bool, bytes, type(None))


class Outcome:
    """What a task did.

    :param given: a text of all arguments; generated ids that occur in it are compared, too
    """

    def __init__(self, given: str) -> None:
        self.given = given
        self.flows: list[str] = []
        self.end = ""
        self.argument_error: str | None = None
        """The message of the error that rejects an argument."""

    def record_flow(self, flow: Any) -> None:
        """Record a flow before it runs.

        :param flow: a generator
        """
        given = {name: value for name, value in inspect.getgeneratorlocals(flow).items() if name not in REMAINING_TIMES}
        self.flows.append(f"{flow.__qualname__} {self.describe(given)}")

    def describe(self, value: Any) -> str:
        """Return a text that differs if a value or its type differs.

        :param value: any
        """
        return GENERATED.sub(lambda found: found[0] if found[0] in self.given else "~", repr(_freeze(value)))

    def __str__(self) -> str:
        return "\n".join([*sorted(self.flows), self.end])


def _freeze(value: Any, depth: int = 0) -> Any:
    """Return a value made of plain types, the same for equal arguments."""
    if isinstance(value, PLAIN_TYPES) or depth > MAX_DEPTH:
        return value if isinstance(value, PLAIN_TYPES) else type(value).__name__
    if isinstance(value, datetime | timedelta | PurePath):
        return f"{type(value).__name__} {value}"
    if isinstance(value, Mapping):
        frozen = {repr(name): _freeze(item, depth + 1) for name, item in value.items()}
        return dict(sorted(frozen.items()))  # a JSON filter sorts names
    if isinstance(value, list | tuple) and type(value) in {list, tuple}:
        return [_freeze(item, depth + 1) for item in value]
    if isinstance(value, Set):
        return sorted(repr(_freeze(item, depth + 1)) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, [_freeze(getattr(value, each.name), depth + 1) for each in fields(value)]]
    if isinstance(value, tuple):  # a named one
        return [type(value).__name__, [_freeze(item, depth + 1) for item in value]]
    if inspect.isgenerator(value):
        return [value.__qualname__, _freeze(inspect.getgeneratorlocals(value), depth + 1)]
    return getattr(value, "__qualname__", None) or type(value).__name__


def find_outcome(task: Any, given: str, observation: Observation) -> Outcome:
    """Execute a task against its server, up to its deferral, and return what it did.

    :param task: its templates are rendered
    :param given: see `Outcome`
    :param observation: the last observation of a sensor
    """
    outcome = Outcome(given)
    try:
        _record_flows(task, outcome)  # creates the hook, which needs a valid connection id
        outcome.end = f"result {outcome.describe(task.execute(context(task)))}"
    except TaskDeferred as deferral:
        outcome.end = f"deferred {outcome.describe([*_describe_deferral(deferral, observation)])}"
    except (AirflowException, SelfHostedError, ValueError) as error:
        outcome.end = f"{type(error).__name__} {outcome.describe(str(error))}"
        reason = error if isinstance(error, ValueError) else error.__cause__
        is_of_server = isinstance(reason, SelfHostedError) or reason is None
        outcome.argument_error = None if is_of_server else str(error)
    return outcome


def _record_flows(task: Any, outcome: Outcome) -> None:
    hook = task.hook
    run: Callable[[Any], Any] = hook.run

    def run_and_record(flow: Any) -> Any:
        outcome.record_flow(flow)
        return run(flow)

    hook.run = run_and_record


def _describe_deferral(deferral: TaskDeferred, observation: Observation) -> Iterator[Any]:
    """Yield what a triggerer and the worker after it do."""
    path, stored = deferral.trigger.serialize()
    arguments = json.loads(json.dumps(stored))
    yield path, arguments["deadline"] - arguments["since"] if "deadline" in arguments else None
    if "sensor" not in arguments:
        yield {name: value for name, value in arguments.items() if name not in {"since", "deadline"}}
        return
    trigger = import_string(path)(**arguments)
    sensor: SelfHostedSensor = import_string(trigger.sensor)(task_id="task", **trigger.arguments)
    sensor.validate()
    yield sensor.external_id(), sensor.conn_id, trigger.poke_interval, trigger.timeout
    try:
        yield sensor.build_result(observation, "http://server")
    except Exception as error:
        yield repr(error)
