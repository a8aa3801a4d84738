"""Where rows and records are in a tree."""

from __future__ import annotations

import sqlite3

from self_hosted.core.sync.diff_tables import SourceRow
from self_hosted.core.sync.record_diff import Decision
from self_hosted.core.sync.target import Row, Schema, Stored, Target


class Tree:
    """The hierarchy of a target's records: by their keys (`Target.parent`), or by a field that refers to the parent.

    :param target: the target
    :param schema: its fields
    """

    def __init__(self, target: Target, schema: Schema) -> None:
        self._target = target
        self.is_by_key = type(target).parent is not Target.parent
        self._field = next((name for name, field in schema.fields.items() if field.is_parent), None)

    def __bool__(self) -> bool:
        """Return whether the records have parents."""
        return self.is_by_key or self._field is not None

    def place(self, record: Stored) -> tuple[str | None, str | None]:
        """Return the node of a record and that of its parent.

        :param record: the record
        """
        return record.key if self.is_by_key else record.ref, self._find_parent(record.key, record.values)

    def note_parent(
        self, connection: sqlite3.Connection, row: SourceRow, decision: Decision | None, record: Stored | None
    ) -> None:
        """Note the parent that the record of a row has after the sync: it must not be removed.

        :param connection: of the workspace
        :param row: the row
        :param decision: what becomes of it
        :param record: its record; None for a new one
        """
        changed = {name: new for name, (_, new) in decision.fields.items()} if decision else {}
        values = {**record.values, **changed} if record else row.values
        self._need(connection, self._find_parent(row.key, values))

    def note_kept(self, connection: sqlite3.Connection, record: Stored) -> None:
        """Note the parent of a record without a row that stays.

        :param connection: of the workspace
        :param record: the record
        """
        self._need(connection, self.place(record)[1])

    def _need(self, connection: sqlite3.Connection, node: str | None) -> None:
        if node is not None:
            connection.execute("INSERT OR IGNORE INTO needed VALUES (?)", (node,))

    def _find_parent(self, key: str, values: Row) -> str | None:
        if self.is_by_key:
            return self._target.parent(key, values)
        parent = values.get(self._field or "")
        return None if parent is None else str(parent)
