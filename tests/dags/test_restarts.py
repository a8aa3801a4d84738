"""Event triggers and deferred waits across restarts of the triggerer, in an Airflow of their own."""

from __future__ import annotations

import io
import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from demo.environment import Environment
from demo.loopback import post_json
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Upload
from tests.dags.environment import OWN_DAGS, SETTINGS, reparse, run_environment, wait_until
from tests.dags.wait_run import WaitRun

pytestmark = pytest.mark.airflow
DAG_ID, ASSETS = "on_events", ("assemblyline_alerts", "assemblyline_submissions")
RESTART_SETTINGS = {
    # the triggers of a killed triggerer move to the next one, which takes half a minute by default
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 5,
}


class Watch:
    """The runs of the DAG and the items that they have received.

    :param environment: Airflow and the sandbox
    :param hook: a hook for the watched product
    """

    def __init__(self, environment: Environment, hook: AssemblylineHook) -> None:
        self.environment, self.api, self.hook = environment, environment.airflow.api, hook
        self.count, self.results = 0, dict[str, Any]()
        environment.airflow.wait_for_dag(DAG_ID)

    def submit(self, count: int) -> list[str]:
        """Submit files that raise an alert each, and return the ids of the submissions."""
        return [self._submit() for _ in range(count)]

    def _submit(self) -> str:
        self.count += 1
        content = f"RIG-SCORE:600 watched {self.count}".encode()
        options = {"metadata": {"watched": "yes"}, "params": {"generate_alert": True}}
        return str(self.hook.submit(Upload("file", lambda: io.BytesIO(content), len(content)), options)["sid"])

    def list_received(self) -> list[tuple[str, str]]:
        """Return asset and submission of each item that a finished run has received."""
        for run in self.api.list_runs(DAG_ID):
            if run.state == "success" and run.dag_run_id not in self.results:
                [task] = self.api.list_tasks(DAG_ID, run.dag_run_id)
                self.results[run.dag_run_id] = self.api.get_result(task)
        return [tuple(item) for items in self.results.values() for item in items]

    def has_received(self, sids: list[str]) -> bool:
        """Return whether runs have received both items of each submission."""
        return {(name, sid) for name in ASSETS for sid in sids} <= set(self.list_received())

    def has_started(self) -> bool:
        """Submit one file, and return whether any has been received: a watch starts after another parse of the DAG."""
        reparse(self.environment, DAG_ID)
        self.submit(1)
        return bool(self.list_received())

    def kill_triggerer(self) -> None:
        """Kill the triggerer and start another one."""
        [triggerer] = [found for found in self.environment.airflow.programs if found.name == "Airflow's triggerer"]
        triggerer.send_signal(signal.SIGKILL)
        self.environment.airflow.restart("triggerer")


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An Airflow whose triggerer is restarted and killed, and a sandbox."""
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": name, "classpath": local, "kwargs": {"path": str(OWN_DAGS / name)}} for name in ("events", "waits")
    ]
    settings = {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles), **SETTINGS, **RESTART_SETTINGS}
    home: Path = tmp_path_factory.mktemp("restarted") / "airflow"
    with run_environment(home, OWN_DAGS / "events", settings) as environment:
        yield environment


@pytest.fixture
def watch(restarted: Environment, connect: Callable[[str, dict[str, Any]], str]) -> Watch:
    connection = restarted.get_connections()["assemblyline_default"]
    return Watch(restarted, AssemblylineHook(connect("restarted", connection)))


def test_each_item_runs_the_dag_once_across_restarts_and_kills_of_the_triggerer(watch: Watch):
    wait_until(watch.has_started)
    sids = watch.submit(2)
    if not airflow_version.startswith(("3.1.", "3.2.")):  # these keep no cursor across restarts
        watch.environment.airflow.restart("triggerer")
        sids += watch.submit(2)
        watch.kill_triggerer()
        sids += watch.submit(2)
    wait_until(lambda: watch.has_received(sids))
    assert [item for item, count in Counter(watch.list_received()).items() if count > 1] == []


def test_a_deferred_wait_continues_after_a_restart_of_the_triggerer(restarted: Environment):
    pause_components(restarted, "dispatcher")
    run = WaitRun(restarted, "triggerer", seconds=0)
    sid = run.wait_for_submission()
    restarted.airflow.restart("triggerer")
    pause_components(restarted)
    assert run.wait_for_end() == "success"
    assert run.list_submissions() == [sid]
    assert run.task.try_number == 1


def pause_components(environment: Environment, *components: str) -> None:
    """Pause these components of Assemblyline, and resume all others; the dispatcher completes submissions."""
    post_json(f"{environment.sandbox_url}/_control/seed", {"assemblyline": {"paused": components}})
