"""A run that is deleted and created again with its id, in a real Airflow: it is other work than before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow_client import client

from demo.environment import Environment
from tests.dags.environment import TIMEOUT_SECONDS, wait_until

pytestmark = pytest.mark.airflow
DAG_ID, RUN_ID = "deliver", "delivery-x"


def deliver(environment: Environment, file: Path) -> Any:
    """Run the DAG, and return the result of its task."""
    api = environment.airflow.api
    api.trigger_run(DAG_ID, {"file": str(file)}, RUN_ID)
    *_, [task] = api.watch_run(DAG_ID, RUN_ID, TIMEOUT_SECONDS)
    assert task.state == "success", api.get_log(task)
    return api.get_result(task)


def read_scheduler_log(environment: Environment) -> str:
    return (environment.airflow.home / "logs" / "scheduler.log").read_text(encoding="utf-8", errors="replace")


def test_a_run_that_is_created_again_gets_the_verdict_of_its_own_file(environment: Environment, tmp_path: Path):
    environment.airflow.wait_for_dag(DAG_ID)
    file = tmp_path / "delivery.txt"
    file.write_text("clean", encoding="utf-8")
    first = deliver(environment, file)
    # a new task of the same name would be failed if the scheduler had not noticed the end of the old one (3.3.2)
    wait_until(lambda: f"TaskInstance Finished: dag_id={DAG_ID}," in read_scheduler_log(environment))
    client.DagRunApi(environment.airflow.api.client).delete_dag_run(DAG_ID, RUN_ID)
    file.write_text("RIG-SCORE:1000", encoding="utf-8")
    second = deliver(environment, file)
    assert (first["verdict"], second["verdict"]) == ("info", "malicious")
    # the submission of the deleted run is no duplicate
    sids = {row["sid"] for row in environment.get_state()["assemblyline"]["submissions"]}
    assert {first["sid"], second["sid"]} <= sids
