"""Reads a source as the engine does, and returns all of its rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from self_hosted.core.sync.snapshot import RawRow, take_snapshot
from self_hosted.core.sync.source import parse_source
from self_hosted.core.sync.workspace import Workspace


class Read(NamedTuple):
    columns: tuple[str, ...]
    rows: list[RawRow]
    sha256: str | None
    decimal_columns: frozenset[str]

    @property
    def cells(self) -> list[dict[str, Any]]:
        return [row.cells for row in self.rows]

    @property
    def lines(self) -> list[int]:
        return [row.line for row in self.rows]

    @property
    def problems(self) -> list[str]:
        return ["; ".join(f"{column}: {text}" for column, text in row.problems.items()) for row in self.rows]


def read(source: Any = None, expected: Any = ("sku",), problem_columns: Any = None, **options: Any) -> Read:
    with Workspace() as workspace:
        snapshot = take_snapshot(parse_source(source, **options), workspace, expected, problem_columns)
        rows = list(snapshot.rows())
        assert snapshot.total == len(rows)
        return Read(snapshot.columns, rows, snapshot.sha256, snapshot.decimal_columns)
