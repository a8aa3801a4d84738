"""Sudden deaths of tasks: what the campaign's DAG gives its operators as ``pre_execute``.

Each task dies once at most; a file named after it says so, for its later tries and for the campaign's count.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from random import Random
from typing import Any

import psutil

FOLDER = "CHAOS_KILLS"
"""The environment variable that names the folder of those files; without it nobody dies."""

IN_THE_WAIT = (3.0, 8.0)  # seconds after the task's beginning; the waits take 8 at least
AT_ANY_MOMENT = (0.0, 0.4)
ALONE, WITH_WORKER = "task", "task and worker"


def die_in_the_wait(context: Any) -> None:
    """Every task dies while it waits; with every fourth its worker does, so that nobody reports the death.

    :param context: the context of the task
    """
    fourth = context["ti"].map_index % 4 == 0
    _die_later(context["ti"], IN_THE_WAIT, WITH_WORKER if fourth else ALONE)


def die_at_any_moment(context: Any) -> None:
    """Every fourth task dies, before, during or after its requests.

    :param context: the context of the task
    """
    if context["ti"].map_index % 4 == 0:
        _die_later(context["ti"], AT_ANY_MOMENT, ALONE)


def _die_later(ti: Any, moments: tuple[float, float], how: str) -> None:
    name = f"{ti.task_id}-{ti.map_index}"
    folder = os.environ.get(FOLDER)
    if not folder or (Path(folder) / name).exists():
        return
    seconds = Random(name).uniform(*moments)  # the same in every campaign
    timer = threading.Timer(seconds, _die, [Path(folder) / name, how])
    timer.daemon = True  # who is done earlier lives
    timer.start()


def _die(note: Path, how: str) -> None:
    note.write_text(how, encoding="utf-8")
    if how == WITH_WORKER and "LocalExecutor" in " ".join(psutil.Process(os.getppid()).cmdline()):
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
