"""What happens in a product runs DAGs in a real Airflow, whatever befalls its triggerer."""

from __future__ import annotations

import io
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from demo.airflow import Airflow
from demo.delivery import await_dag
from demo.world import World, connect as store_connections
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Upload
from self_hosted.sandbox.server import Sandbox
from tests.dags.test_waits import until

pytestmark = pytest.mark.airflow
DAG, NAMES = "on_events", ("assemblyline_alerts", "assemblyline_submissions")
SETTINGS = {
    # runs that events make are scheduled ones, which the other tests' Airflow has none of
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": True,
    # what makes a watch begin, and go on in another triggerer, takes Airflow minutes by default
    "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": 2,
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 3,
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": 1,
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 5,
}


class Watch:
    """The runs of the DAG, and what they ran for.

    :param running: the Airflow
    :param hook: of the product that is watched
    """

    def __init__(self, running: World, hook: AssemblylineHook) -> None:
        self.running, self.api, self.hook = running, running.airflow.api, hook
        self.count, self.read = 0, dict[str, Any]()
        await_dag(running, DAG)

    def submitted(self, count: int) -> list[str]:
        """So many more submissions, each of which raises an alert."""
        return [self._submit() for _ in range(count)]

    def _submit(self) -> str:
        self.count += 1
        content = f"RIG-SCORE:600 watched {self.count}".encode()
        options = {"metadata": {"watched": "yes"}, "params": {"generate_alert": True}}
        return str(self.hook.submit(Upload("file", lambda: io.BytesIO(content), len(content)), options)["sid"])

    def told(self) -> list[tuple[str, str]]:
        """What the runs that are over ran for: asset and submission."""
        answer = self.api.session.get(f"{self.api.url}/api/v2/dags/{DAG}/dagRuns?limit=100", timeout=30)
        for run in answer.json()["dag_runs"]:
            if run["state"] == "success" and run["dag_run_id"] not in self.read:
                [task] = self.api.tasks(DAG, run["dag_run_id"])
                self.read[run["dag_run_id"]] = self.api.result(task)
        return [tuple(one) for told in self.read.values() for one in told]

    def has_told(self, sids: list[str]) -> bool:
        return {(name, sid) for name in NAMES for sid in sids} <= set(self.told())

    def kill_triggerer(self) -> None:
        [triggerer] = [one for one in self.running.airflow.programs if one.name == "Airflow's triggerer"]
        triggerer.send(signal.SIGKILL)
        self.running.airflow.restart("triggerer")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home, dags = tmp_path_factory.mktemp("airflow"), Path(__file__).parent / "events"
    with Sandbox() as sandbox, Airflow(home, dags, settings=SETTINGS) as airflow:
        store_connections(airflow.api, sandbox.url)
        yield World(airflow, sandbox.url)


@pytest.fixture
def watch(running: World, connect: Callable[[str, dict[str, Any]], str]) -> Watch:
    return Watch(running, AssemblylineHook(connect("al", running.connections()["assemblyline_default"])))


def test_each_thing_runs_the_dag_once_though_triggerers_are_restarted_and_killed(watch: Watch):
    until(lambda: watch.submitted(1) and watch.told())  # a watch begins when Airflow has read the DAG once more
    sids = watch.submitted(2)
    if not airflow_version.startswith(("3.1.", "3.2.")):  # which keep no cursor over a restart
        watch.running.airflow.restart("triggerer")
        sids += watch.submitted(2)
        watch.kill_triggerer()
        sids += watch.submitted(2)
    until(lambda: watch.has_told(sids))
    assert [one for one, times in Counter(watch.told()).items() if times > 1] == []
