"""Where it takes place: PostgreSQL, the sandbox, and an Airflow that soon notices what died."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chaos.database import database
from chaos.sandbox import KeptSandbox
from demo.airflow import Airflow
from demo.world import World

CHECKOUT = Path(__file__).resolve().parent.parent
SETTINGS = {
    "AIRFLOW__CORE__PARALLELISM": 6,
    "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": 10_000,
    "AIRFLOW__CORE__MAX_MAP_LENGTH": 10_000,
    "AIRFLOW__TRIGGERER__CAPACITY": 10_000,
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 600,  # nobody changes the DAGs meanwhile
    # whoever dies with its worker is noticed by its silence; the default is 5 minutes
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 30,
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 5,
}


@dataclass(frozen=True)
class Ground(World):
    """What runs.

    :param sandbox: the sandbox, which can be stopped and started
    :param folder: where all files of this campaign go
    """

    sandbox: KeptSandbox
    folder: Path


def new_folder(name: str) -> Path:
    """A folder that no other run has used; those of earlier runs stay, to look things up.

    :param name: what is run
    """
    folder = CHECKOUT / ".chaos" / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def ground(folder: Path, extra: Mapping[str, Any], settings: Mapping[str, Any]) -> Generator[Ground]:
    """Start everything, and end it at the end.

    :param folder: where all files go
    :param extra: extra fields of all connections
    :param settings: further environment variables of Airflow's processes
    :raises ProgramFailed: when something does not come up
    """
    with database(folder / "postgresql.log") as url, KeptSandbox(folder) as sandbox:
        ours = {**SETTINGS, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url, **connections(sandbox, extra), **settings}
        with Airflow(folder / "airflow", CHECKOUT / "chaos" / "dags", 0, ours) as airflow:
            yield Ground(airflow, sandbox.url, sandbox, folder)


def connections(sandbox: KeptSandbox, extra: Mapping[str, Any]) -> dict[str, str]:
    """The connections that lead to a sandbox, as environment variables.

    :param sandbox: the sandbox
    :param extra: their extra fields, besides the sandbox's own
    """
    given = sandbox.ask("connections").items()
    full = {name: {**connection, "extra": {**connection.get("extra", {}), **extra}} for name, connection in given}
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in full.items()}
