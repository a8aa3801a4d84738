"""Sandbox and Airflow together, the sandbox's connections stored in Airflow."""

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

from demo.airflow import Airflow, free_port
from demo.program import Program, ProgramFailed, end, uninterrupted
from demo.rest import Api

Tables = dict[str, dict[str, list[dict[str, Any]]]]  # product to table to rows
AIRFLOW_PORT, SANDBOX_PORT = 8080, 8900
SANDBOX_TIMEOUT = 30.0  # seconds
ANALYSIS = 2.0  # seconds


@dataclass(frozen=True)
class World:
    """What runs.

    :param airflow: the Airflow
    :param sandbox_url: where the sandbox is served
    """

    airflow: Airflow
    sandbox_url: str

    def state(self) -> Tables:
        """What the sandbox holds."""
        return requests.get(f"{self.sandbox_url}/_control/state", timeout=10).json()  # type: ignore[no-any-return]

    def connections(self) -> dict[str, dict[str, Any]]:
        """The connections that lead to the sandbox, by their ids."""
        return requests.get(f"{self.sandbox_url}/_control/connections", timeout=10).json()  # type: ignore[no-any-return]


@contextlib.contextmanager
def world(checkout: Path, airflow_port: int = AIRFLOW_PORT, sandbox_port: int = SANDBOX_PORT) -> Generator[World]:
    """Start sandbox and Airflow, and end them at the end. Other ports are taken when these are in use.

    :param checkout: its ``example_dags`` are run; files go to its ``.airflow`` and ``.demo``
    :raises ProgramFailed: when one of them does not come up, or another demo runs in this checkout
    """
    with (
        _alone(checkout / ".demo"),
        _sandbox(checkout / ".demo" / "sandbox.log", sandbox_port) as sandbox_url,
        Airflow(checkout / ".airflow", checkout / "example_dags", airflow_port) as airflow,
    ):
        connect(airflow.api, sandbox_url)
        yield World(airflow, sandbox_url)


def connect(api: Api, sandbox_url: str) -> None:
    """Store the connections to all products of a sandbox in an Airflow, and let analyses take their time."""
    connections = requests.get(f"{sandbox_url}/_control/connections", timeout=10).json()
    for conn_id, connection in connections.items():
        api.connect(conn_id, connection)
    # Airflow may take a task that comes back within a second of its deferral for lost, and try it again
    analyses = {"assemblyline": {"delay": ANALYSIS}}
    requests.post(f"{sandbox_url}/_control/seed", json=analyses, timeout=10).raise_for_status()


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ProgramFailed("another demo runs in this checkout; stop it first, or use another checkout") from None
        yield


@contextlib.contextmanager
def _sandbox(log: Path, wanted_port: int) -> Generator[str]:
    port = free_port(wanted_port)
    command = [sys.executable, "-m", "self_hosted.sandbox", "--port", str(port)]
    programs: list[Program] = []
    try:
        with uninterrupted():
            programs.append(Program("the sandbox", command, log, os.environ))
        _await(programs[0], url := f"http://127.0.0.1:{port}")
        yield url
    finally:
        end(programs)


def _await(program: Program, url: str) -> None:
    deadline = time.monotonic() + SANDBOX_TIMEOUT
    while True:
        program.check()
        with contextlib.suppress(requests.RequestException):
            requests.get(f"{url}/_control/connections", timeout=1).raise_for_status()
            return
        if time.monotonic() > deadline:
            raise program.failed(f"was not ready after {SANDBOX_TIMEOUT:.0f} s")
        time.sleep(0.1)
