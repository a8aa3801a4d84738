"""Tasks are killed as configured, once, and only in a campaign."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.kills import FOLDER_VARIABLE, count_kills

CHECKOUT = Path(__file__).parents[2]
FOREVER_SECONDS = 300  # a task that is killed never runs that long
TASK = """
import sys, time
from types import SimpleNamespace
from chaos import kills
kills.WAIT_KILL_SECONDS = kills.EARLY_KILL_SECONDS = (float(sys.argv[4]),) * 2
ti = SimpleNamespace(task_id="scan", map_index=int(sys.argv[2]))
getattr(kills, sys.argv[1])({"ti": ti})
time.sleep(float(sys.argv[3]))
"""


def run_task(
    folder: Path | None, function: str, map_index: int, *, task_seconds: float, kill_seconds: float = 0.1
) -> int:
    """Run a task and return its exit status; negative numbers are signals."""
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), **({FOLDER_VARIABLE: str(folder)} if folder else {})}
    command = [sys.executable, "-c", TASK, function, str(map_index), str(task_seconds), str(kill_seconds)]
    return subprocess.run(command, env=env, check=False, timeout=FOREVER_SECONDS).returncode


@pytest.mark.parametrize(("map_index", "target"), [(0, "task and worker"), (1, "task"), (4, "task and worker")])
def test_waiting_task_is_killed_once_and_a_note_names_the_target(tmp_path, map_index, target):
    assert run_task(tmp_path, "kill_during_wait", map_index, task_seconds=FOREVER_SECONDS) == -signal.SIGKILL
    assert [(note.name, note.read_text()) for note in tmp_path.iterdir()] == [(f"scan-{map_index}", target)]
    assert run_task(tmp_path, "kill_during_wait", map_index, task_seconds=0.5) == 0


def test_kills_are_counted_without_tasks_that_ended_before(tmp_path):
    for number, target in enumerate(("task", "task", "task and worker", "")):
        (tmp_path / f"scan-{number}").write_text(target)
    assert count_kills(tmp_path) == {"task": 2, "task and worker": 1}


def test_parent_that_is_not_a_worker_is_not_killed(tmp_path):
    # this test is the parent
    assert run_task(tmp_path, "kill_during_wait", 0, task_seconds=FOREVER_SECONDS) == -signal.SIGKILL


@pytest.mark.parametrize("map_index", [0, 8])
def test_every_fourth_of_the_other_tasks_is_killed(tmp_path, map_index):
    assert run_task(tmp_path, "kill_at_random_moment", map_index, task_seconds=FOREVER_SECONDS) == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("map_index", [1, 3])
def test_the_rest_of_the_other_tasks_is_not_killed(tmp_path, map_index):
    assert run_task(tmp_path, "kill_at_random_moment", map_index, task_seconds=0.5) == 0
    assert list(tmp_path.iterdir()) == []


def test_task_that_finishes_earlier_is_not_killed(tmp_path):
    assert run_task(tmp_path, "kill_during_wait", 0, task_seconds=0, kill_seconds=FOREVER_SECONDS) == 0
    assert list(tmp_path.iterdir()) == []


def test_no_task_is_killed_outside_of_a_campaign():
    assert run_task(None, "kill_during_wait", 0, task_seconds=0.5) == 0
