"""A real Airflow for the demo and the tests: four processes on loopback with a database of their own.

    with Airflow(home, dags) as airflow:
        run_id = airflow.api.trigger_run("asset_pack_intake", conf)

It takes about 1 GB of memory, serves one user without a login, and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import requests

from demo.airflow_settings import build_environment_variables
from demo.api import AirflowApi
from demo.loopback import find_free_port, get_json
from demo.program import Program, ProgramError, start_program, stop_programs

START_TIMEOUT_SECONDS = 180.0  # a cold start takes 20 to 30 s on two cores
PARSE_TIMEOUT_SECONDS = 300.0
RESTART_GRACE_SECONDS = 30.0
COMPONENTS = {
    "api-server": ["--host", "127.0.0.1", "--workers", "1"],
    # a log server would listen on all interfaces; the API server reads the same files
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}
# The API server writes in its event loop. While it waits there for SQLite's lock, its own transactions cannot end, and
# every process that gives up meanwhile exits or fails: it waits for a short time only, all others for a long time.
API_DATABASE_TIMEOUT_SECONDS, DATABASE_TIMEOUT_SECONDS = 3, 60


class Airflow:
    """A running Airflow.

    :param home: its folder, emptied at the start; the processes write their output to ``logs`` in it
    :param dags: the folder of DAGs
    :param port: the port of the web interface; another one if it is in use
    :param settings: environment variables of its processes: the database (SQLite by default), connections, ...
    """

    def __init__(self, home: Path, dags: Path, port: int = 8080, settings: Mapping[str, Any] | None = None) -> None:
        self.home, self.port = home.resolve(), find_free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = build_environment_variables(self.home, dags.resolve(), self.url, settings)
        self.programs: list[Program] = []

    def __enter__(self) -> Self:
        shutil.rmtree(self.home, ignore_errors=True)
        try:
            self._create_database()
            for component in COMPONENTS:
                self._start_component(component)
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @cached_property
    def api(self) -> AirflowApi:
        """Its REST API."""
        return AirflowApi(self.url)

    def stop(self) -> None:
        """Stop all its processes."""
        stop_programs(self.programs)

    def restart(self, component: str) -> None:
        """Stop one of its processes and start it again, as a deployment does.

        :param component: such as "triggerer"
        """
        [old] = [program for program in self.programs if program.name == f"Airflow's {component}"]
        stop_programs([old], RESTART_GRACE_SECONDS)
        self.programs.remove(old)
        old.log.rename(old.log.with_stem(f"{old.log.stem}-{old.process.pid}"))
        self._start_component(component)

    def ensure_running(self) -> None:
        """Raise ProgramError if one of its processes has exited."""
        for program in self.programs:
            program.ensure_running()

    def wait_for_dag(self, dag_id: str) -> None:
        """Wait until Airflow has parsed a DAG.

        :raises ProgramError: if Airflow cannot import a DAG file
        :raises TimeoutError: if it takes too long
        """
        deadline = time.monotonic() + PARSE_TIMEOUT_SECONDS
        while dag_id not in self.api.list_dags():
            for error in self.api.list_import_errors():
                raise ProgramError(f"Airflow cannot import {error.filename}:\n{error.stack_trace}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"Airflow did not parse DAG {dag_id} within {PARSE_TIMEOUT_SECONDS:.0f} s")
            self.ensure_running()
            time.sleep(0.3)

    def _start_component(self, component: str) -> None:
        port = ["--port", str(self.port)] if component == "api-server" else []
        self._start(component, *COMPONENTS[component], *port)

    def _start(self, name: str, *options: str) -> Program:
        command = [sys.executable, "-m", "airflow", *name.split(), *options]
        log = self.home / "logs" / f"{name.replace(' ', '-')}.log"
        timeout_seconds = API_DATABASE_TIMEOUT_SECONDS if name == "api-server" else DATABASE_TIMEOUT_SECONDS
        database = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout={timeout_seconds}"
        }
        return start_program(self.programs, f"Airflow's {name}", command, log, database | self.env)

    def _create_database(self) -> None:
        migration = self._start("db migrate")
        try:
            status = migration.process.wait(START_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise migration.build_error(f"took longer than {START_TIMEOUT_SECONDS:.0f} s") from None
        if status:
            raise migration.build_error(f"exited with status {status}")
        self.programs.remove(migration)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while unhealthy := self._find_unhealthy():
            self.ensure_running()
            if time.monotonic() > deadline:
                program = next(program for program in self.programs if program.name.endswith(unhealthy))
                raise program.build_error(f"was not healthy after {START_TIMEOUT_SECONDS:.0f} s")
            time.sleep(0.5)

    def _find_unhealthy(self) -> str | None:
        """Return the name of a component that is not healthy, or None."""
        try:
            health = get_json(f"{self.url}/api/v2/monitor/health")
        except (requests.RequestException, ValueError):
            return "api-server"
        names = ("scheduler", "dag_processor", "triggerer")
        return next((name.replace("_", "-") for name in names if health[name]["status"] != "healthy"), None)
