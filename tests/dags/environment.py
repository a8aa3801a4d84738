"""The Airflow that the tests of DAGs share: its DAGs, its settings, and helpers to wait for its state."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_client import client

from demo.airflow import Airflow
from demo.environment import Environment, store_connections, store_database
from demo.loopback import post_json
from self_hosted.sandbox.server import Sandbox

EXAMPLES = Path(__file__).parents[2] / "example_dags"
OWN_DAGS = Path(__file__).parent
TIMEOUT_SECONDS = 600.0  # only reached if something is broken
POLL_SECONDS = 0.3

SETTINGS = {
    # events create scheduled runs
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": True,
    # the runs of all tests are started at once, and some tasks block a worker slot on purpose
    "AIRFLOW__CORE__PARALLELISM": 8,
    # on a busy machine, a task would be lost if its first request to the API server timed out
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": 120,
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.2,
    # a watch starts when Airflow has cleaned up and parsed its DAG again, which takes minutes by default
    "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": 2,
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": 1,
    # DAGs do not change; `reparse` requests another parse where a test needs it
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 3600,
}
ALERT_QUERY = "metadata.lab:yes"
"""The alerts that the example watches in the tests: not those of other tests on the same server."""
CHANGES = {
    "poll_interval=30": "poll_interval=1",
    "poll_interval=10": "poll_interval=1",
    "poll_interval=60": "poll_interval=1",
    'query="*"': f'query="{ALERT_QUERY}"',
}
"""Replacements in the example DAGs, so that the tests are quick and do not affect each other."""
SOURCES = {"YARA": [{"name": "community", "uri": "https://example.com/rules.git", "enabled": True}]}
"""The sources of signatures."""

SCHEDULE = re.compile(r'schedule="[^"]+"')
RETRIES = re.compile(r'"retries": \d+')


def copy_examples(folder: Path, srv: Path) -> None:
    """Copy the example DAGs; the copies run on request or on events only, and those for a security team do not retry.

    :param folder: the target
    :param srv: the folder that replaces ``/srv``
    """
    texts = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.py")}
    unused = [old for old in CHANGES if not any(old in text for text in texts.values())]
    assert not unused, f"no example DAG contains {unused}"
    for name, text in texts.items():
        copy = _change(SCHEDULE.sub("schedule=None", text), {'"/srv': f'"{srv}', **CHANGES})
        does_retry = not name.startswith("assemblyline_")
        (folder / name).write_text(copy if does_retry else RETRIES.sub('"retries": 0', copy), encoding="utf-8")


def _change(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


@contextmanager
def run_environment(home: Path, dags: Path, settings: dict[str, Any]) -> Generator[Environment]:
    """Start a sandbox and an Airflow, and stop them at the end of the block.

    :param home: Airflow's folder
    :param dags: the folder of DAGs
    :param settings: variables of Airflow
    """
    with Sandbox() as sandbox, Airflow(home, dags, port=0, settings=settings) as airflow:
        store_connections(airflow.api, sandbox.url)
        features = {"retrohunt": {"enabled": True}, "archive": {"enabled": True}, "signatures": {"sources": SOURCES}}
        post_json(f"{sandbox.url}/_control/seed", {"assemblyline": features})
        environment = Environment(airflow, sandbox.url)
        default = environment.get_connections()["assemblyline_default"]
        airflow.api.create_connection("assemblyline_rules", {**default, "extra": {"api_key": "full:full-secret"}})
        yield environment


@contextmanager
def run_shared_environment(folder: Path) -> Generator[Environment]:
    """Start the Airflow with all DAGs, for all tests that neither kill nor restart it.

    :param folder: an empty folder, for Airflow, its DAGs and the files that the DAGs read and write
    """
    dags = folder / "dags"
    dags.mkdir()
    copy_examples(dags, folder / "srv")
    for name in ("operators", "waits", "deferred", "hostile"):
        shutil.copytree(OWN_DAGS / name, dags / name)
    with run_environment(folder / "airflow", dags, SETTINGS) as environment:
        store_database(environment.airflow.api, folder / "srv")
        for dag in dags.glob("*.py"):
            environment.airflow.wait_for_dag(dag.stem)
        yield environment


def wait_until(condition: Callable[[], Any]) -> Any:
    """Return the result of a function as soon as it is true.

    :raises TimeoutError: if it takes too long
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"timed out after {TIMEOUT_SECONDS:.0f} s waiting for {condition.__qualname__}")
        time.sleep(POLL_SECONDS)
    return found


def reparse(environment: Environment, dag_id: str) -> None:
    """Let Airflow parse the file of a DAG again."""
    api = environment.airflow.api.client
    details = json.loads(client.DAGApi(api).get_dag_details_without_preload_content(dag_id).read())
    client.DAGParsingApi(api).reparse_dag_file_without_preload_content(details["file_token"])
