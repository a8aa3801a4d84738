"""Changes that depend on others: children on their parent, and the removal of a parent on that of its children."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from self_hosted.core.sync.target import Change, Outcome

UNUSABLE = frozenset({"failed", "conflict", "pending", "skipped"})
NEW = frozenset({"create", "restore"})


class Families:
    """Knows which changes must not be sent, because another one did not succeed.

    :param connection: the sync's temporary database
    :param parent_fields: names of the fields that refer to the parent
    """

    def __init__(self, connection: sqlite3.Connection, parent_fields: Collection[str] = ()) -> None:
        self._connection, self._parent_fields = connection, parent_fields
        connection.execute("CREATE TABLE unusable(key TEXT, relation TEXT, reason TEXT, is_final INTEGER)")
        connection.execute("CREATE UNIQUE INDEX unusable_key ON unusable(key, relation)")

    def add(self, change: Change, outcome: Outcome) -> None:
        """Remember a change that did not succeed.

        :param change: the change
        :param outcome: its outcome
        """
        if outcome.result not in UNUSABLE or change.collection:
            return
        for name in self._parent_fields:
            if isinstance(change.old.get(name), str) and name in change.new:  # it did not move to another parent
                self._insert(change.old[name], "child", f"the child {change.key!r}: {outcome.result}", outcome)
        if change.do != "delete":
            relation = "missing" if change.do in NEW else "parent"
            self._insert(change.key, relation, f"the parent {change.key!r}: {outcome.result}", outcome)
        elif change.parent is not None:
            self._insert(change.parent, "child", f"the child {change.key!r}: {outcome.result}", outcome)

    def find_obstacle(self, change: Change) -> Outcome | None:
        """Return the outcome of a change that must not be sent; None if it may be.

        A new record needs its parent as it is planned, an existing one only that the parent exists.

        :param change: the change
        """
        if change.do == "delete":
            return self._find(change, change.key, ("child",)) or self._find(change, change.ref or "", ("child",))
        relations = ("missing", "parent") if change.do in NEW else ("missing",)
        return None if change.parent is None else self._find(change, change.parent, relations)

    def _insert(self, key: str, relation: str, reason: str, outcome: Outcome) -> None:
        row = (key, relation, reason, outcome.is_final)
        self._connection.execute("INSERT OR IGNORE INTO unusable VALUES (?, ?, ?, ?)", row)

    def _find(self, change: Change, key: str, relations: tuple[str, ...]) -> Outcome | None:
        for relation in relations:
            query = "SELECT reason, is_final FROM unusable WHERE key = ? AND relation = ?"
            found = self._connection.execute(query, (key, relation)).fetchone()
            if found:
                reason, is_final = found
                return Outcome(change.key, "skipped", reason, change.ref, is_final=bool(is_final), row=change.row)
        return None
