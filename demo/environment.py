"""Airflow and the sandbox together, with the sandbox's connections stored in Airflow."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from demo.airflow import Airflow
from demo.api import AirflowApi
from demo.example_dags import copy_example_dags
from demo.loopback import find_free_port, get_json, post_json
from demo.program import Program, ProgramError, start_program, stop_programs

Tables = dict[str, dict[str, list[dict[str, Any]]]]  # product -> table -> rows
AIRFLOW_PORT, SANDBOX_PORT = 8080, 8900
SANDBOX_TIMEOUT_SECONDS = 120.0
ANALYSIS_SECONDS = 2.0
SETTINGS = {
    # schedules include events: a DAG runs as its author wrote it, but only once it is unpaused
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": True,
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": True,
}


@dataclass(frozen=True)
class Environment:
    """A running Airflow and a running sandbox.

    :param airflow: the Airflow
    :param sandbox_url: base URL of the sandbox
    """

    airflow: Airflow
    sandbox_url: str

    def get_state(self) -> Tables:
        """Return the contents of the sandbox."""
        return get_json(f"{self.sandbox_url}/_control/state")  # type: ignore[no-any-return]

    def get_connections(self) -> dict[str, dict[str, Any]]:
        """Return the connections to the sandbox: connection id -> fields."""
        return get_json(f"{self.sandbox_url}/_control/connections")  # type: ignore[no-any-return]


@contextlib.contextmanager
def run_environment(
    checkout: Path, airflow_port: int = AIRFLOW_PORT, sandbox_port: int = SANDBOX_PORT
) -> Generator[Environment]:
    """Start the sandbox and Airflow, and stop them at the end of the block.

    :param checkout: folder with the ``example_dags``; files are written to its ``.airflow`` and ``.demo``. The DAGs are
        copies, and are paused
    :param airflow_port: preferred port of Airflow; another one if it is in use
    :param sandbox_port: preferred port of the sandbox; another one if it is in use
    :raises ProgramError: if one of them fails to start, or another demo runs in this checkout
    """
    folder = checkout / ".demo"
    with contextlib.ExitStack() as stack:
        stack.enter_context(_lock(folder))
        copy_example_dags(checkout / "example_dags", folder / "dags", folder / "srv")
        sandbox_url = stack.enter_context(run_sandbox(folder / "sandbox.log", sandbox_port))
        airflow = stack.enter_context(Airflow(checkout / ".airflow", folder / "dags", airflow_port, SETTINGS))
        store_connections(airflow.api, sandbox_url)
        store_database(airflow.api, folder / "srv")
        yield Environment(airflow, sandbox_url)


def store_connections(api: AirflowApi, sandbox_url: str) -> None:
    """Store the connections to all products of a sandbox in Airflow, and set the duration of analyses."""
    for conn_id, connection in get_json(f"{sandbox_url}/_control/connections").items():
        api.create_connection(conn_id, connection)
    # Airflow may consider a task lost, and retry it, if its trigger fires within a second of the deferral
    post_json(f"{sandbox_url}/_control/seed", {"assemblyline": {"delay": ANALYSIS_SECONDS}})


def store_database(api: AirflowApi, folder: Path) -> None:
    """Store the connection to the database that stands for an ERP; an example DAG fills it.

    :param folder: the folder of its file
    """
    folder.mkdir(parents=True, exist_ok=True)
    api.create_connection("erp", {"conn_type": "sqlite", "host": str(folder / "erp.db")})


@contextlib.contextmanager
def run_sandbox(log: Path, preferred_port: int) -> Generator[str]:
    """Start a sandbox, yield its URL, and stop it at the end of the block.

    :param log: the file for its output
    :param preferred_port: its port; another one if it is in use
    """
    port = find_free_port(preferred_port)
    command = [sys.executable, "-m", "self_hosted.sandbox", "--port", str(port)]
    programs: list[Program] = []
    try:
        program = start_program(programs, "the sandbox", command, log, os.environ)
        wait_for_sandbox(program, url := f"http://127.0.0.1:{port}")
        yield url
    finally:
        stop_programs(programs)


def wait_for_sandbox(program: Program, url: str) -> None:
    """Wait until a sandbox responds.

    :raises ProgramError: if it exits, or takes too long
    """
    deadline = time.monotonic() + SANDBOX_TIMEOUT_SECONDS
    while True:
        program.ensure_running()
        with contextlib.suppress(requests.RequestException):
            get_json(f"{url}/_control/connections", timeout_seconds=1)
            return
        if time.monotonic() > deadline:
            raise program.build_error(f"was not ready after {SANDBOX_TIMEOUT_SECONDS:.0f} s")
        time.sleep(0.1)


@contextlib.contextmanager
def _lock(folder: Path) -> Generator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ProgramError("another demo runs in this checkout; stop it first, or use another checkout") from None
        yield
