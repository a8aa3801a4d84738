"""Every sensor and every operator that waits, deferred: in a real Airflow, and through ``dag.test()``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.environment import Environment
from self_hosted.core.tasks.waiting_operator import WaitingOperator
from tests.dags.deferred.every_deferred import SENSORS, operators
from tests.dags.deferred_run import DeferredSandbox, create_sensor_params, run_dag_test, run_deferred_sandbox
from tests.dags.environment import TIMEOUT_SECONDS
from tests.meta.tasks import OPERATORS, SENSORS as ALL_SENSORS

in_airflow = pytest.mark.airflow


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DeferredSandbox]:
    with run_deferred_sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an Airflow that only runs ``dag.test()``."""
    return tmp_path_factory.mktemp("dag_test")


def check_results(output: Path) -> None:
    """Check that a task and a template read the results as they are."""
    found = json.loads(output.read_text(encoding="utf-8"))
    for row in SENSORS:
        name = row.sensor.__name__
        result: Any = found["results"][name]
        assert type(result).__name__ == ("dict" if row.result_key else "str"), f"{name}: {result!r}"
        assert found["rendered"][name] == str(result[row.result_key] if row.result_key else result), name


def test_every_sensor_and_every_operator_that_waits_is_in_the_dags():
    waiting = {operator for operator in OPERATORS if issubclass(operator, WaitingOperator)}
    assert {row.sensor for row in SENSORS} == set(ALL_SENSORS)
    assert {type(task) for task in operators.tasks} == waiting


@in_airflow
@pytest.mark.joined
def test_results_of_deferred_sensors_are_read_as_they_are(
    environment: Environment, sandbox: DeferredSandbox, tmp_path: Path
):
    api, output = environment.airflow.api, tmp_path / "output.json"
    for name, connection in sandbox.connections.items():
        api.create_connection(name, connection)
    environment.airflow.wait_for_dag("every_sensor")
    run_id = api.trigger_run("every_sensor", create_sensor_params(sandbox, output))
    *_, tasks = api.watch_run("every_sensor", run_id, TIMEOUT_SECONDS)
    assert {task.task_id: api.get_error(task) for task in tasks if task.state != "success"} == {}
    check_results(output)


@in_airflow
def test_deferred_sensors_run_through_dag_test(sandbox: DeferredSandbox, home: Path, tmp_path: Path):
    output = tmp_path / "output.json"
    run_dag_test(sandbox, home, "every_sensor", create_sensor_params(sandbox, output))
    check_results(output)


@in_airflow
def test_deferred_operators_run_through_dag_test(sandbox: DeferredSandbox, home: Path, tmp_path: Path):
    params: dict[str, Any] = sandbox.create_operator_params(tmp_path)
    states = run_dag_test(sandbox, home, "every_deferred_operator", params)
    assert len(states) == len(operators.tasks)
