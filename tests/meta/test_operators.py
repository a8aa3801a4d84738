"""The common rules of all operators and sensors."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from self_hosted.core.connection.hook import SelfHostedHook
from self_hosted.core.imports import import_string
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from self_hosted.core.wait.spec import WaitSpec
from tests.meta.source import PRODUCTS, assert_none, list_arguments, list_parameters
from tests.meta.tasks import (
    OPERATORS,
    SENSORS,
    TASKS,
    create_dag,
    create_task,
    get_product,
    list_constructor_problems,
    list_described,
    list_required,
    round_trip,
)

PARAMETERS: list[tuple[Any, inspect.Parameter]] = [
    (task, parameter) for task in TASKS for parameter in list_arguments(task)
]
"""Every operator and sensor with each of its arguments."""


def test_every_product_has_operators_and_sensors():
    assert {get_product(operator) for operator in OPERATORS} == set(PRODUCTS)
    assert {get_product(sensor) for sensor in SENSORS} == set(PRODUCTS)


@pytest.mark.meta
def test_arguments_are_keyword_only():
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    assert_none(f"{task.__name__}.{found.name}" for task, found in PARAMETERS if found.kind is not keyword_only)


@pytest.mark.meta
def test_arguments_are_annotated():
    assert_none(f"{task.__name__}.{found.name}" for task, found in PARAMETERS if found.annotation is found.empty)


@pytest.mark.meta
def test_arguments_are_described():
    assert_none(f"{task.__name__}.{found.name}" for task, found in PARAMETERS if found.name not in list_described(task))


@pytest.mark.meta
def test_only_existing_arguments_are_described():
    for task in TASKS:
        bases: tuple[Any, ...] = task.__mro__
        existing = {found.name for base in bases for found in list_parameters(base.__init__)}
        assert_none(f"{task.__name__}.{name}" for name in sorted(list_described(task) - existing))


@pytest.mark.meta
def test_the_connection_is_an_argument_with_the_usual_default():
    defaults = {(task, found.name): found.default for task, found in PARAMETERS}
    expected = {(task, f"{get_product(task)}_conn_id"): f"{get_product(task)}_default" for task in TASKS}
    assert_none(f"{key[0].__name__}: {key[1]}" for key, value in expected.items() if defaults.get(key) != value)


@pytest.mark.meta
def test_constructors_only_store_their_arguments():
    assert_none(f"{task.__name__}: {problem}" for task in TASKS for problem in list_constructor_problems(task))


@pytest.mark.meta
def test_operators_have_the_hook_and_the_link_of_their_product():
    for operator in OPERATORS:
        product = get_product(operator)
        hook_class = import_string(operator.hook_class)
        assert issubclass(hook_class, SelfHostedHook), operator
        assert hook_class.__module__.startswith(f"self_hosted.{product}.hook"), operator
        links = [type(link).__name__ for link in operator.operator_extra_links]
        assert links == [f"{product.capitalize()}Link"], operator


@pytest.mark.meta
def test_waiting_tasks_have_a_wait_spec_of_their_product():
    for task in [*SENSORS, *(operator for operator in OPERATORS if issubclass(operator, WaitingOperator))]:
        assert isinstance(import_string(task.wait_spec), WaitSpec), task
        assert task.wait_spec.startswith(f"self_hosted.{get_product(task)}.waits."), task


def test_every_templated_field_exists():
    tasks = [create_task(task_class) for task_class in TASKS]
    assert_none(type(task).__name__ for task in tasks if not task.template_fields)
    assert_none(
        f"{type(task).__name__}.{name}" for task in tasks for name in task.template_fields if not hasattr(task, name)
    )


def test_tasks_survive_the_serialization_of_dags():
    for task_class in TASKS:
        with create_dag() as dag:
            create_task(task_class)
        task = round_trip(dag).get_task("task")
        assert task.task_type == task_class.__name__
        assert tuple(task.template_fields) == tuple(task_class.template_fields), task_class


def test_tasks_can_be_mapped():
    for task_class in TASKS:
        [mapped, *others] = list_required(task_class) or [f"{get_product(task_class)}_conn_id"]
        with create_dag() as dag:
            task_class.partial(task_id="task", **dict.fromkeys(others, "text")).expand(**{mapped: ["one", "two"]})
        assert round_trip(dag).get_task("task").is_mapped, task_class


class TestRules:
    """The rules that read source code report a violation."""

    def test_a_constructor_that_does_more_than_store_is_reported(self):
        class Bad:
            def __init__(self, *, path: str, **kwargs: object) -> None:
                super().__init__(**kwargs)
                self.path = path
                self.size = len(path)
                if path:
                    self.path = path

        assert list(list_constructor_problems(Bad)) == ["self.size = len(path)", "if path:\n    self.path = path"]

    def test_described_arguments_are_read_from_the_docstring(self):
        class Documented:
            """Do it.

            :param path: a file
            :return: nothing
            """

        assert list_described(Documented) == {"path"}
