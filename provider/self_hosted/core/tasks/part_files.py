"""Part files: a file is written under another name and then renamed, so that it appears only when it is complete.

The name of a part is ``.{name}.{machine}.{random}.part``. A killed task leaves its part behind; the next task that
writes the same file removes it. A part that a running task writes is locked, and the system releases the lock when the
task ends. A lock of another machine may be invisible here, so that its parts are removed only after an hour without
writes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import socket
import time
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast
from uuid import uuid4

MAX_IDLE_SECONDS = 3600.0  # of a part of another machine
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # the same in all containers of a machine, as locks are


@contextlib.contextmanager
def replace_atomically(path: Path) -> Generator[BinaryIO]:
    """Open a part file for writing; at the end, it replaces the file. After an error, the file is unchanged.

    :param path: the file, in an existing folder
    """
    remove_stale_parts(path)
    part, file = _create_part(path)
    try:
        with file:
            yield file
            file.flush()
            part.replace(path)  # while it is locked: another task would remove an unlocked part
    finally:
        part.unlink(missing_ok=True)


def remove_stale_parts(path: Path) -> None:
    """Remove the parts of a file that no task writes any more.

    :param path: the file
    """
    with contextlib.suppress(OSError):  # a folder that cannot be listed
        for part in _find_parts(path):
            with contextlib.suppress(OSError):  # it belongs to another user, or another task has removed it
                _remove_if_stale(part)


def _create_part(path: Path) -> tuple[Path, BinaryIO]:
    """Create and lock a part; again if another task has removed it before it was locked."""
    while True:
        part = path.with_name(f".{path.name}.{_machine()}.{uuid4().hex[:16]}.part")
        file = cast("BinaryIO", part.open("xb"))
        is_locked = _lock(file.fileno())
        if is_locked is None or (is_locked and os.fstat(file.fileno()).st_nlink):
            return part, file
        file.close()
        part.unlink(missing_ok=True)


def _find_parts(path: Path) -> Iterator[Path]:
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.[0-9a-f]{{16}}\.part")
    with os.scandir(path.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _remove_if_stale(part: Path) -> None:
    descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        can_lock = _lock(descriptor)
        is_of_this_machine = part.name.split(".")[-3] == _machine()
        is_idle = time.time() - os.fstat(descriptor).st_mtime > MAX_IDLE_SECONDS
        if can_lock is not False and (is_idle or (can_lock and is_of_this_machine)):
            part.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Return whether the file is now locked by this task; None if its file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@cache
def _machine() -> str:
    try:
        name = BOOT_ID.read_text(encoding="ascii")
    except OSError:  # not on Linux
        name = socket.gethostname()
    return hashlib.sha256(name.encode()).hexdigest()[:8]
