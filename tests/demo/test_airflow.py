"""What is started is ended: looked at from outside, by its processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from demo import airflow
from demo.airflow import Airflow, environment
from demo.program import ProgramFailed

CHECKOUT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from demo.airflow import Airflow
from demo.program import interruptible
with interruptible(), Airflow(Path(sys.argv[1]), Path(sys.argv[2])) as running:
    print(running.url, flush=True)
    time.sleep(600)
"""


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All that a process has started, and what that has started."""
    return list(psutil.Process(process.pid).children(recursive=True))


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [found for found in processes if found.is_running() and found.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def held(tmp_path: Path):
    dags = tmp_path / "dags"
    dags.mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "home"), str(dags)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield process
    process.terminate()  # not kill: it has to end its Airflow
    process.communicate(timeout=30)


@pytest.mark.airflow
def test_ctrl_c_leaves_nothing_running(held):
    assert held.stdout.readline().startswith("http://127.0.0.1:")
    processes = family(held)
    assert len(processes) >= 4
    held.send_signal(signal.SIGINT)
    held.wait(20)
    assert living(processes) == []


@pytest.mark.airflow
def test_termination_while_it_starts_leaves_nothing_running(held):
    deadline = time.monotonic() + 60
    while len(processes := family(held)) < 2:  # past the creation of the database
        assert time.monotonic() < deadline
        time.sleep(0.1)
    held.terminate()
    held.wait(20)
    assert living(processes) == []


@pytest.mark.airflow
def test_component_that_fails_is_named_with_its_log_and_nothing_is_left_running(tmp_path, monkeypatch):
    monkeypatch.setitem(airflow.COMPONENTS, "scheduler", ["--no-such-option"])
    failing = Airflow(tmp_path / "home", tmp_path)
    with pytest.raises(ProgramFailed, match="Airflow's scheduler ended with status 2") as failed, failing:
        pass
    assert "unrecognized arguments: --no-such-option" in str(failed.value)
    assert len(failing.programs) == 4
    assert not any(program.members for program in failing.programs)


def test_settings_of_another_airflow_are_not_taken_over(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_RUDDER_DEFAULT", "{}")
    monkeypatch.setenv("KEPT", "yes")
    ours = environment(tmp_path, tmp_path, "http://127.0.0.1:1")
    assert not {"AIRFLOW__CORE__EXECUTOR", "AIRFLOW_CONN_RUDDER_DEFAULT"} & set(ours)
    assert ours["KEPT"] == "yes"
