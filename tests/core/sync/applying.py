"""Plans by a small comparison, and applies them, for the tests of applying."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.sync.apply import apply
from self_hosted.core.sync.batches import ApplyOptions
from self_hosted.core.sync.journal import Journal
from self_hosted.core.sync.report import Report
from self_hosted.core.sync.target import Change, Stored
from tests.core.sync.toy_server import Client, ToyServer
from tests.core.sync.toy_targets import TableTarget, make_schema

Rows = Mapping[str, Mapping[str, Any]]


@dataclass
class Applying:
    """A target, the server behind it, and what applying changes to it gives."""

    server: ToyServer = field(default_factory=ToyServer)
    target: TableTarget = field(default_factory=TableTarget)
    fields: Sequence[str] = ("name", "price", "parent")
    client: Client = field(init=False)
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(self.server)
        self.schema = make_schema(*self.fields)

    def stored(self) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        cursor: Any = None
        while True:
            page = Client(self.server).run(self.target.page(self.schema, cursor))
            found |= {record.key: record for record in page.records}
            cursor = page.cursor
            if cursor is None:
                return found

    def plan(self, rows: Rows, on_missing: str = "ignore") -> list[Change]:
        """Return the changes that make the target equal the rows."""
        stored = self.stored()
        changes = [
            change
            for number, (key, row) in enumerate(rows.items(), 1)
            if (change := self._compare(key, row, stored, number))
        ]
        if on_missing != "ignore":
            missing = [record for key, record in stored.items() if key not in rows and not record.ticket]
            changes += [self._removal(record, stored, on_missing) for record in missing if record.is_active]
        order = ["create", "restore", "update", "deactivate", "delete"]
        return sorted(changes, key=lambda change: (order.index(change.do), change.stage))

    def apply(self, changes: Sequence[Change], journal: Journal | None = None, **options: Any) -> dict[str, str]:
        """Apply changes, and return the result of each by its key."""
        connection = sqlite3.connect(":memory:")
        self.report = Report(connection)
        apply(self.client.run, self.target, self.schema, changes, ApplyOptions(**options), self.report, journal)
        return self.results()

    def results(self) -> dict[str, str]:
        import json

        lines = [json.loads(line) for line in self.report.lines()]
        results = {line["key"]: line["result"] for line in lines}
        assert len(results) == len(lines)
        return results

    def sync(self, rows: Rows, **options: Any) -> dict[str, str]:
        return self.apply(self.plan(rows), **options)

    def line(self, key: str) -> dict[str, Any]:
        """Return the line of the report about a key."""
        import json

        [line] = [line for text in self.report.lines() if (line := json.loads(text))["key"] == key]
        return line  # type: ignore[no-any-return]

    def _compare(self, key: str, row: Mapping[str, Any], stored: Mapping[str, Stored], number: int) -> Change | None:
        record, parent = stored.get(key), row.get("parent")
        stage = self._depth(key, {**{k: v.values for k, v in stored.items()}, key: row})
        if record is None:
            return Change("create", key, self.target.new_ref(key), row, stage=stage, parent=parent, row=number)
        if record.ticket:
            return None
        new = {name: value for name, value in row.items() if record.values.get(name) != value}
        old = {name: record.values.get(name) for name in new}
        if record.is_deleted:
            return Change("restore", key, record.ref, new, old, record.stamp, stage=stage, parent=parent, row=number)
        return Change("update", key, record.ref, new, old, record.stamp, stage, parent, number) if new else None

    def _removal(self, record: Stored, stored: Mapping[str, Stored], do: Any) -> Change:
        depth = self._depth(record.key, {key: each.values for key, each in stored.items()})
        return Change(
            do, record.key, record.ref, {}, record.values, record.stamp, 100 - depth, record.values.get("parent")
        )

    def _depth(self, key: str, rows: Mapping[str, Mapping[str, Any]]) -> int:
        parent = rows.get(key, {}).get("parent")
        return 0 if parent is None else 1 + self._depth(parent, rows)


def sync_until_done(applying: Applying, rows: Rows, **options: Any) -> dict[str, str]:
    """Sync as a task with retries does."""
    while True:
        try:
            return applying.sync(rows, **options)
        except SelfHostedError:
            options["is_retry"] = True
