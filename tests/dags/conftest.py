"""The runs in the shared Airflow: all that the selected tests need are started at once, before the first test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from demo.environment import Environment
from self_hosted.assemblyline.hook import AssemblylineHook
from tests.dags.approval_run import ApprovalRun
from tests.dags.environment import EXAMPLES
from tests.dags.lab import Lab, start_runs
from tests.dags.operators_run import OperatorsRun, start_operators_run
from tests.dags.wait_run import WaitRun

STARTED = ("example_runs", "operators_run", "lab", "wait_runs", "approval_runs", "erp_run")
"""The fixtures that start runs and do not wait for their end."""


@pytest.fixture(scope="session")
def started_runs(request: pytest.FixtureRequest) -> None:
    """Start the runs of all selected tests, so that they proceed beside each other."""
    needed = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in STARTED:
        if name in needed:
            request.getfixturevalue(name)


@pytest.fixture(autouse=True)
def _start_runs(request: pytest.FixtureRequest) -> None:
    """Start all runs before the first test of the shared Airflow."""
    if "environment" in request.fixturenames:
        request.getfixturevalue("started_runs")


@pytest.fixture(scope="session")
def example_runs(environment: Environment) -> dict[str, str]:
    """The runs of the example DAGs of single products: DAG id -> run id."""
    dag_ids = sorted(path.stem for path in EXAMPLES.glob("example_*.py"))
    return {dag_id: environment.airflow.api.trigger_run(dag_id) for dag_id in dag_ids}


@pytest.fixture(scope="session")
def operators_run(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[OperatorsRun, Future[None]]]:
    """The run of the DAG with every operator and sensor of Assemblyline, and the future of its end."""
    with start_operators_run(environment, tmp_path_factory.mktemp("case")) as started:
        yield started


@pytest.fixture(scope="session")
def hook(environment: Environment) -> Iterator[AssemblylineHook]:
    """A hook for the sandbox's Assemblyline."""
    connection = json.dumps(environment.get_connections()["assemblyline_default"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_SHARED_ASSEMBLYLINE", connection)
        yield AssemblylineHook("shared_assemblyline")


@pytest.fixture(scope="session")
def lab(environment: Environment, hook: AssemblylineHook) -> Lab:
    """The folders and runs of the example DAGs for a security team."""
    lab = Lab(environment, environment.airflow.home.parent / "srv", hook)
    start_runs(lab)
    return lab


@pytest.fixture(scope="session")
def wait_runs(environment: Environment) -> dict[str, WaitRun]:
    """Runs that wait, by the test that they are for."""
    return {
        "mark worker": WaitRun(environment, "worker"),
        "mark triggerer": WaitRun(environment, "triggerer"),
        "clear worker": WaitRun(environment, "worker"),
        "clear triggerer": WaitRun(environment, "triggerer"),
        "kill": WaitRun(environment, "worker"),
        "finish": WaitRun(environment, "worker", seconds=0),
    }


@pytest.fixture(scope="session")
def approval_runs(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ApprovalRun]:
    """A run that a person will approve, and one that is rejected, by the answer."""
    folder = tmp_path_factory.mktemp("supplier")
    return {
        "Approve": ApprovalRun(environment, folder, ["OK-1", "OK-2", "OK-3"]),
        "Reject": ApprovalRun(environment, folder, ["NO-1"]),
    }


@pytest.fixture(scope="session")
def erp_run(environment: Environment) -> str:
    """The run that syncs AtroCore's products with a database."""
    return environment.airflow.api.trigger_run("atrocore_erp_sync")


@pytest.fixture(scope="session")
def delivery_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the deliveries to the joined DAG."""
    return tmp_path_factory.mktemp("deliveries") / "delivery"
