"""Rows that have the same key, or keys that are near each other: which of them counts is not guessed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from self_hosted.core.http.logs import get_logger, shorten
from self_hosted.core.sync.near_keys import KeyOfRow, list_near_groups
from self_hosted.core.sync.snapshot import Snapshot
from self_hosted.core.sync.workspace import Workspace

log = get_logger(__name__)

OnDuplicateKey = Literal["fail", "skip", "first", "last"]
MAX_SHOWN_KEYS = 20
MAX_SHOWN_ROWS = 3

_REPEATED = """
CREATE TABLE repeated AS
SELECT key, count(*) AS total, min(n) AS first_n, max(n) AS last_n
FROM rows WHERE key != '' GROUP BY key HAVING count(*) > 1
"""
_SHOWN = """
SELECT key, total, (SELECT line FROM rows WHERE n = first_n), (SELECT line FROM rows WHERE n = last_n)
FROM repeated ORDER BY first_n LIMIT ?
"""
_SKIP_ALL = """
UPDATE rows SET verdict = 'ambiguous', problem = (
    SELECT total || ' rows have this key, the first in ' || ? || ' '
    || (SELECT line FROM rows AS other WHERE other.n = first_n) FROM repeated WHERE repeated.key = rows.key
) WHERE verdict IS NULL AND key IN (SELECT key FROM repeated)
"""
_KEEP_FIRST = """
UPDATE rows SET verdict = 'skipped', problem = (
    SELECT 'an earlier row has this key, and counts: ' || ? || ' '
    || (SELECT line FROM rows AS other WHERE other.n = first_n) FROM repeated WHERE repeated.key = rows.key
) WHERE key IN (SELECT key FROM repeated) AND n NOT IN (SELECT first_n FROM repeated)
"""
_KEEP_LAST = """
UPDATE rows SET verdict = 'skipped', problem = (
    SELECT 'a later row has this key, and counts: ' || ? || ' '
    || (SELECT line FROM rows AS other WHERE other.n = last_n) FROM repeated WHERE repeated.key = rows.key
) WHERE key IN (SELECT key FROM repeated) AND n NOT IN (SELECT last_n FROM repeated)
"""
_SETTLE: Mapping[OnDuplicateKey, str] = {"skip": _SKIP_ALL, "first": _KEEP_FIRST, "last": _KEEP_LAST}
_MARK_NEAR = """
UPDATE rows SET verdict = 'ambiguous', problem = (SELECT message FROM near WHERE near.n = rows.n)
WHERE verdict IS NULL AND n IN (SELECT n FROM near)
"""


def check_keys(snapshot: Snapshot, workspace: Workspace, on_duplicate_key: OnDuplicateKey) -> None:
    """Give a verdict to rows whose key does not identify one row.

    :param snapshot: the source
    :param workspace: its table ``rows`` is complete
    :param on_duplicate_key: "fail": the sync fails; "skip": all rows of the key are ambiguous; "first" or "last": that
        row counts, the others are skipped
    :raises ValueError: for duplicate keys, if they fail the sync
    """
    connection, unit = workspace.connection, snapshot.place.unit
    connection.execute(_REPEATED)
    count = connection.execute("SELECT count(*) FROM repeated").fetchone()[0]
    if count:
        _settle_duplicates(connection, unit, on_duplicate_key, count)
    _settle_near(connection, unit)


def _settle_duplicates(connection: sqlite3.Connection, unit: str, choice: OnDuplicateKey, count: int) -> None:
    shown = ", ".join(_describe(connection, unit))
    if choice == "fail":
        raise ValueError(f"{count} keys are in several rows; correct them, or set on_duplicate_key: {shown}")
    log.warning("%d keys are in several rows (on_duplicate_key is %r): %s", count, choice, shown)
    connection.execute("CREATE INDEX repeated_by_key ON repeated (key)")
    connection.execute(_SETTLE[choice], (unit,))


def _describe(connection: sqlite3.Connection, unit: str) -> Iterator[str]:
    for key, count, first, last in connection.execute(_SHOWN, (MAX_SHOWN_KEYS,)):
        yield f"{shorten(repr(key))} ({count} rows, {unit}s {first} to {last})"


def _settle_near(connection: sqlite3.Connection, unit: str) -> None:
    shown, count = list[str](), 0
    connection.execute("CREATE TABLE near (n INTEGER PRIMARY KEY, message TEXT)")
    for group in list_near_groups(connection):
        count += len(group)
        spellings = list({row.key: row for row in reversed(group)}.values())[::-1]
        if len(shown) < MAX_SHOWN_KEYS:
            shown.append(_list_keys(spellings, unit))
        messages = {row.key: _describe_near(row.key, spellings, unit) for row in spellings}
        connection.executemany("INSERT INTO near VALUES (?, ?)", [(row.number, messages[row.key]) for row in group])
    if shown:
        log.warning("%d rows have keys that are near others, and are not sent: %s", count, "; ".join(shown))
        connection.execute(_MARK_NEAR)


def _describe_near(key: str, spellings: Sequence[KeyOfRow], unit: str) -> str:
    some = [row for row in spellings[: MAX_SHOWN_ROWS + 1] if row.key != key]
    return f"the key {key!r} is near {_list_keys(some, unit, len(spellings) - 1)}; correct one of them"


def _list_keys(rows: Sequence[KeyOfRow], unit: str, total: int | None = None) -> str:
    shown = ", ".join(f"{row.key!r} ({unit} {row.line})" for row in rows[:MAX_SHOWN_ROWS])
    more = (len(rows) if total is None else total) - MAX_SHOWN_ROWS
    return shown if more <= 0 else f"{shown} and {more} more"
