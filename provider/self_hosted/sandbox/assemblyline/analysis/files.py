"""Files that the analysis reads."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import IO

CHUNK_BYTES = 64 * 1024
MAX_HEAD_BYTES = 1024 * 1024
MAX_STORED_BYTES = 16 * 1024 * 1024  # the content of larger files is not stored


@dataclass
class AnalyzedFile:
    """A submitted file, or a file extracted from one.

    ``content`` is None if the file is too large to be stored. ``head`` is the first MiB. ``score`` is None if the file
    has no result. ``children`` are (name, SHA-256) pairs of the extracted files.
    """

    sha256: str
    sha1: str
    md5: str
    size: int
    content: bytes | None
    head: bytes
    score: int | None = None
    error: str = ""
    children: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_zip(self) -> bool:
        """Whether the file is a zip archive."""
        return self.head.startswith(b"PK\x03\x04")

    @property
    def type(self) -> str:
        """The type of the file in the terms of Assemblyline."""
        return "archive/zip" if self.is_zip else "text/plain"


def read_file(file: IO[bytes]) -> AnalyzedFile:
    """Return the hashes, the size, the head and, if it is not too large, the content of a file.

    :param file: open and seekable file
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    digests = [hashlib.new(name, usedforsecurity=False) for name in ("sha256", "sha1", "md5")]
    stored, limit = bytearray(), MAX_STORED_BYTES if size <= MAX_STORED_BYTES else MAX_HEAD_BYTES
    while chunk := file.read(CHUNK_BYTES):
        for digest in digests:
            digest.update(chunk)
        stored += chunk[: max(0, limit - len(stored))]
    content = bytes(stored)
    sha256, sha1, md5 = (digest.hexdigest() for digest in digests)
    return AnalyzedFile(
        sha256, sha1, md5, size, content if size <= MAX_STORED_BYTES else None, content[:MAX_HEAD_BYTES]
    )
