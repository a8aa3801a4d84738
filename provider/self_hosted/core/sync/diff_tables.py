"""The tables of a comparison, in the temporary database of the sync. Table ``rows`` belongs to `typing_rows`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from self_hosted.core.sync.comparison import is_empty
from self_hosted.core.sync.record_diff import Decision
from self_hosted.core.sync.target import Row, Stored

TABLES = """
CREATE TABLE changes(n INTEGER PRIMARY KEY, do TEXT, ref TEXT, stamp TEXT, fields TEXT, emptied INTEGER,
                     stage INTEGER DEFAULT 0, parent TEXT, root TEXT);
CREATE TABLE settled(n INTEGER, key TEXT, verdict TEXT, message TEXT, field TEXT, value TEXT, ticket TEXT);
CREATE INDEX settled_n ON settled(n);
CREATE TABLE absent(ref TEXT PRIMARY KEY, key TEXT, stamp TEXT, fields TEXT, is_active INTEGER, ticket TEXT,
                    node TEXT, up TEXT, do TEXT, stage INTEGER DEFAULT 0);
CREATE TABLE needed(node TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE parents_found(key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE taken(n INTEGER PRIMARY KEY, key TEXT, ref TEXT);
CREATE TABLE near_records(ref TEXT PRIMARY KEY, key TEXT, n INTEGER);
CREATE INDEX near_records_n ON near_records(n);
CREATE TABLE doubtful(n INTEGER PRIMARY KEY);
"""
"""
changes: rows that change something; ``fields`` holds old and new values, NULL for a new record
settled: rows, or records if ``n`` is NULL, that change nothing
absent: records without a row; ``node`` and ``up`` identify it and its parent in a tree
needed: nodes of a tree below which rows are
parents_found: keys of parents that exist, although they were not compared
taken: rows whose new record would get the id of a record with another key
near_records: records without a row whose key looks like that of a row
doubtful: rows for which two records were listed, or one twice
"""
NEXT_ROWS = "SELECT n, key, ref, verdict, row FROM rows WHERE n > ? AND verdict IS NULL ORDER BY n LIMIT ?"
ROWS_PER_STEP = 1000
MAX_PARAMETERS = 500
"""Of one statement: some builds of SQLite allow 999."""


class SourceRow(NamedTuple):
    """A row of table ``rows``.

    :param n: its number
    :param key: its key
    :param ref: the id that a new record would get
    :param verdict: why it is not compared; None if it is
    :param text: its values as JSON
    """

    n: int
    key: str
    ref: str | None
    verdict: str | None
    text: str

    @property
    def values(self) -> Row:
        """Its values."""
        return json.loads(self.text)  # type: ignore[no-any-return]


class DiffTables:
    """Access to the tables.

    :param connection: of the workspace
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def create(self) -> None:
        """Create the tables, and the SQL function that splits them."""
        self.connection.executescript(TABLES)
        self.connection.create_function("shard_of", 2, shard_of, deterministic=True)

    def count_rows(self) -> tuple[int, int]:
        """Return the number of rows, and the highest number of a row."""
        return self.connection.execute("SELECT count(*), coalesce(max(n), 0) FROM rows").fetchone()  # type: ignore[no-any-return]

    def find_rows(self, column: str, values: Iterable[Any]) -> Iterator[SourceRow]:
        """Return the rows with one of some values.

        :param column: n, key or ref
        :param values: the values
        """
        for part, marks in _split(values):
            statement = f"SELECT n, key, ref, verdict, row FROM rows WHERE {column} IN ({marks})"  # noqa: S608
            yield from map(SourceRow._make, self.connection.execute(statement, part))

    def all_rows(self) -> Iterator[list[SourceRow]]:
        """Return the rows that are compared, some at a time: other tables may be written meanwhile."""
        last = 0
        while rows := [*map(SourceRow._make, self.connection.execute(NEXT_ROWS, (last, ROWS_PER_STEP)))]:
            yield rows
            last = rows[-1].n

    def add(self, row: SourceRow, decision: Decision, stored: Stored | None = None) -> None:
        """Keep a decision.

        :param row: the row
        :param decision: the decision
        :param stored: its record; None for a new one
        """
        if decision.do is None:
            self.settle(row.n, row.key, decision)
            return
        is_new = decision.do == "create"
        ref, stamp = (stored.ref, stored.stamp) if stored else (row.ref, None)
        emptied = sum(is_empty(new) and not is_empty(old) for old, new in decision.fields.values())
        values = (row.n, decision.do, ref, stamp, None if is_new else to_text(decision.fields), emptied)
        self.connection.execute(
            "INSERT INTO changes(n, do, ref, stamp, fields, emptied) VALUES (?, ?, ?, ?, ?, ?)", values
        )

    def settle(self, n: int | None, key: str, decision: Decision) -> None:
        """Keep why a row or record is not changed; a change of the row that was planned before is dropped.

        :param n: number of the row; None for a record without one
        :param key: the key
        :param decision: the reason
        """
        value = None if decision.value is None else to_text(decision.value)
        reason = (decision.verdict, decision.message, decision.field, value, decision.ticket)
        self.connection.execute("DELETE FROM changes WHERE n = ?", (n,))
        self.connection.execute("INSERT INTO settled VALUES (?, ?, ?, ?, ?, ?, ?)", (n, key, *reason))

    def settle_all(self, verdict: str, message: str, rows: str) -> int:
        """Settle rows, drop their changes, and return the number of these rows.

        :param verdict: of each
        :param message: of each; ``%s`` stands for its parent
        :param rows: a query of their number, key and parent
        """
        statement = f"""
            INSERT INTO settled(n, key, verdict, message, field)
            SELECT n, key, ?, printf(?, quote(parent)), '' FROM ({rows})
        """  # noqa: S608
        count = self.connection.execute(statement, (verdict, message)).rowcount
        self.connection.execute("DELETE FROM changes WHERE n IN (SELECT n FROM settled)")
        return count

    def pop_doubtful(self, limit: int) -> list[SourceRow]:
        """Return some of the rows that have to be compared once more, without their decisions.

        :param limit: their maximum number
        """
        numbers = [n for (n,) in self.connection.execute("SELECT n FROM doubtful ORDER BY n LIMIT ?", (limit,))]
        rows = list(self.find_rows("n", numbers))
        for table in ("doubtful", "changes", "settled"):
            self.connection.executemany(f"DELETE FROM {table} WHERE n = ?", [(n,) for n in numbers])  # noqa: S608
        return rows

    def remove_absent(self, refs: Iterable[str]) -> None:
        """Remove records that have a row after all: they were renamed while the target was read.

        :param refs: their ids
        """
        for part, marks in _split(refs):
            self.connection.execute(f"DELETE FROM absent WHERE ref IN ({marks})", part)  # noqa: S608


def shard_of(key: str, total: int) -> int:
    """Return the part of a plan that a key belongs to, from 1.

    :param key: of a row; in a tree, of the topmost row above it
    :param total: number of parts
    """
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest() if total > 1 else b""
    return int.from_bytes(digest) % total + 1


def to_text(value: Any) -> str:
    """Return a value as compact JSON.

    :param value: JSON
    """
    return json.dumps(value, separators=(",", ":"))


def _split(values: Iterable[Any]) -> Iterator[tuple[list[Any], str]]:
    every = list(values)
    for start in range(0, len(every), MAX_PARAMETERS):
        part = every[start : start + MAX_PARAMETERS]
        yield part, ",".join("?" * len(part))
