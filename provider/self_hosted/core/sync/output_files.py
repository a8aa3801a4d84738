"""Files that a sync writes: any storage, compressed by name, and complete or absent."""

from __future__ import annotations

import gzip
from collections.abc import Generator
from contextlib import contextmanager
from typing import BinaryIO, cast

from self_hosted.core.tasks.storage import atomic_writer

COMPRESSION = 6  # 9 takes several times as long, and saves little


@contextmanager
def open_output(uri: str) -> Generator[BinaryIO]:
    """Open a file for writing that appears only when it is complete; a name that ends with ``.gz`` is compressed.

    :param uri: see `storage.resolve_path`; an existing file is replaced
    """
    with atomic_writer(uri) as file:
        if not uri.lower().endswith(".gz"):
            yield file
            return
        # equal contents are equal files: without a name and a time
        with gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as compressed:
            yield cast("BinaryIO", compressed)
