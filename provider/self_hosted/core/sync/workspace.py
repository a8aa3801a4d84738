"""The temporary database of a sync: rows, comparisons and results that must not fill the memory of the task."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

PRAGMAS = (
    "journal_mode = OFF",  # a killed task starts again with an empty database
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    "cache_size = -8000",  # in KiB
    "temp_store = FILE",
)


class Workspace:
    """One SQLite file in a temporary folder. Use it in a ``with`` statement, which removes both at its end.

    Tables are created by the modules that own them. There is no need to commit: nobody else reads the file.
    """

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory(prefix="sync-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.connection = sqlite3.connect(self.folder / "sync.sqlite")
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._folder.cleanup()
