"""The files of a batch: those of a list, or those of a folder that fit a pattern."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, cast

from self_hosted.core.arguments import listed
from self_hosted.core.flow import Upload
from self_hosted.core.storage import path_of


class FoundFile(NamedTuple):
    """One file, as it was when it was looked at.

    :param name: below the folder; or all of it, for a list and where that cannot be told
    :param path: as `self_hosted.core.storage.path_of` has it
    :param size: in bytes; None when there is no such file
    :param changed: when, in seconds since the epoch; 0 where the store does not tell
    """

    name: str
    path: Any
    size: int | None
    changed: float

    def tag(self, key: str) -> str:
        """What tells its submission from all others, as 32 hex digits: another one once the file was changed.

        :param key: of the piece of work that it is a part of
        """
        return hashlib.sha256(repr((key, str(self.path), self.size, self.changed)).encode()).hexdigest()[:32]

    @property
    def upload(self) -> Upload:
        """What is to be sent of it."""
        return Upload(self.path.name, lambda: cast("BinaryIO", self.path.open("rb")), self.size or 0)


def listed_files(files: Any) -> list[FoundFile]:
    """The files of a list, each once.

    :param files: paths or URIs: a list, the same as text, or the text of one
    :raises ValueError: when it is none of these
    """
    given = listed(files)
    if not isinstance(given, list) or not all(given):
        raise ValueError(f"files must be a list of paths or URIs, not {files!r}")
    paths = {str(one): path_of(str(one)) for one in given}
    return [_file(name, path) if path.is_file() else FoundFile(name, path, None, 0) for name, path in paths.items()]


def files_below(folder: str, pattern: str, *, recursive: bool, at_most: int) -> list[FoundFile]:
    """The files of a folder, sorted by name; of a larger one, one more than there may be, so that nobody looks at all.

    :param folder: its path, or the URI of a prefix in an object store
    :param pattern: of the names of files, such as ``*.zip``
    :param recursive: also those in the folders below
    :param at_most: how many there may be
    :raises ValueError: when there is no such folder, or the pattern would lead out of it
    """
    if not isinstance(pattern, str) or not pattern or "/" in pattern:
        raise ValueError(f"pattern must be one of names of files, such as *.zip, not {pattern!r}")
    top = path_of(folder)
    if not top.is_dir():
        raise ValueError(f"folder: there is no folder {folder!r}")
    fitting: Iterator[Any] = top.rglob(pattern) if recursive else top.glob(pattern)
    # not `relative_to`, which object stores have only of late
    start = f"{str(top).rstrip('/')}/"
    some = islice((path for path in fitting if path.is_file()), at_most + 1)
    return sorted((_file(str(path).removeprefix(start), path) for path in some), key=lambda one: one.name)


def _file(name: str, path: Any) -> FoundFile:
    status = path.stat()
    return FoundFile(name, path, status.st_size, float(status.st_mtime or 0))
