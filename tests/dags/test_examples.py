"""The example DAGs of single products in a real Airflow: through API, scheduler, workers and triggerer."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from demo.environment import Environment
from tests.dags.environment import EXAMPLES, TIMEOUT_SECONDS

pytestmark = pytest.mark.airflow


@pytest.mark.parametrize("dag_id", sorted(path.stem for path in EXAMPLES.glob("example_*.py")))
def test_an_example_succeeds_at_the_first_try(environment: Environment, example_runs: dict[str, str], dag_id: str):
    api = environment.airflow.api
    *_, tasks = api.watch_run(dag_id, example_runs[dag_id], TIMEOUT_SECONDS)
    failed = [task for task in tasks if task.state not in {"success", "skipped"}]
    assert {task.task_id: api.get_error(task) for task in failed} == {}
    assert {task.try_number for task in tasks if task.state == "success"} == {1}


def test_airflow_listens_on_loopback_only(environment: Environment):
    pids = [pid for program in environment.airflow.programs for pid in program.pids]
    sockets = [socket for pid in pids for socket in list_sockets(pid)]
    assert {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def list_sockets(pid: int) -> list[Any]:
    """Return the internet sockets of a process, or none if it has ended since it was listed."""
    try:
        return list(psutil.Process(pid).net_connections("inet"))
    except psutil.NoSuchProcess:
        return []
