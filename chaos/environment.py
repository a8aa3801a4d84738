"""PostgreSQL, a restartable sandbox, and an Airflow that detects killed tasks quickly."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chaos.database import run_database
from chaos.sandbox import RestartableSandbox
from demo.airflow import Airflow
from demo.environment import Environment

CHECKOUT = Path(__file__).resolve().parent.parent
SETTINGS = {
    "AIRFLOW__CORE__PARALLELISM": 6,
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": 10_000,
    "AIRFLOW__CORE__MAX_MAP_LENGTH": 10_000,
    "AIRFLOW__TRIGGERER__CAPACITY": 10_000,
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 600,  # the DAGs do not change during a run
    # a task killed together with its worker is detected by its missing heartbeat; the default is 5 minutes
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 30,
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 5,
}


@dataclass(frozen=True)
class ChaosEnvironment(Environment):
    """A running Airflow and a sandbox that can be stopped and started.

    :param sandbox: the sandbox
    :param folder: the folder for all files of this run
    """

    sandbox: RestartableSandbox
    folder: Path


def create_run_folder(name: str) -> Path:
    """Create and return a new folder; those of earlier runs remain for inspection.

    :param name: prefix of the folder's name
    """
    folder = CHECKOUT / ".chaos" / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def run_environment(folder: Path, extra: Mapping[str, Any], settings: Mapping[str, Any]) -> Generator[ChaosEnvironment]:
    """Start all programs, and stop them at the end of the block.

    :param folder: the folder for all files
    :param extra: extra fields of all connections
    :param settings: additional environment variables of Airflow's processes
    :raises ProgramError: if a program fails to start
    """
    with run_database(folder / "postgresql.log") as url, RestartableSandbox(folder) as sandbox:
        variables = {**SETTINGS, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, **settings}
        with Airflow(folder / "airflow", CHECKOUT / "chaos" / "dags", 0, variables) as airflow:
            # stored in the database, not in environment variables, because the campaign changes them
            for conn_id, connection in sandbox.get("connections").items():
                airflow.api.create_connection(conn_id, add_extra(connection, extra))
            yield ChaosEnvironment(airflow, sandbox.url, sandbox, folder)


def add_extra(connection: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connection with extra fields, in addition to its own ones.

    :param connection: the connection, as in the JSON of ``AIRFLOW_CONN_...``
    :param extra: the extra fields
    """
    return {**connection, "extra": {**connection.get("extra", {}), **extra}}
