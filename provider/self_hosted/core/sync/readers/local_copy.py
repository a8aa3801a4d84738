"""A copy of the source file in the workspace: one read, its hash, decompressed, and proof that it was complete."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from self_hosted.core.http.logs import BYTES_PER_MEGABYTE
from self_hosted.core.sync.readers.table import IncompleteSourceError
from self_hosted.core.sync.workspace import Workspace
from self_hosted.core.tasks.storage import resolve_path

MAX_FILE_BYTES = 50_000 * BYTES_PER_MEGABYTE  # decompressed
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1024 * 1024
VERSION_DETAILS = ("size", "mtime", "LastModified", "last_modified", "ETag", "etag", "generation", "VersionId", "md5")
"""What object stores return about the version of an object."""


class LocalCopy(NamedTuple):
    """A copy of a file on this machine.

    :param path: of the copy, which is decompressed
    :param sha256: of the bytes of the original
    """

    path: Path
    sha256: str


def copy_file(uri: str, workspace: Workspace) -> LocalCopy:
    """Copy a file to the workspace; one compressed with gzip is decompressed, whatever its name is.

    :param uri: see `storage.resolve_path`
    :param workspace: receives it
    :raises IncompleteSourceError: if it is torn, or changes meanwhile
    :raises ValueError: if it is no file, or too large
    """
    path, copy = resolve_path(uri), workspace.folder / "source"
    if path.is_dir():
        raise ValueError(f"source: {uri} is a folder, not a file")
    before = _read_version(path)
    with path.open("rb") as opened, copy.open("wb") as target:
        original = _HashedFile(opened)
        _copy(uri, io.BufferedReader(original, CHUNK_BYTES), target)
    size = before[0]  # some stores do not state it
    if _read_version(path) != before or size not in {None, original.size}:
        raise IncompleteSourceError(
            f"source: {uri} changed while it was read; write it under another name, and rename it when it is complete"
        )
    return LocalCopy(copy, original.digest.hexdigest())


class _HashedFile(io.RawIOBase):
    """Counts and hashes what is read from a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.size, self.digest = file, 0, hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self.size += len(found)
        self.digest.update(found)
        return len(found)


def _copy(uri: str, original: io.BufferedReader, target: IO[bytes]) -> None:
    is_compressed = original.peek(2)[:2] == GZIP_MAGIC
    file = cast("BinaryIO", gzip.GzipFile(fileobj=original) if is_compressed else original)
    size = 0
    try:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise ValueError(f"source: {uri} is larger than {MAX_FILE_BYTES // BYTES_PER_MEGABYTE} MB")
            target.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise IncompleteSourceError(f"source: {uri} is not a complete gzip file: {error}") from None


def _read_version(path: Any) -> tuple[Any, ...]:
    """Return the size of a file, and what changes with its content."""
    if hasattr(path, "fs"):
        path.fs.invalidate_cache()
    stat = path.stat()
    if isinstance(stat, Mapping):
        return stat.get("size"), *(stat.get(name) for name in VERSION_DETAILS)
    return stat.st_size, cast("os.stat_result", stat).st_mtime_ns, stat.st_ino
