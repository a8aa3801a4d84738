"""Compares rows with a toy server, and returns what differs."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from self_hosted.core.sync import diff
from self_hosted.core.sync.diff_counts import DiffCounts
from self_hosted.core.sync.near_keys import hash_folded
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.record_diff import DiffOptions
from self_hosted.core.sync.reference_names import ReferenceNames
from self_hosted.core.sync.target import Change, Schema, Target
from self_hosted.core.sync.typing_rows import CREATE, INDEXES, INSERT
from self_hosted.core.sync.workspace import Workspace
from tests.core.sync.toy_server import Client, ToyServer
from tests.core.sync.toy_targets import TableTarget, make_schema


@dataclass(frozen=True)
class Compared:
    """The result of a comparison."""

    workspace: Workspace
    counts: DiffCounts
    changes: list[Change]
    settled: list[Settled]

    @property
    def actions(self) -> list[tuple[str, str]]:
        """Action and key of each change."""
        return [(change.do, change.key) for change in self.changes]

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """Verdict and key of each settled row or record."""
        return [(row.verdict, row.key) for row in self.settled]

    @property
    def numbers(self) -> dict[str, int]:
        """The counts that are not 0, without rows and records."""
        counts = self.counts.to_json()
        return {name: count for name, count in counts.items() if count and name not in {"total", "records"}}


@dataclass(frozen=True)
class BadRow:
    """A row that typing has settled."""

    verdict: str
    problem: str


def put_rows(workspace: Workspace, target: Target, rows: Sequence[tuple[str, Any]]) -> None:
    """Fill the table of typed rows: key, and values or `BadRow`."""
    workspace.connection.execute(CREATE)
    for number, (key, values) in enumerate(rows, 1):
        is_bad = isinstance(values, BadRow)
        text = json.dumps({} if is_bad else values, sort_keys=True)
        parent = None if is_bad else target.parent(key, values)
        place = (target.new_ref(key), parent, hash_folded(key)) if key else (None, None, None)
        verdict = (values.verdict, values.problem) if is_bad else (None, None)
        workspace.connection.execute(INSERT, (number, key, number, text, *place, *verdict))
    for index in INDEXES:
        workspace.connection.execute(index)


@contextmanager
def compared(
    server: ToyServer,
    rows: Mapping[str, Any] | Sequence[tuple[str, Any]],
    target: Target | None = None,
    schema: Schema | None = None,
    **options: Any,
) -> Generator[Compared]:
    """Compare rows with the records of a server."""
    target, schema = target or TableTarget(), schema or make_schema("name", "price", "tags")
    with Workspace() as workspace:
        ReferenceNames(workspace, schema)  # creates its table
        put_rows(workspace, target, [*rows.items()] if isinstance(rows, Mapping) else rows)
        counts = diff.compare(Client(server).run, target, schema, workspace, DiffOptions(**options))
        yield Compared(workspace, counts, list(diff.changes(workspace)), list(diff.settled(workspace)))
