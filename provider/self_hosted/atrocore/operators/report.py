"""What a sync did: counts and samples for XCom, and every row for a file."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from self_hosted.core.storage import path_of

if TYPE_CHECKING:
    from self_hosted.atrocore.api import Outcome

SAMPLE = 20


class Report:
    """Counts what became of rows. Use it in a ``with``.

    :param keep_all: whether every row is kept, in a file, for `write`
    """

    def __init__(self, *, keep_all: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.failures: list[Outcome] = []
        self.ambiguous: list[str] = []
        self.sample: list[Outcome] = []
        self.all_final = True
        self.rows = tempfile.TemporaryFile("w+", encoding="utf-8") if keep_all else None  # noqa: SIM115 in __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.rows:
            self.rows.close()

    def add(self, outcomes: Iterable[Outcome], rows_each: int = 1) -> None:
        """Take note.

        :param rows_each: how many rows each outcome is about
        """
        for outcome in outcomes:
            self.counts[outcome.result] += rows_each
            self._keep_sample(outcome)
            if self.rows:
                self.rows.write((",\n" if self.rows.tell() else "") + json.dumps(_row(outcome)))

    @property
    def total(self) -> int:
        """How many rows there were."""
        return self.counts.total()

    def summary(self) -> dict[str, Any]:
        """Counts, and the first of what went wrong."""
        results = ("created", "updated", "unchanged", "ambiguous", "failed")
        return {
            **{result: self.counts[result] for result in results},
            "total": self.total,
            "failures": [{"key": found.key, "message": found.message} for found in self.failures],
            "ambiguous_keys": self.ambiguous,
        }

    def plan(self) -> list[dict[str, Any]]:
        """The first of what a plan would do."""
        return [_row(outcome) for outcome in self.sample]

    def write(self, uri: str, summary: dict[str, Any]) -> None:
        """Write all rows, with the summary before them, as one JSON document.

        :param uri: path or URI
        """
        head = json.dumps(summary)[:-1]
        with path_of(uri).open("w", encoding="utf-8") as file:
            file.write(f'{head}, "rows": [\n')
            if self.rows:
                self.rows.seek(0)
                shutil.copyfileobj(self.rows, file)
            file.write("\n]}\n")

    def _keep_sample(self, outcome: Outcome) -> None:
        if outcome.result == "failed":
            self.all_final = self.all_final and outcome.final
        kept: dict[str, list[Any]] = {"failed": self.failures, "created": self.sample, "updated": self.sample}
        if outcome.result == "ambiguous":
            self.ambiguous += [outcome.key] if len(self.ambiguous) < SAMPLE else []
        elif outcome.result in kept and len(kept[outcome.result]) < SAMPLE:
            kept[outcome.result].append(outcome)


def _row(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"key": outcome.key, "result": outcome.result}
    if outcome.message:
        told["message"] = outcome.message
    if outcome.values:
        told["values"] = dict(outcome.values)
    return told
