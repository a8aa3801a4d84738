from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from demo.airflow import free_port
from demo.program import Program, ProgramFailed, end, interruptible, uninterrupted

# a child in a process group of its own that is deaf to SIGTERM, as Airflow's tasks may be
FAMILY = """
import os, signal, sys, time
if os.fork() == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""

POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(60)
"""


def started(tmp_path: Path, code: str) -> Program:
    return Program("the program", [sys.executable, "-c", code], tmp_path / "logs" / "program.log", os.environ)


def until(what) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_end_reaches_children_in_other_groups_that_do_not_listen(tmp_path):
    program = started(tmp_path, FAMILY)
    until(lambda: program.log.read_text().count("ready") == 2)
    members = program.members
    assert len(members) == 2
    end([program], patience=0.2)
    assert program.members == []
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in members)


def test_children_of_a_program_that_died_are_ended_too(tmp_path):
    program = started(tmp_path, FAMILY)
    until(lambda: program.log.read_text().count("ready") == 2)
    os.kill(program.process.pid, signal.SIGKILL)
    until(lambda: program.process.poll() is not None)
    assert len(program.members) == 1
    end([program], patience=0.2)
    assert program.members == []


def test_polite_program_ends_by_itself(tmp_path):
    program = started(tmp_path, POLITE)
    until(lambda: "ready" in program.log.read_text())
    end([program])
    assert program.process.returncode == 7


def test_running_program_is_not_complained_about(tmp_path):
    program = started(tmp_path, "import time; time.sleep(60)")
    try:
        program.check()
    finally:
        end([program])


def test_dead_program_is_complained_about_with_the_end_of_its_log(tmp_path):
    program = started(tmp_path, 'print(*range(100), sep="\\n"); raise SystemExit("no port left")')
    until(lambda: program.process.poll() is not None)
    with pytest.raises(ProgramFailed, match=r"the program ended with status 1\. The last lines of") as failed:
        program.check()
    assert str(failed.value).endswith("    99\n    no port left")
    assert "    10\n" not in str(failed.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_interrupts_as_ctrl_c_does(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_interruption_waits_until_what_was_started_is_known():
    known = []

    def start() -> None:
        with interruptible(), uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            known.append("program")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert known == ["program"]


def test_second_ctrl_c_does_not_disturb_the_end(tmp_path):
    program = started(tmp_path, FAMILY)
    until(lambda: program.log.read_text().count("ready") == 2)
    hurry = f"import os, time; time.sleep(0.3); os.kill({os.getpid()}, {signal.SIGINT.value})"
    impatient = started(tmp_path / "impatient", hurry)
    end([program], patience=1)
    until(lambda: impatient.process.poll() is not None)
    assert program.members == []


def test_wanted_port_is_taken_when_it_is_free():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert free_port(port) == port


def test_another_port_is_taken_when_it_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) not in {0, port}


def test_programs_find_the_log_in_words_that_a_person_can_paste(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = started(tmp_path, "raise SystemExit(3)")
    until(lambda: program.process.poll() is not None)
    assert re.search(r"of logs/program\.log:\n    \(it wrote nothing\)$", str(program.failed("ended")))
