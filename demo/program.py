"""Programs that are started and, whatever happens, ended: each in a session of its own, its output in a log file.

Airflow puts tasks into process groups of their own, but never leaves the session: so the session is what is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 3.0  # seconds to end by itself: nothing that it might still save is kept
LAST_LINES = 30


class ProgramFailed(Exception):
    """A program ended, or did not come up; the message says so in full, with the end of its log."""


class Program:
    """One running program.

    :param name: what people call it
    :param command: its command line
    :param log: the file that takes its output
    :param environment: its environment
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def members(self) -> list[int]:
        """The processes it consists of: itself, its children and theirs."""
        self.process.poll()  # so that it does not linger as a zombie
        return [pid for pid in psutil.pids() if _lives_in_session(pid, self.process.pid)]

    def send(self, number: int) -> None:
        """Send a signal to all its processes."""
        for pid in self.members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def check(self) -> None:
        """Complain unless it runs."""
        status = self.process.poll()
        if status is not None:
            raise self.failed(f"ended with status {status}")

    def failed(self, how: str) -> ProgramFailed:
        """The error that says what became of it and shows the end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        end = "\n".join(f"    {line}" for line in lines) or "    (it wrote nothing)"
        return ProgramFailed(f"{self.name} {how}. The last lines of {_short(self.log)}:\n{end}")


def end(programs: Iterable[Program], patience: float = PATIENCE) -> None:
    """End programs with all their children: politely first, then surely."""
    programs = list(programs)
    with _undisturbed():
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
            for program in programs:
                program.send(number)
            deadline = time.monotonic() + seconds
            while any(program.members for program in programs) and time.monotonic() < deadline:
                time.sleep(0.1)
        for program in programs:
            program.process.wait(5)


def interruptible() -> AbstractContextManager[None]:
    """Let SIGTERM and a closed terminal interrupt as Ctrl-C does, and Ctrl-C even where the shell turned it off."""
    return _signals_go_to(_interrupt)


@contextlib.contextmanager
def uninterrupted() -> Generator[None]:
    """Let an interruption wait until the end, so that nothing is started of which nobody knows that it was."""
    came: list[int] = []
    with _signals_go_to(lambda number, _: came.append(number)):
        yield
    if came:
        raise KeyboardInterrupt


def _undisturbed() -> AbstractContextManager[None]:
    """Ignore an impatient second Ctrl-C while ending things."""
    return _signals_go_to(signal.SIG_IGN)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _signals_go_to(handler: Any) -> Generator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, former in zip(numbers, before, strict=True):
            signal.signal(number, former)


def _lives_in_session(pid: int, session: int) -> bool:
    try:
        return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
