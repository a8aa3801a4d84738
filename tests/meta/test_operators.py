"""What every operator and sensor of every product keeps to."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG
from airflow.serialization import serialized_objects

from self_hosted.core.hook import ProductHook
from self_hosted.core.operator import ProductOperator
from self_hosted.core.question import Question, imported
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.waiting import WaitingOperator
from tests.meta.code import PRODUCTS, classes, own_parameters

# Airflow 3.1 has no DagSerialization yet
DagSerialization: Any = vars(serialized_objects).get("DagSerialization") or vars(serialized_objects)["SerializedDAG"]
OPERATORS = [one for product in PRODUCTS for one in classes(product, "operators", ProductOperator)]
SENSORS = [one for product in PRODUCTS for one in classes(product, "sensors", ProductSensor)]
TASKS = [*OPERATORS, *SENSORS]
QUESTIONS = [
    (product, name, question)
    for product in PRODUCTS
    for name, question in vars(__import__(f"self_hosted.{product}.triggers", fromlist=["x"])).items()
    if isinstance(question, Question)
]


def name_of(one: type) -> str:
    return one.__name__


every_task = pytest.mark.parametrize("task_class", TASKS, ids=name_of)


def product_of(task_class: type) -> str:
    return task_class.__module__.split(".")[1]


def needed(task_class: Any) -> list[str]:
    """The arguments without a default."""
    empty = inspect.Parameter.empty
    return [one.name for one in own_parameters(task_class.__init__) if one.default is empty]


def arguments(task_class: Any) -> dict[str, Any]:
    """Words for all of them; nothing is checked before the task runs."""
    return dict.fromkeys(needed(task_class), "word")


def round_trip(dag: DAG) -> Any:
    stored = json.loads(json.dumps(DagSerialization.to_dict(dag)))
    return DagSerialization.from_dict(stored)


def dag() -> DAG:
    return DAG("serialised", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))


def test_every_product_has_operators():
    assert {product_of(one) for one in OPERATORS} == set(PRODUCTS)


@every_task
def test_arguments_are_given_by_name(task_class):
    kinds = {one.name: one.kind for one in own_parameters(task_class.__init__)}
    assert [name for name, kind in kinds.items() if kind is not inspect.Parameter.KEYWORD_ONLY] == []


@every_task
def test_every_argument_is_annotated_and_described(task_class):
    hidden = [one for one in own_parameters(task_class.__init__) if one.annotation is inspect.Parameter.empty]
    assert hidden == []
    words = task_class.__doc__ or ""
    assert [one.name for one in own_parameters(task_class.__init__) if f":param {one.name}:" not in words] == []


@every_task
def test_no_description_is_left_of_an_argument_that_is_gone(task_class):
    known = {one.name for base in task_class.__mro__ for one in own_parameters(base.__init__)}
    described = {
        line.split(":")[1].removeprefix("param ")
        for line in (task_class.__doc__ or "").split("\n")
        if ":param " in line
    }
    assert described - known == set()


@every_task
def test_the_connection_is_an_argument_with_the_usual_default(task_class):
    product = product_of(task_class)
    defaults = {one.name: one.default for one in own_parameters(task_class.__init__)}
    assert defaults[f"{product}_conn_id"] == f"{product}_default"


@every_task
def test_the_constructor_only_stores(task_class):
    [function] = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(task_class.__init__)))).body
    assert isinstance(function, ast.FunctionDef)
    for statement in function.body:
        if isinstance(statement, ast.Expr):
            assert ast.unparse(statement).startswith(("super().__init__(", "'")), ast.unparse(statement)
        else:
            assert isinstance(statement, ast.Assign | ast.AnnAssign), ast.unparse(statement)
            assert not any(isinstance(node, ast.Call | ast.Await) for node in ast.walk(statement)), ast.unparse(
                statement
            )


@every_task
def test_what_is_templated_exists(task_class):
    task = task_class(task_id="task", **arguments(task_class))
    assert len(task.template_fields) > 0
    assert [name for name in task.template_fields if not hasattr(task, name)] == []


@every_task
def test_it_survives_the_serialisation_of_dags(task_class):
    with dag() as given:
        task_class(task_id="task", **arguments(task_class))
    task = round_trip(given).get_task("task")
    assert task.task_type == task_class.__name__
    assert tuple(task.template_fields) == tuple(task_class.template_fields)


@every_task
def test_it_can_be_mapped(task_class):
    [mapped, *others] = needed(task_class) or [f"{product_of(task_class)}_conn_id"]
    with dag() as given:
        task_class.partial(task_id="task", **dict.fromkeys(others, "word")).expand(**{mapped: ["one", "two"]})
    task = round_trip(given).get_task("task")
    assert task.is_mapped


@pytest.mark.parametrize("operator", OPERATORS, ids=name_of)
def test_an_operator_has_the_products_hook_and_link(operator):
    product = product_of(operator)
    hook_class = imported(operator.hook_class)
    assert issubclass(hook_class, ProductHook)
    assert hook_class.__module__.startswith(f"self_hosted.{product}.hook")
    links = [type(link).__name__ for link in operator.operator_extra_links]
    assert links == [f"{product.capitalize()}Link"]


@pytest.mark.parametrize(
    "task_class", [*SENSORS, *(one for one in OPERATORS if issubclass(one, WaitingOperator))], ids=name_of
)
def test_who_waits_has_a_question_of_its_own_product(task_class):
    assert isinstance(imported(task_class.question), Question)
    assert task_class.question.startswith(f"self_hosted.{product_of(task_class)}.triggers.")


@pytest.mark.parametrize(("product", "name", "question"), QUESTIONS)
def test_a_question_is_asked_by_flows_of_its_own_product(product, name, question):
    assert imported(f"self_hosted.{product}.triggers.{name}") is question
    assert imported(question.hook).form.conn_type == product
    assert inspect.isgeneratorfunction(question.ask)
    assert question.cancel is None or inspect.isgeneratorfunction(question.cancel)
    assert question.thing
    assert question.chunk > 0
