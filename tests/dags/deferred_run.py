"""The sandbox of the DAGs in ``deferred``, and their runs in a real Airflow and through ``dag.test()``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from demo.airflow_settings import build_environment_variables
from self_hosted.core.wait.key import WaitKey
from self_hosted.sandbox.server import Sandbox
from tests.assemblyline.wait_cases import fetch, upload
from tests.conftest import Served
from tests.dags.deferred.every_deferred import SENSORS, Row
from tests.rudder.wait_cases import add_rule

OWN_FOLDER = Path(__file__).parent / "deferred"
APPROVAL_SECONDS = 0.5  # between two looks for change requests that wait for a decision


class DeferredSandbox:
    """A sandbox of its own for these DAGs: they change settings of the servers.

    :param sandbox: the running sandbox
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.served = {server.name: Served(server, sandbox.url) for server in sandbox.servers}

    @property
    def connections(self) -> dict[str, dict[str, Any]]:
        """The connections of the DAGs: connection id -> fields."""
        return {f"{product}_deferred": served.connection() for product, served in self.served.items()}

    def create_arguments(self, row: Row) -> dict[str, str]:
        """Create an object that is done, and return the arguments of the sensor that waits for it."""
        _, product, _, spec = row.sensor.wait_spec.split(".")
        case = import_module(f"tests.{product}.wait_cases").CASES[spec]
        key = WaitKey.from_text(case.finished(self.served[product]))
        return {name: value for name, value in zip(row.arguments, [key.id, *key.condition], strict=True) if name}

    def create_operator_params(self, folder: Path) -> dict[str, str]:
        """Write the files of the operators, create their objects, and return the params of their run."""
        served, content = self.served["assemblyline"], "a known file"
        (folder / "files").mkdir()
        (folder / "files" / "sample.txt").write_text("a new file")
        (folder / "files" / "rule.yar").write_text("rule a { condition: true }")
        sid = upload(served, "submit", content)["sid"]
        served.seed({"retrohunt": {"enabled": True, "seconds": 0}})
        self.served["rudder"].seed({"validation": True})
        return {
            "folder": str(folder / "files"),
            "sid": str(sid),
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
            "service": WaitKey.from_text(fetch(served, 0)).id,
            "rule_id": add_rule(self.served["rudder"]),
        }

    def approve_change_requests(self, is_stopped: threading.Event) -> None:
        """Deploy each change request of Rudder, until the event is set."""
        served = self.served["rudder"]
        while not is_stopped.wait(APPROVAL_SECONDS):
            requests = served.tables()["change requests"]
            pending = [request for request in requests if request["status"] == "Pending validation"]
            served.seed({"decisions": {str(request["id"]): "Deployed" for request in pending}})


@contextmanager
def run_deferred_sandbox() -> Generator[DeferredSandbox]:
    """Start a sandbox that approves each change request, and stop it at the end of the block."""
    with Sandbox() as sandbox:
        running, is_stopped = DeferredSandbox(sandbox), threading.Event()
        thread = threading.Thread(target=running.approve_change_requests, args=(is_stopped,))
        thread.start()
        try:
            yield running
        finally:
            is_stopped.set()
            thread.join()


def create_sensor_params(sandbox: DeferredSandbox, output: Path) -> dict[str, Any]:
    """Create an object for each sensor, and return the params of a run."""
    arguments = {row.sensor.__name__: sandbox.create_arguments(row) for row in SENSORS}
    return {"output": str(output), **arguments}


def run_dag_test(sandbox: DeferredSandbox, home: Path, dag_id: str, params: dict[str, Any]) -> dict[str, str]:
    """Run a DAG through ``dag.test()`` in a process of its own, and return the state of each task.

    :param sandbox: the servers
    :param home: a folder for Airflow; its database is reused
    :param dag_id: the DAG
    :param params: params of the run
    """
    states, log = run_script(home, OWN_FOLDER, sandbox.connections, "tests.dags.dag_test", dag_id, json.dumps(params))
    assert set(states.values()) == {"success"}, log
    return states  # type: ignore[no-any-return]


def run_script(home: Path, dags: Path, connections: Mapping[str, Any], module: str, *arguments: str) -> tuple[Any, str]:
    """Run a module in a process of its own with an Airflow without other processes.

    :param home: a folder for Airflow; its database is reused
    :param dags: the folder of DAGs
    :param connections: Airflow's connections by id
    :param module: the module
    :param arguments: its arguments
    :return: the JSON in its last line, and the end of all that it printed
    """
    variables = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(found) for name, found in connections.items()}
    variables = build_environment_variables(home, dags, "http://127.0.0.1:9", variables)
    command = [sys.executable, "-m", module, *arguments]
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, cwd=root, env={**variables, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stdout[-20_000:]
