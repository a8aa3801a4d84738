"""The report of a sync: counts and samples for the task's result, and all rows for a file."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NotRequired, Self, TypedDict

from self_hosted.core.tasks.storage import atomic_writer

if TYPE_CHECKING:
    from self_hosted.atrocore.api.sync.changes import Result, RowOutcome

MAX_SAMPLES = 20


class FailedRow(TypedDict):
    """A failed row.

    :param key: the row's key
    :param message: the reason
    """

    key: str
    message: str


class ReportedRow(TypedDict):
    """A row in the report file, or in the plan of a dry run.

    :param key: the row's key
    :param result: created, updated, unchanged, ambiguous or failed
    :param message: the reason, if it is ambiguous or failed
    :param values: the fields that a dry run would set
    """

    key: str
    result: Result
    message: NotRequired[str]
    values: NotRequired[dict[str, Any]]


class SyncSummary(TypedDict):
    """Counts of rows, and the first problems.

    :param created: rows whose record was created
    :param updated: rows whose record was updated
    :param unchanged: rows that equal their record
    :param ambiguous: rows whose key is not unique
    :param failed: rows that could not be stored
    :param total: all rows
    :param failures: the first 20 failed rows
    :param ambiguous_keys: the first 20 ambiguous keys
    """

    created: int
    updated: int
    unchanged: int
    ambiguous: int
    failed: int
    total: int
    failures: list[FailedRow]
    ambiguous_keys: list[str]


class SyncReport:
    """Collects the outcomes of rows. Use it in a ``with`` statement.

    :param keep_all: whether every row is kept, in a temporary file, for `write`
    """

    def __init__(self, *, keep_all: bool) -> None:
        self.counts: Counter[Result] = Counter()
        self.failures: list[RowOutcome] = []
        self.ambiguous_keys: list[str] = []
        self.changes: list[RowOutcome] = []
        self.are_failures_permanent = True
        self.rows = tempfile.TemporaryFile() if keep_all else None  # noqa: SIM115 in __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.rows:
            self.rows.close()

    def add(self, outcomes: Iterable[RowOutcome], rows_each: int = 1) -> None:
        """Add outcomes.

        :param outcomes: of rows
        :param rows_each: the number of rows that each outcome stands for
        """
        for outcome in outcomes:
            self.counts[outcome.result] += rows_each
            self._add_sample(outcome)
            if self.rows:
                self.rows.write((b",\n" if self.rows.tell() else b"") + json.dumps(_to_json(outcome)).encode())

    @property
    def total(self) -> int:
        """The number of rows so far."""
        return self.counts.total()

    def summarize(self) -> SyncSummary:
        """Return counts, and the first problems."""
        return {
            "created": self.counts["created"],
            "updated": self.counts["updated"],
            "unchanged": self.counts["unchanged"],
            "ambiguous": self.counts["ambiguous"],
            "failed": self.counts["failed"],
            "total": self.total,
            "failures": [{"key": outcome.key, "message": outcome.message} for outcome in self.failures],
            "ambiguous_keys": self.ambiguous_keys,
        }

    def plan(self) -> list[ReportedRow]:
        """Return the first 20 rows that create or update a record."""
        return [_to_json(outcome) for outcome in self.changes]

    def write(self, uri: str, result: SyncSummary) -> None:
        """Write the task's result and all rows as one JSON document, which appears only when it is complete.

        :param uri: path or URI
        :param result: the start of the document
        """
        head = json.dumps(result)[:-1]
        with atomic_writer(uri) as file:
            file.write(f'{head}, "rows": [\n'.encode())
            if self.rows:
                self.rows.seek(0)
                shutil.copyfileobj(self.rows, file)
            file.write(b"\n]}\n")

    def _add_sample(self, outcome: RowOutcome) -> None:
        samples = {"failed": self.failures, "created": self.changes, "updated": self.changes}
        if outcome.result == "failed":
            self.are_failures_permanent = self.are_failures_permanent and outcome.is_permanent
        if outcome.result == "ambiguous":
            self.ambiguous_keys += [outcome.key] if len(self.ambiguous_keys) < MAX_SAMPLES else []
        elif outcome.result in samples and len(samples[outcome.result]) < MAX_SAMPLES:
            samples[outcome.result].append(outcome)


def _to_json(outcome: RowOutcome) -> ReportedRow:
    row: ReportedRow = {"key": outcome.key, "result": outcome.result}
    if outcome.message:
        row["message"] = outcome.message
    if outcome.values:
        row["values"] = dict(outcome.values)
    return row
