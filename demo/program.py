"""Programs that are stopped in every case: each runs in a session of its own and writes its output to a log file.

Airflow moves tasks into process groups of their own, but never out of the session: stopping the session stops them all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from demo.signals import defer_stop_signals, ignore_stop_signals

GRACE_SECONDS = 3.0  # for a program to exit by itself; nothing that it still saves is kept
KILL_SECONDS = 30.0  # for the operating system to remove killed processes; a busy one takes a while
POLL_INTERVAL_SECONDS = 0.1
MAX_LOG_LINES = 30


class ProgramError(Exception):
    """A program exited or failed to start; the message ends with the last lines of its log."""


class Program:
    """One running program.

    :param name: its name in messages
    :param command: its command line
    :param log: the file for its output
    :param env: its environment variables
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    @property
    def pids(self) -> list[int]:
        """The ids of its running processes: itself, its children and their children."""
        self.process.poll()  # removes the zombie of an exited process
        return [pid for pid in psutil.pids() if _is_running_in_session(pid, self.process.pid)]

    def send_signal(self, number: int) -> None:
        """Send a signal to all its processes."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def ensure_running(self) -> None:
        """Raise ProgramError if it has exited."""
        status = self.process.poll()
        if status is not None:
            raise self.build_error(f"exited with status {status}")

    def build_error(self, problem: str) -> ProgramError:
        """Return the error that states the problem and shows the end of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-MAX_LOG_LINES:]
        tail = "\n".join(f"    {line}" for line in lines) or "    (no output)"
        return ProgramError(f"{self.name} {problem}. The last lines of {_shorten(self.log)}:\n{tail}")


def start_program(
    programs: list[Program], name: str, command: Sequence[str], log: Path, env: Mapping[str, str]
) -> Program:
    """Start a program and record it, even if a stop signal arrives meanwhile.

    :param programs: the list that the program is appended to
    :return: the program
    """
    with defer_stop_signals():
        programs.append(Program(name, command, log, env))
    return programs[-1]


def stop_programs(programs: Iterable[Program], grace_seconds: float = GRACE_SECONDS) -> None:
    """Stop programs with all their child processes: by SIGTERM first, then by SIGKILL.

    :param programs: the programs
    :param grace_seconds: time between the two signals
    """
    programs = list(programs)
    with ignore_stop_signals():
        for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, KILL_SECONDS)):
            for program in programs:
                program.send_signal(number)
            deadline = time.monotonic() + seconds
            while any(program.pids for program in programs) and time.monotonic() < deadline:
                time.sleep(POLL_INTERVAL_SECONDS)
        for program in programs:
            program.process.wait(KILL_SECONDS)


def _is_running_in_session(pid: int, session: int) -> bool:
    try:
        return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


def _shorten(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
