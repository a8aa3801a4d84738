"""Matches the records of a target with the rows of a source, page by page; nothing else of the target is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from self_hosted.core.sync.diff_tables import DiffTables, SourceRow, to_text
from self_hosted.core.sync.near_keys import find_near
from self_hosted.core.sync.record_diff import Decision, DiffOptions, RecordDiff
from self_hosted.core.sync.target import Schema, Stored, Target
from self_hosted.core.sync.tree import Tree

SEEN, LEFT_OUT, GONE = 1, 2, 4
"""Of each row: a record has its key; the mode leaves the row out; its record is deleted."""
MAX_SHOWN_REFS = 5
NEAR_RECORDS = """
SELECT near_records.key, rows.key, n, verdict FROM near_records JOIN rows USING (n) ORDER BY near_records.key
"""


class Matching:
    """The rows, and what is known of their records.

    :param tables: where decisions are kept
    :param target: the target
    :param schema: its fields
    :param options: what the sync changes
    """

    def __init__(self, tables: DiffTables, target: Target, schema: Schema, options: DiffOptions) -> None:
        self._tables, self._options = tables, options
        self._diff, self.tree = RecordDiff(target, schema, options), Tree(target, schema)
        self._has_refs = type(target).new_ref is not Target.new_ref
        self.total, last = tables.count_rows()
        self._flags = bytearray(last + 1)  # a byte per row, the only memory that grows with their number

    def exists(self, n: int) -> bool:
        """Return whether the target has a record for a row, which is not deleted.

        :param n: number of the row
        """
        return bool(self._flags[n] & SEEN) and not self._flags[n] & GONE

    def count_left_out(self) -> int:
        """Return the number of rows that the mode leaves out."""
        return sum(self._flags.count(flags) for flags in range(8) if flags & LEFT_OUT)

    def add_page(self, records: Sequence[Stored]) -> None:
        """Compare one page of a listing.

        :param records: of the page
        """
        records = [*map(_to_storable, records)]
        matched = self._match_others(records)
        for record in records:
            for row in matched.get(record.key, ()):
                self._match(row, record)
        self._add_absent(record for record in records if record.key not in matched and not record.is_deleted)
        # a record that was renamed meanwhile is listed with both keys
        self._tables.remove_absent(record.ref for record in records if record.key in matched)

    def add_looked_up(self, rows: Sequence[SourceRow], records: Iterable[Stored]) -> None:
        """Compare rows with the records that a look-up of their keys has found.

        :param rows: the rows
        :param records: the records; others than those with the keys may be among them
        """
        found = {record.ref: record for record in map(_to_storable, records)}
        self._match_others([*found.values()])
        for row in rows:
            self._flags[row.n] = 0
            self._match_one(row, [record for record in found.values() if record.key == row.key])

    def select_unmatched(self, rows: Iterable[SourceRow]) -> list[SourceRow]:
        """Return those of some rows that no record has matched.

        :param rows: the rows
        """
        return [row for row in rows if not self._flags[row.n] & SEEN]

    def add_new(self, rows: Iterable[SourceRow]) -> None:
        """Decide about those of some rows that no record has matched.

        :param rows: the rows
        """
        for row in self.select_unmatched(rows):
            self._keep(row, self._find_conflict(row) or self._diff.create(row.key, row.values), None)

    def settle_near(self) -> None:
        """Settle the records whose key looks like that of a row which is not settled for that reason."""
        for key, key_of_row, n, verdict in self._tables.connection.execute(NEAR_RECORDS):
            if verdict or self._flags[n] & SEEN:
                message = f"the key {key!r} of this record looks like {key_of_row!r} of row {n}: use one spelling"
                self._tables.settle(None, key, Decision(verdict="ambiguous", message=message))

    def _match_others(self, records: Sequence[Stored]) -> dict[str, list[SourceRow]]:
        """Return the rows of each key; note what keeps other rows from being created."""
        matched = dict[str, list[SourceRow]]()
        for row in self._tables.find_rows("key", {record.key for record in records}):
            matched.setdefault(row.key, []).append(row)
        if self._has_refs:
            self._note_taken(records, matched)
        self._note_near([each for each in records if each.key not in matched and not each.is_deleted])
        return matched

    def _note_taken(self, records: Sequence[Stored], matched: dict[str, list[SourceRow]]) -> None:
        own = {row.ref for rows in matched.values() for row in rows}
        others = {record.ref: record.key for record in records if record.ref not in own}
        for row in self._tables.find_rows("ref", others):
            values = (row.n, others[row.ref or ""], row.ref)
            self._tables.connection.execute("INSERT OR REPLACE INTO taken VALUES (?, ?, ?)", values)

    def _note_near(self, records: Iterable[Stored]) -> None:
        connection = self._tables.connection
        for record in records:
            for row in find_near(connection, record.key)[:1]:
                values = (record.ref, record.key, row.number)
                connection.execute("INSERT OR REPLACE INTO near_records VALUES (?, ?, ?)", values)
                self.tree.note_kept(connection, record)

    def _match(self, row: SourceRow, record: Stored) -> None:
        if self._flags[row.n] & SEEN:
            self._tables.connection.execute("INSERT OR IGNORE INTO doubtful VALUES (?)", (row.n,))
            return
        self._flags[row.n] |= SEEN
        decision = self._diff.compare(row.values, record) if row.verdict is None else None
        self._keep(row, decision, record)

    def _match_one(self, row: SourceRow, records: Sequence[Stored]) -> None:
        """Match a row with the only record that has its key; a deleted one counts if there is no other."""
        living = [record for record in records if not record.is_deleted] or records
        if len(living) > 1:
            self._flags[row.n] |= SEEN
            refs = ", ".join(sorted(record.ref for record in living)[:MAX_SHOWN_REFS])
            message = f"{len(living)} records have this key ({refs}): keep one"
            self._tables.add(row, Decision(verdict="ambiguous", message=message))
        for record in living if len(living) == 1 else ():
            self._match(row, record)

    def _keep(self, row: SourceRow, decision: Decision | None, record: Stored | None) -> None:
        if record and record.is_deleted and (decision is None or decision.do is None):
            self._flags[row.n] |= GONE
        if self._options.removal and self.tree:
            self.tree.note_parent(self._tables.connection, row, decision, record)
        if decision and decision.verdict == "skipped" and not decision.message:
            self._flags[row.n] |= LEFT_OUT
        elif decision:
            self._tables.add(row, decision, record)

    def _find_conflict(self, row: SourceRow) -> Decision | None:
        """Return why no record can be created for a row, if there is one that may be meant."""
        search = self._tables.connection.execute
        near = search("SELECT key, ref FROM near_records WHERE n = ? ORDER BY key", (row.n,)).fetchone()
        if near:
            message = f"the key {row.key!r} looks like {near[0]!r} of the record {near[1]}: use one spelling"
            return Decision(verdict="ambiguous", message=message)
        taken = search("SELECT key, ref FROM taken WHERE n = ?", (row.n,)).fetchone()
        if taken:
            message = f"the id {taken[1]} of its new record belongs to the record {taken[0]!r}"
            return Decision(verdict="ambiguous", message=f"{message}: correct the key of one of them")
        return None

    def _add_absent(self, records: Iterable[Stored]) -> None:
        for record in records:
            keeps_values = self._options.removal is not None
            values = (
                *(record.ref, record.key, record.stamp, to_text(dict(record.values)) if keeps_values else None),
                *(record.is_active, record.ticket, *self.tree.place(record)),
            )
            self._tables.connection.execute(
                "INSERT OR REPLACE INTO absent(ref, key, stamp, fields, is_active, ticket, node, up) "
                "SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM near_records WHERE ref = ?)",
                (*values, record.ref),
            )


def _to_storable(record: Stored) -> Stored:
    """Return a record with texts that SQLite accepts: half of a surrogate pair, which JSON may hold, becomes "?"."""
    texts = {"key": record.key, "ref": record.ref, "stamp": record.stamp or "", "ticket": record.ticket or ""}
    suspect = {name: text for name, text in texts.items() if not text.isascii()}
    changes: dict[str, Any] = {name: text.encode("utf-8", "replace").decode() for name, text in suspect.items()}
    return replace(record, **changes) if changes else record
