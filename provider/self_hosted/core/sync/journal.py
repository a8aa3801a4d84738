"""What a task has done of a plan so far, next to the plan, so that another try continues behind it.

A file per checkpoint: its first line names the plan, each further line is the outcome of a change.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync.target import Outcome
from self_hosted.core.tasks.storage import atomic_writer, is_local, resolve_path

log = get_logger(__name__)

MAX_CHANGES_BETWEEN_CHECKPOINTS = 5000
SECONDS_BETWEEN_CHECKPOINTS = 30.0


class Journal:
    """The journal of one plan.

    :param plan_uri: path or URI of the plan; the journal is a folder of that name with ``.journal`` at its end
    :param sha256: of the plan
    :param connection: the sync's temporary database
    :param interval: seconds between checkpoints
    """

    def __init__(
        self,
        plan_uri: str,
        sha256: str,
        connection: sqlite3.Connection,
        interval: float = SECONDS_BETWEEN_CHECKPOINTS,
    ) -> None:
        self._uri, self._sha256, self._connection, self._interval = f"{plan_uri}.journal", sha256, connection, interval
        self._pending: list[tuple[int, Outcome]] = []
        self._flushed_at = time.monotonic()
        connection.execute("CREATE TABLE journal(n INTEGER PRIMARY KEY, outcome TEXT)")
        self._files = self._load()

    @property
    def is_empty(self) -> bool:
        """Whether no earlier try has left an outcome."""
        return self._connection.execute("SELECT 1 FROM journal LIMIT 1").fetchone() is None

    def find(self, number: int) -> Outcome | None:
        """Return the outcome of a change in an earlier try; None if it is to be carried out (again).

        :param number: number of the change in the plan, from 1
        """
        found = self._connection.execute("SELECT outcome FROM journal WHERE n = ?", (number,)).fetchone()
        outcome = None if found is None else _read_outcome(json.loads(found[0]))
        return outcome if outcome is not None and outcome.is_final else None

    def add(self, number: int, outcome: Outcome) -> None:
        """Add an outcome; it is written with the next checkpoint.

        :param number: see `find`
        :param outcome: the outcome
        """
        self._pending.append((number, outcome))
        is_due = time.monotonic() - self._flushed_at >= self._interval
        if is_due or len(self._pending) >= MAX_CHANGES_BETWEEN_CHECKPOINTS:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last checkpoint."""
        if self._pending:
            numbers = [number for number, _ in self._pending]
            self._files += 1
            with atomic_writer(f"{self._uri}/{self._files:06}-{min(numbers)}-{max(numbers)}.jsonl") as file:
                file.write(_to_line({"plan": self._sha256}))
                for number, outcome in self._pending:
                    file.write(_to_line({"n": number, **asdict(outcome)}))
            self._pending = []
        self._flushed_at = time.monotonic()

    def remove(self) -> None:
        """Remove the journal, after the results of the task are stored elsewhere."""
        folder = resolve_path(self._uri)
        for path in _list_files(folder):
            path.unlink()
        if is_local(self._uri) and folder.is_dir():  # object stores have no folders
            folder.rmdir()

    def _load(self) -> int:
        """Read the files of earlier tries in the order of their writing, and return the number of the last one."""
        files = _list_files(resolve_path(self._uri))
        names = sorted(path.name for path in files if path.name.endswith(".jsonl"))
        for name in names:
            entries = ((line["n"], json.dumps(line)) for line in self._read(f"{self._uri}/{name}"))
            self._connection.executemany("INSERT OR REPLACE INTO journal VALUES (?, ?)", entries)
        return int(names[-1].partition("-")[0]) if names else 0

    def _read(self, uri: str) -> Iterator[dict[str, Any]]:
        try:
            with resolve_path(uri).open("rb") as file:
                if json.loads(file.readline() or b"{}").get("plan") != self._sha256:
                    raise ValueError("it belongs to another plan")
                for line in iter(file.readline, b""):  # files of object stores are no iterators
                    yield json.loads(line)
        except ValueError as error:
            log.warning("The rest of the checkpoint %s is ignored; its changes are compared again: %s", uri, error)


def _list_files(folder: Any) -> list[Any]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _to_line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _read_outcome(line: Mapping[str, Any]) -> Outcome:
    altered = {name: (sent, stored) for name, (sent, stored) in line["altered"].items()}
    return Outcome(**{name: value for name, value in line.items() if name != "n"} | {"altered": altered})
