"""What befalls a wait in a real Airflow: a person ends the task, its process is killed, the triggerer is restarted."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from demo.delivery import await_dag
from demo.world import World
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Upload

pytestmark = pytest.mark.airflow
triggers_are_told = pytest.mark.skipif(
    airflow_version.startswith(("3.1.", "3.2.")), reason="Airflow tells triggers that a person ended the task since 3.3"
)
either_place = pytest.mark.parametrize("place", ["worker", pytest.param("triggerer", marks=triggers_are_told)])
TIMEOUT = 90.0


def until(what: Callable[[], Any]) -> Any:
    """What it returns, once that is something."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := what()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still waiting for {what.__qualname__}")
        time.sleep(0.3)
    return found


class Wait:
    """One run of a DAG that waits.

    :param running: the Airflow
    :param place: worker or triggerer
    :param seconds: how long the analysis takes
    """

    def __init__(self, running: World, place: str, seconds: int = 600) -> None:
        self.running, self.api = running, running.airflow.api
        self.place, self.dag_id = place, f"wait_in_{place}"
        await_dag(running, self.dag_id)
        self.run_id = self.api.trigger(self.dag_id, {"seconds": seconds})

    @property
    def task(self) -> dict[str, Any]:
        [task] = self.api.tasks(self.dag_id, self.run_id)
        return task

    def sids(self) -> list[str]:
        """Its submissions that are there."""
        return [row["sid"] for row in self.running.state()["assemblyline"]["submissions"] if row["name"] == self.run_id]

    def begun(self) -> str:
        """Wait until it waits, and return its submission."""
        until(lambda: self.task["state"] == ("deferred" if self.place == "triggerer" else "running"))
        [sid] = until(self.sids)
        sign = f"Waiting for submission {sid}" if self.place == "worker" else f"trigger {self.dag_id}/{self.run_id}"
        until(lambda: sign in self.api.log(self.task))
        return str(sid)

    def ended(self) -> str:
        until(lambda: self.task["state"] in {"success", "failed"})
        return str(self.task["state"])


@either_place
def test_a_person_who_marks_the_task_failed_ends_the_remote_work(running: World, place):
    wait = Wait(running, place)
    wait.begun()
    wait.api.mark(wait.task, "failed")
    until(lambda: not wait.sids())
    assert wait.task["state"] == "failed"


@either_place
def test_a_person_who_clears_the_task_ends_the_remote_work_and_starts_it_anew(running: World, place):
    wait = Wait(running, place)
    first = wait.begun()
    wait.api.clear(wait.task)
    [second] = until(lambda: [sid for sid in wait.sids() if sid != first])
    until(lambda: wait.sids() == [second])
    wait.api.mark(wait.task, "failed")


def test_a_restart_of_the_triggerer_ends_nothing_and_loses_nothing(running: World):
    wait = Wait(running, "triggerer", seconds=25)
    first = wait.begun()
    running.airflow.restart("triggerer")
    assert wait.ended() == "success"
    assert wait.sids() == [first]
    assert wait.task["try_number"] == 1


def test_a_worker_that_is_taken_away_ends_nothing_and_the_next_one_goes_on(running: World):
    wait = Wait(running, "worker", seconds=15)
    first = wait.begun()
    os.kill(wait.task["pid"], signal.SIGTERM)  # what a deployment sends, and with it what a person's kill sends
    time.sleep(1)
    os.kill(wait.task["pid"], signal.SIGKILL)
    assert wait.ended() == "success"
    assert wait.task["try_number"] == 2
    assert wait.sids() == [first]


def test_a_finished_task_that_is_cleared_runs_anew(running: World):
    wait = Wait(running, "worker", seconds=0)
    assert wait.ended() == "success"
    [first] = wait.sids()
    wait.api.clear(wait.task)
    until(lambda: len(wait.sids()) == 2)
    assert wait.ended() == "success"
    assert wait.api.result(wait.task)["sid"] != first


def test_a_sensor_that_starts_in_the_triggerer_never_takes_a_worker_slot(
    running: World, connect: Callable[[str, dict[str, Any]], str]
):
    hook = AssemblylineHook(connect("al", running.connections()["assemblyline_default"]))
    content = b"from the trigger RIG-SLEEP:5"
    sid = hook.submit(Upload("file", lambda: io.BytesIO(content), len(content)), {})["sid"]
    await_dag(running, "wait_from_trigger")
    run_id = running.airflow.api.trigger("wait_from_trigger", {"sid": sid})
    *_, [task] = running.airflow.api.watch("wait_from_trigger", run_id, TIMEOUT)
    assert task["state"] == "success"
    assert running.airflow.api.result(task)["sid"] == sid
    in_triggerer_only = task["pid"] is None
    assert in_triggerer_only or airflow_version.startswith(("3.1.", "3.2."))
