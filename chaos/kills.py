"""Kills of running tasks: the DAG of the campaign passes these functions to its operators as ``pre_execute``.

Each task is killed once at most: a file with its name marks the kill, for later tries and for the report.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import psutil

FOLDER_VARIABLE = "CHAOS_KILLS"
"""The environment variable with the folder of these files; without it no task is killed."""

WAIT_KILL_SECONDS = (3.0, 8.0)  # range after the start of a task; a wait takes at least 8 s
EARLY_KILL_SECONDS = (0.0, 0.4)
TASK_ONLY, TASK_AND_WORKER = "task", "task and worker"


def kill_during_wait(context: Any) -> None:
    """Kill each task during its wait, and every fourth together with its worker, so that no process reports it.

    :param context: the context of the task
    """
    with_worker = context["ti"].map_index % 4 == 0
    _schedule_kill(context["ti"], WAIT_KILL_SECONDS, TASK_AND_WORKER if with_worker else TASK_ONLY)


def kill_at_random_moment(context: Any) -> None:
    """Kill every fourth task before, during or after its requests.

    :param context: the context of the task
    """
    if context["ti"].map_index % 4 == 0:
        _schedule_kill(context["ti"], EARLY_KILL_SECONDS, TASK_ONLY)


def count_kills(folder: Path) -> Counter[str]:
    """Return how many tasks were killed, by target.

    :param folder: with the files that mark the kills; an empty one is that of a task that ended before its kill
    """
    targets = (note.read_text(encoding="utf-8") for note in folder.iterdir())
    return Counter(target for target in targets if target)


def _schedule_kill(ti: Any, seconds_range: tuple[float, float], target: str) -> None:
    name = f"{ti.task_id}-{ti.map_index}"
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder or (Path(folder) / name).exists():
        return
    seconds = Random(name).uniform(*seconds_range)  # the same in each campaign
    timer = threading.Timer(seconds, _kill, [Path(folder) / name, target])
    timer.daemon = True  # a task that finishes earlier is not killed
    timer.start()


def _kill(note: Path, target: str) -> None:
    note.write_text(target, encoding="utf-8")
    if target == TASK_AND_WORKER and "LocalExecutor" in " ".join(psutil.Process(os.getppid()).cmdline()):
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
