"""Tasks die when they are told to, once, and only in a campaign."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.kills import FOLDER

CHECKOUT = Path(__file__).parents[2]
TASK = """
import sys, time
from types import SimpleNamespace
from chaos import kills
kills.IN_THE_WAIT = (0.1, 0.2)
ti = SimpleNamespace(task_id="scan", map_index=int(sys.argv[2]))
getattr(kills, sys.argv[1])({"ti": ti})
time.sleep(float(sys.argv[3]))
"""


def fate(folder: Path | None, who: str, map_index: int, seconds: float = 5) -> int:
    """How a task ended that took so long; negative numbers are signals."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **({FOLDER: str(folder)} if folder else {})}
    command = [sys.executable, "-c", TASK, who, str(map_index), str(seconds)]
    return subprocess.run(command, env=environment, check=False, timeout=30).returncode


@pytest.mark.parametrize(("map_index", "how"), [(0, "task and worker"), (1, "task"), (4, "task and worker")])
def test_a_task_that_waits_dies_once_and_a_note_says_how(tmp_path, map_index, how):
    assert fate(tmp_path, "die_in_the_wait", map_index) == -signal.SIGKILL
    assert [(note.name, note.read_text()) for note in tmp_path.iterdir()] == [(f"scan-{map_index}", how)]
    assert fate(tmp_path, "die_in_the_wait", map_index, seconds=0.5) == 0


def test_a_parent_that_is_no_worker_is_spared(tmp_path):
    assert fate(tmp_path, "die_in_the_wait", 0) == -signal.SIGKILL  # and this test, its parent, lives


@pytest.mark.parametrize(("map_index", "dies"), [(0, True), (1, False), (3, False), (8, True)])
def test_of_the_tasks_that_do_not_wait_every_fourth_dies(tmp_path, map_index, dies):
    ended = fate(tmp_path, "die_at_any_moment", map_index, seconds=0.6)
    assert (ended, len(list(tmp_path.iterdir()))) == ((-signal.SIGKILL, 1) if dies else (0, 0))


def test_a_task_that_is_done_earlier_lives(tmp_path):
    assert fate(tmp_path, "die_in_the_wait", 0, seconds=0) == 0
    assert list(tmp_path.iterdir()) == []


def test_outside_of_a_campaign_nobody_dies():
    assert fate(None, "die_in_the_wait", 0, seconds=0.5) == 0
