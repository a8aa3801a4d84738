"""Files of a folder that others may write to: links must not lead out of it, also if they appear while a task runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO


def find_local_path(path: Any) -> Path | None:
    """Return the path of a file on this machine; None for an object store, which has no links.

    :param path: the result of `self_hosted.core.tasks.storage.resolve_path`
    """
    protocol = getattr(path, "protocol", None)  # older paths of object stores are a `Path`, too
    if protocol is None:
        return Path(path)
    return Path(path.path) if protocol in {"", "file", "local"} else None


def is_inside(folder: Path, path: Path) -> bool:
    """Return whether a path leads to something in a folder, or below it, once all links are followed.

    :param folder: the folder; it may be a link itself
    :param path: the path of something that exists
    """
    return _resolve(path).is_relative_to(_resolve(folder))


def open_inside(folder: Path, path: Path) -> BinaryIO:
    """Open a file of a folder for reading.

    The links are followed first, and the result is opened folder by folder without following any: a link that replaces
    a part of the path in the meantime is an error.

    :param folder: the folder; it may be a link itself
    :param path: the file, in the folder or below it
    :raises OSError: if the path leads out of the folder, or to no file, or cannot be opened
    """
    root, resolved = _resolve(folder), _resolve(path)
    if not resolved.is_relative_to(root):
        raise PermissionError(f"{path} is a link that points outside of {folder}")
    descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    for name in resolved.relative_to(root).parts:
        descriptor = _open_next(descriptor, name)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PermissionError(f"{path} is not a file")
    return os.fdopen(descriptor, "rb")


def _resolve(path: Path) -> Path:
    return Path(os.path.realpath(path))  # of a loop of links, it returns one of them


def _open_next(descriptor: int, name: str) -> int:
    """Open an entry of an open folder, and close the folder. A pipe does not block."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    finally:
        os.close(descriptor)
