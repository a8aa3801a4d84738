from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from demo.loopback import find_free_port
from demo.program import Program, ProgramError, stop_programs
from demo.signals import defer_stop_signals, interrupt_on_stop_signals

TIMEOUT_SECONDS = 120  # only reached if something is broken

# a child in a process group of its own that ignores SIGTERM, as Airflow's tasks may do
FAMILY = """
import os, signal, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""

EXITS_ON_SIGTERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(600)
"""

# Ctrl-C is pressed again while the program is being stopped
INTERRUPTS_ITS_PARENT_ON_SIGTERM = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (os.kill(os.getppid(), signal.SIGINT), sys.exit(7)))
print("ready", flush=True)
time.sleep(600)
"""


def start(tmp_path: Path, code: str) -> Program:
    return Program("the program", [sys.executable, "-c", code], tmp_path / "logs" / "program.log", os.environ)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_children_in_other_process_groups_that_ignore_sigterm_are_stopped(tmp_path):
    program = start(tmp_path, FAMILY)
    wait_until(lambda: program.log.read_text().count("ready") == 2)
    pids = program.pids
    assert len(pids) == 2
    stop_programs([program], grace_seconds=0.2)
    assert program.pids == []
    assert not any(map(is_running, pids))


def test_children_of_a_killed_program_are_stopped(tmp_path):
    program = start(tmp_path, FAMILY)
    wait_until(lambda: program.log.read_text().count("ready") == 2)
    os.kill(program.process.pid, signal.SIGKILL)
    wait_until(lambda: program.process.poll() is not None)
    assert len(program.pids) == 1
    stop_programs([program], grace_seconds=0.2)
    assert program.pids == []


def test_program_that_handles_sigterm_exits_by_itself(tmp_path):
    program = start(tmp_path, EXITS_ON_SIGTERM)
    wait_until(lambda: "ready" in program.log.read_text())
    stop_programs([program], grace_seconds=TIMEOUT_SECONDS)
    assert program.process.returncode == 7


def test_running_program_raises_no_error(tmp_path):
    program = start(tmp_path, "import time; time.sleep(600)")
    try:
        program.ensure_running()
    finally:
        stop_programs([program])


def test_error_of_a_program_that_exited_shows_the_end_of_its_log(tmp_path):
    program = start(tmp_path, 'print(*range(100), sep="\\n"); raise SystemExit("no port left")')
    wait_until(lambda: program.process.poll() is not None)
    with pytest.raises(ProgramError, match=r"the program exited with status 1\. The last lines of") as raised:
        program.ensure_running()
    assert str(raised.value).endswith("    99\n    no port left")
    assert "    10\n" not in str(raised.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_signal_interrupts_like_ctrl_c(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupt_on_stop_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_interruption_is_deferred_until_a_started_program_is_recorded():
    recorded = []

    def start_something() -> None:
        with interrupt_on_stop_signals(), defer_stop_signals():
            signal.raise_signal(signal.SIGTERM)
            recorded.append("program")

    with pytest.raises(KeyboardInterrupt):
        start_something()
    assert recorded == ["program"]


def test_second_ctrl_c_is_ignored_while_programs_are_stopped(tmp_path):
    program = start(tmp_path, INTERRUPTS_ITS_PARENT_ON_SIGTERM)
    wait_until(lambda: "ready" in program.log.read_text())
    stop_programs([program], grace_seconds=TIMEOUT_SECONDS)
    assert program.process.returncode == 7
    assert program.pids == []


def test_preferred_port_is_used_if_it_is_free():
    def is_used_again() -> bool:  # false if another process takes the port in between
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        return find_free_port(port) == port

    wait_until(is_used_again)


def test_another_port_is_used_if_the_preferred_one_is_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert find_free_port(port) not in {0, port}


def test_error_names_the_log_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = start(tmp_path, "raise SystemExit(3)")
    wait_until(lambda: program.process.poll() is not None)
    assert re.search(r"of logs/program\.log:\n    \(no output\)$", str(program.build_error("exited")))
