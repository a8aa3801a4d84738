"""Everything that is started is stopped, as seen from outside by the list of processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from demo import airflow
from demo.airflow import Airflow
from demo.airflow_settings import build_environment_variables
from demo.program import ProgramError

CHECKOUT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 180  # only reached if something is broken
HOLD = """
import sys, time
from pathlib import Path
from demo.airflow import Airflow
from demo.signals import interrupt_on_stop_signals
with interrupt_on_stop_signals(), Airflow(Path(sys.argv[1]), Path(sys.argv[2])) as running:
    print(running.url, flush=True)
    time.sleep(600)
"""


def list_descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return list(psutil.Process(process.pid).children(recursive=True))


def list_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [found for found in processes if is_running(found)]


def is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def held(tmp_path: Path):
    dags = tmp_path / "dags"
    dags.mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "home"), str(dags)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield process
    process.terminate()  # not kill: it has to stop its Airflow
    process.communicate(timeout=TIMEOUT_SECONDS)


@pytest.mark.airflow
def test_ctrl_c_stops_all_processes(held):
    assert held.stdout.readline().startswith("http://127.0.0.1:")
    processes = list_descendants(held)
    assert len(processes) >= 4
    held.send_signal(signal.SIGINT)
    held.wait(TIMEOUT_SECONDS)
    assert list_running(processes) == []


@pytest.mark.airflow
def test_sigterm_during_the_start_stops_all_processes(held):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while len(processes := list_descendants(held)) < 2:  # after the creation of the database
        assert time.monotonic() < deadline
        time.sleep(0.1)
    held.terminate()
    held.wait(TIMEOUT_SECONDS)
    assert list_running(processes) == []


@pytest.mark.airflow
def test_component_that_fails_is_named_with_its_log_and_all_processes_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setitem(airflow.COMPONENTS, "scheduler", ["--no-such-option"])
    failing = Airflow(tmp_path / "home", tmp_path)
    with pytest.raises(ProgramError, match="Airflow's scheduler exited with status 2") as raised, failing:
        pass
    assert "unrecognized arguments: --no-such-option" in str(raised.value)
    assert len(failing.programs) == 4
    assert not any(program.pids for program in failing.programs)


def test_settings_of_another_airflow_are_not_inherited(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_RUDDER_DEFAULT", "{}")
    monkeypatch.setenv("KEPT", "yes")
    variables = build_environment_variables(tmp_path, tmp_path, "http://127.0.0.1:1")
    assert not {"AIRFLOW__CORE__EXECUTOR", "AIRFLOW_CONN_RUDDER_DEFAULT"} & set(variables)
    assert variables["KEPT"] == "yes"


def test_given_settings_take_precedence(tmp_path):
    defaults = build_environment_variables(tmp_path, tmp_path, "http://127.0.0.1:1")
    overrides = {"AIRFLOW__CORE__PARALLELISM": 6, "CHAOS_TASKS": 5}
    variables = build_environment_variables(tmp_path, tmp_path, "http://127.0.0.1:1", overrides)
    changed = {name: value for name, value in variables.items() if defaults.get(name) != value}
    assert changed == {"AIRFLOW__CORE__PARALLELISM": "6", "CHAOS_TASKS": "5"}
