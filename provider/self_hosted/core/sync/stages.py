"""The order of changes in a tree: parents before their children, removals from the leaves up; cycles fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from self_hosted.core.sync.diff_tables import DiffTables

# rows are created or moved below their parent, so that a row's stage is its depth
ROOTS = """
INSERT INTO depths SELECT n, key, key, 0 FROM rows
WHERE key != '' AND (parent IS NULL OR NOT EXISTS (SELECT 1 FROM rows p WHERE p.key = rows.parent))
"""
NEXT_DEPTH = """
INSERT OR IGNORE INTO depths SELECT r.n, r.key, d.root, d.depth + 1
FROM depths d JOIN rows r ON r.parent = d.key WHERE d.depth = ?
"""
IN_CYCLES = """
SELECT n, key, rows.parent FROM rows JOIN changes USING (n) WHERE n NOT IN (SELECT n FROM depths)
"""
SET_STAGES = """
UPDATE changes SET (stage, root) = (SELECT depth, root FROM depths WHERE depths.n = changes.n)
"""
SET_PARENTS = """
UPDATE changes SET parent = (
    SELECT rows.parent FROM rows WHERE rows.n = changes.n AND EXISTS (
        SELECT 1 FROM rows p JOIN changes c ON c.n = p.n
        WHERE p.key = rows.parent))
"""
IS_FOREIGN = """
rows.parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM rows p WHERE p.key = rows.parent)
AND NOT EXISTS (SELECT 1 FROM absent WHERE absent.key = rows.parent)
AND NOT EXISTS (SELECT 1 FROM parents_found f WHERE f.key = rows.parent)
"""
WITHOUT_PARENT = f"SELECT n, key, rows.parent FROM rows JOIN changes USING (n) WHERE {IS_FOREIGN}"  # noqa: S608
FOREIGN_PARENTS = f"""
SELECT DISTINCT rows.parent FROM rows JOIN changes USING (n)
WHERE {IS_FOREIGN} AND rows.parent > ? ORDER BY rows.parent LIMIT ?
"""  # noqa: S608
UNUSABLE_PARENTS = """
SELECT DISTINCT rows.parent FROM rows JOIN changes USING (n) JOIN rows p ON p.key = rows.parent
WHERE p.verdict IS NOT NULL AND NOT row_exists(p.n) AND rows.parent > ? ORDER BY rows.parent LIMIT ?
"""
ORPHANS = """
SELECT n, key, rows.parent FROM rows JOIN changes USING (n)
WHERE EXISTS (SELECT 1 FROM rows p WHERE p.key = rows.parent)
AND NOT EXISTS (SELECT 1 FROM rows p WHERE p.key = rows.parent
                AND (row_exists(p.n) OR EXISTS (SELECT 1 FROM changes c WHERE c.n = p.n)))
AND NOT EXISTS (SELECT 1 FROM parents_found f WHERE f.key = rows.parent)
"""
KEYS_PER_STEP = 1000

FindKeys = Callable[[Sequence[str]], Iterable[str]]
"""Returns those of some keys that the target has."""


def order_changes(tables: DiffTables, exists: Callable[[int], bool], find_keys: FindKeys) -> None:
    """Set the stages of changes in a tree, and settle those that have no parent.

    :param tables: the changes
    :param exists: whether the target has a record for a row, by its number
    :param find_keys: looks up parents that were not compared
    """
    connection = tables.connection
    connection.create_function("row_exists", 1, exists)
    _measure_depths(connection)
    tables.settle_all("failed", "the parents of this row, from %s up, form a cycle", IN_CYCLES)
    for query in (FOREIGN_PARENTS, UNUSABLE_PARENTS):
        _look_up_parents(connection, query, find_keys)
    tables.settle_all("failed", "its parent %s does not exist: add a row for it", WITHOUT_PARENT)
    while tables.settle_all("skipped", "its parent %s is not created", ORPHANS):
        pass  # then their children
    connection.execute(SET_STAGES)
    connection.execute(SET_PARENTS)


def _measure_depths(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE depths(n INTEGER PRIMARY KEY, key TEXT, root TEXT, depth INTEGER)")
    connection.execute("CREATE INDEX rows_parent ON rows(parent)")
    connection.execute("CREATE INDEX depths_depth ON depths(depth)")
    connection.execute("CREATE INDEX absent_key ON absent(key)")
    connection.execute(ROOTS)
    depth = 0
    while connection.execute(NEXT_DEPTH, (depth,)).rowcount:
        depth += 1


def _look_up_parents(connection: sqlite3.Connection, query: str, find_keys: FindKeys) -> None:
    """Find out which parents exist among those that were not compared: no rows, or rows that cannot be used."""
    last = ""
    while parents := [key for (key,) in connection.execute(query, (last, KEYS_PER_STEP))]:
        found = [(key,) for key in find_keys(parents)]
        connection.executemany("INSERT OR IGNORE INTO parents_found VALUES (?)", found)
        last = parents[-1]
