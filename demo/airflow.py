"""A real Airflow under our control: four processes on loopback, a database of its own, nothing shared with any other.

    with Airflow(home, dags) as airflow:
        run = airflow.api.trigger("asset_pack_intake", conf)

It takes about 1 GB of memory and serves one person; it needs no login and listens on 127.0.0.1 only.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests

from demo.program import Program, ProgramFailed, end, uninterrupted
from demo.rest import Api

START_TIMEOUT = 180.0  # seconds; a cold start takes 20 to 30 on two cores
COMPONENTS = {
    "api-server": ["--host", "127.0.0.1", "--workers", "1"],
    # serving logs to other machines would listen on all interfaces; the API server reads the same files
    "scheduler": ["--skip-serve-logs"],
    "dag-processor": [],
    "triggerer": ["--skip-serve-logs"],
}


def free_port(wanted: int) -> int:
    """The wanted port of loopback, or another one when it is taken."""
    for port in (wanted, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise ProgramFailed("no port of 127.0.0.1 is free")


def environment(home: Path, dags: Path, url: str, more: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The environment of all four processes: that of this one, with Airflow's settings replaced by ours.

    :param home: Airflow's folder
    :param dags: the folder of DAGs
    :param url: where the web interface is served
    :param more: further variables, or other values of those that are set here
    """
    settings = {
        "AIRFLOW_HOME": home,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__DAGS_FOLDER": dags,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__PARALLELISM": 4,  # each is a process that waits for work
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": False,  # runs begin when somebody says so
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        # a worker may notice its task's end this late: a slot lost, and with quick triggers a task that seems lost
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": False,
        "NO_PROXY": "127.0.0.1,localhost",  # also where a proxy is set, loopback is reached directly
        "no_proxy": "127.0.0.1,localhost",
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return ours | {name: str(value) for name, value in (settings | dict(more or {})).items()}


class Airflow:
    """A running Airflow.

    :param home: its folder, emptied at the start; logs of the processes go to its ``logs``
    :param dags: the folder of DAGs
    :param port: where the web interface is served; another one is taken when it is in use
    :param settings: environment variables of its processes: the database (SQLite by default), connections, ...
    """

    def __init__(self, home: Path, dags: Path, port: int = 8080, settings: Mapping[str, Any] | None = None) -> None:
        self.home, self.port = home.resolve(), free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(self.home, dags.resolve(), self.url, settings)
        self.programs: list[Program] = []
        self.api = Api(self.url)

    def __enter__(self) -> Self:
        shutil.rmtree(self.home, ignore_errors=True)
        try:
            self._create_database()
            for name, options in self._components().items():
                self._start(name, *options)
            self._await_health()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all its processes."""
        end(self.programs)

    def restart(self, component: str) -> None:
        """End one of its processes and start it anew, as a deployment does.

        :param component: such as "triggerer"
        """
        [old] = [program for program in self.programs if program.name == f"Airflow's {component}"]
        end([old], patience=30)
        self.programs.remove(old)
        old.log.rename(old.log.with_stem(f"{old.log.stem}-{old.process.pid}"))
        self._start(component, *self._components()[component])

    def check(self) -> None:
        """Complain when one of its processes is gone."""
        for program in self.programs:
            program.check()

    def _components(self) -> dict[str, list[str]]:
        return {**COMPONENTS, "api-server": [*COMPONENTS["api-server"], "--port", str(self.port)]}

    def _start(self, name: str, *options: str) -> Program:
        command = [sys.executable, "-m", "airflow", *name.split(), *options]
        log = self.home / "logs" / f"{name.replace(' ', '-')}.log"
        with uninterrupted():
            self.programs.append(Program(f"Airflow's {name}", command, log, self.environment))
        return self.programs[-1]

    def _create_database(self) -> None:
        migration = self._start("db migrate")
        try:
            status = migration.process.wait(START_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise migration.failed(f"took longer than {START_TIMEOUT:.0f} s") from None
        if status:
            raise migration.failed(f"ended with status {status}")
        self.programs.remove(migration)

    def _await_health(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while sick := self._sick():
            self.check()
            if time.monotonic() > deadline:
                guilty = next(program for program in self.programs if program.name.endswith(sick))
                raise guilty.failed(f"was not ready after {START_TIMEOUT:.0f} s")
            time.sleep(0.5)

    def _sick(self) -> str | None:
        """The name of a component that is not healthy, or None."""
        try:
            health = self.api.health()
        except (requests.RequestException, ValueError):
            return "api-server"
        kept = ("scheduler", "dag_processor", "triggerer")
        return next((name.replace("_", "-") for name in kept if health[name]["status"] != "healthy"), None)
