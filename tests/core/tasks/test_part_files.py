"""Part files: those of killed tasks are removed, those of running tasks are not."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from self_hosted.core.tasks import part_files
from self_hosted.core.tasks.part_files import MAX_IDLE_SECONDS, remove_stale_parts, replace_atomically
from self_hosted.core.tasks.storage import atomic_writer

WRITER = """
import sys
from self_hosted.core.tasks.storage import atomic_writer
with atomic_writer(sys.argv[1]) as file:
    file.write(b"of the other task")
    file.flush()
    print("writing", flush=True)
    sys.stdin.readline()
"""
OTHER_MACHINE = "0" * 8


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "report[1].json"


@pytest.fixture
def other_task(target: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is writing the target."""
    command = [sys.executable, "-c", WRITER, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def list_parts(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.suffix == ".part")


def write(target: Path) -> None:
    with atomic_writer(str(target)) as file:
        file.write(b"mine")


def leave_part(target: Path, machine: str | None = None, idle_seconds: float = 0) -> Path:
    """Create the part of a task that does not run any more."""
    part = target.with_name(f".{target.name}.{machine or part_files._machine()}.{'a' * 16}.part")
    part.write_bytes(b"half")
    modified = part.stat().st_mtime - idle_seconds
    os.utime(part, (modified, modified))
    return part


def test_the_part_of_a_killed_task_is_removed_on_the_next_attempt(
    target: Path, other_task: subprocess.Popen[str]
) -> None:
    assert len(list_parts(target)) == 1
    other_task.send_signal(signal.SIGKILL)
    other_task.wait()
    assert len(list_parts(target)) == 1
    write(target)
    assert (list_parts(target), target.read_bytes()) == ([], b"mine")


def test_the_part_of_a_running_task_is_kept_and_completed(target: Path, other_task: subprocess.Popen[str]) -> None:
    write(target)
    assert (len(list_parts(target)), target.read_bytes()) == (1, b"mine")
    other_task.communicate("go on\n", timeout=60)
    assert other_task.returncode == 0
    assert (list_parts(target), target.read_bytes()) == ([], b"of the other task")


def test_two_writers_of_one_process_do_not_remove_each_others_parts(target: Path) -> None:
    with replace_atomically(target) as first:
        first.write(b"first")
        write(target)
        assert target.read_bytes() == b"mine"
    assert (list_parts(target), target.read_bytes()) == ([], b"first")


@pytest.mark.parametrize(("idle_seconds", "is_kept"), [(0, True), (MAX_IDLE_SECONDS + 60, False)])
def test_the_part_of_another_machine_is_removed_when_it_is_idle(
    target: Path, idle_seconds: float, is_kept: bool
) -> None:
    part = leave_part(target, OTHER_MACHINE, idle_seconds)
    remove_stale_parts(target)
    assert part.exists() == is_kept


@pytest.mark.parametrize(("idle_seconds", "is_kept"), [(0, True), (MAX_IDLE_SECONDS + 60, False)])
def test_without_locks_a_part_is_removed_when_it_is_idle(
    target: Path, monkeypatch: pytest.MonkeyPatch, idle_seconds: float, is_kept: bool
) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", fail)
    part = leave_part(target, idle_seconds=idle_seconds)
    write(target)
    assert part.exists() == is_kept
    assert target.read_bytes() == b"mine"


def test_a_locked_part_is_kept_however_old_it_is(target: Path) -> None:
    part = leave_part(target, OTHER_MACHINE, MAX_IDLE_SECONDS + 60)
    with part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        remove_stale_parts(target)
        assert part.exists()


@pytest.mark.parametrize("has_lock", [True, False])
def test_a_part_that_another_task_removes_before_it_is_locked_is_created_again(
    target: Path, monkeypatch: pytest.MonkeyPatch, has_lock: bool
) -> None:
    flock = fcntl.flock
    removed: list[str] = []

    def remove_first(descriptor: int, operation: int) -> None:
        if not removed:
            removed.extend(list_parts(target))
            (target.parent / removed[0]).unlink()
            if has_lock:
                raise BlockingIOError
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    write(target)
    assert removed
    assert (list_parts(target), target.read_bytes()) == ([], b"mine")


@pytest.mark.parametrize(
    "name",
    [
        "report[1].json.part",
        ".report[1].json.part",
        f".report[1].json.{'a' * 32}.part",
        f".report[1].json.{OTHER_MACHINE}.{'a' * 16}.part.json",
        f".report1.json.{OTHER_MACHINE}.{'a' * 16}.part",
        f".other.{OTHER_MACHINE}.{'a' * 16}.part",
    ],
)
def test_files_with_other_names_are_kept(target: Path, name: str) -> None:
    other = target.with_name(name)
    other.write_bytes(b"important")
    os.utime(other, (0, 0))
    write(target)
    assert other.read_bytes() == b"important"


def test_links_and_folders_with_the_name_of_a_part_are_kept(target: Path, tmp_path: Path) -> None:
    important = tmp_path / "important"
    important.write_bytes(b"important")
    link = target.with_name(f".{target.name}.{OTHER_MACHINE}.{'b' * 16}.part")
    link.symlink_to(important)
    folder = target.with_name(f".{target.name}.{OTHER_MACHINE}.{'c' * 16}.part")
    folder.mkdir()
    write(target)
    assert (link.is_symlink(), folder.is_dir(), important.read_bytes()) == (True, True, b"important")


def test_a_part_that_cannot_be_opened_does_not_fail_the_write(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = leave_part(target)
    original = os.open

    def deny(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path) == part:
            raise PermissionError
        return original(path, *arguments, **options)

    monkeypatch.setattr(os, "open", deny)
    write(target)
    assert (part.exists(), target.read_bytes()) == (True, b"mine")


def test_a_folder_that_cannot_be_listed_does_not_fail_the_write(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", deny)
    write(target)
    assert target.read_bytes() == b"mine"


def test_a_machine_without_a_boot_id_is_named_by_its_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    of_this_boot = part_files._machine()
    part_files._machine.cache_clear()
    monkeypatch.setattr(part_files, "BOOT_ID", tmp_path / "missing")
    try:
        assert len(part_files._machine()) == 8
        assert part_files._machine() != of_this_boot
    finally:
        part_files._machine.cache_clear()
