"""The operators and sensors of all products, and their constructors, for the tests of what they have in common."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.serialization import serialized_objects

from self_hosted.core.tasks.operator import SelfHostedOperator
from self_hosted.core.tasks.sensor import SelfHostedSensor
from tests.meta.source import PRODUCTS, find_classes, list_arguments

# Airflow 3.1 has no DagSerialization yet
DagSerialization: Any = vars(serialized_objects).get("DagSerialization") or vars(serialized_objects)["SerializedDAG"]
BASE_NAMES = {f"{product.capitalize()}{kind}" for product in PRODUCTS for kind in ("Operator", "Sensor")}


def find_tasks(module: str, base: type) -> list[type[Any]]:
    """Return the classes that DAGs use: without the base classes of each product.

    :param module: such as "operators"
    :param base: the base class
    """
    found = [(product, task) for product in PRODUCTS for task in find_classes(product, module, base)]
    return [
        task
        for product, task in found
        if task.__name__.startswith(product.capitalize()) and task.__name__ not in BASE_NAMES
    ]


OPERATORS = find_tasks("operators", SelfHostedOperator)
SENSORS = find_tasks("sensors", SelfHostedSensor)
TASKS = [*OPERATORS, *SENSORS]


def get_product(task_class: type) -> str:
    """Return the product of an operator or sensor."""
    return task_class.__module__.split(".")[1]


def list_required(task_class: Any) -> list[str]:
    """Return the arguments without a default."""
    parameters = list_arguments(task_class, "self_hosted")
    return [found.name for found in parameters if found.default is inspect.Parameter.empty]


def create_task(task_class: Any, **arguments: Any) -> Any:
    """Return a task with a text for every required argument; arguments are not validated before the task runs."""
    return task_class(task_id="task", **{**dict.fromkeys(list_required(task_class), "text"), **arguments})


def create_dag() -> DAG:
    """Return a DAG without tasks."""
    return DAG("serialized", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))


def round_trip(dag: DAG) -> Any:
    """Return a DAG after Airflow has stored it."""
    return DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))


def list_described(task_class: type) -> set[str]:
    """Return the arguments that the docstring of a class describes."""
    lines = (task_class.__doc__ or "").split("\n")
    return {line.split(":")[1].removeprefix("param ") for line in lines if ":param " in line}


def list_constructor_problems(task_class: Any) -> Iterator[str]:
    """Yield the statements of a constructor that do more than store its arguments."""
    [function] = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(task_class.__init__)))).body
    assert isinstance(function, ast.FunctionDef)
    for statement in function.body:
        text = ast.unparse(statement)
        is_call_of_base = isinstance(statement, ast.Expr) and text.startswith(("super().__init__(", "'"))
        if not is_call_of_base and not _is_plain_assignment(statement):
            yield text


def _is_plain_assignment(statement: ast.stmt) -> bool:
    calls = (isinstance(node, ast.Call | ast.Await) for node in ast.walk(statement))
    return isinstance(statement, ast.Assign | ast.AnnAssign) and not any(calls)
