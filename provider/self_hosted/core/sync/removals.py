"""Records that the source lacks: which of them are removed, and in which order."""

from __future__ import annotations

from typing import Literal

from self_hosted.core.sync.diff_tables import DiffTables
from self_hosted.core.sync.record_diff import Decision

PENDING = """
INSERT INTO settled(key, verdict, message, field, ticket)
SELECT key, 'pending', ticket || ' has to be approved in the product first', '', ticket
FROM absent WHERE ticket IS NOT NULL
"""
# a record with the id of a row is what the row is about, perhaps
CHOOSE = """
UPDATE absent SET do = ? WHERE ticket IS NULL AND (? OR is_active) AND ref NOT IN (SELECT ref FROM taken)
"""
# a deleted parent would take its children along
KEEP_PARENTS = """
UPDATE absent SET do = NULL
WHERE do IS NOT NULL AND (node IN (SELECT node FROM needed) OR node IN (SELECT up FROM absent WHERE do IS NULL))
"""
KEPT = """
INSERT INTO settled(key, verdict, message, field)
SELECT key, 'skipped', 'it is missing in the source, but holds records that stay', ''
FROM absent WHERE do IS NULL AND ticket IS NULL AND ref NOT IN (SELECT ref FROM taken)
"""
TOP = "UPDATE absent SET stage = 0 WHERE do IS NOT NULL"
NEXT_STAGE = """
UPDATE absent SET stage = ?1 + 1 WHERE do IS NOT NULL
AND up IN (SELECT node FROM absent WHERE do IS NOT NULL AND stage = ?1)
"""
MAX_DEPTH = 1000
"""Of a tree; deeper ones are cycles."""


def plan_removals(tables: DiffTables, removal: Literal["deactivate", "delete"]) -> None:
    """Choose the records that are removed.

    :param tables: the records without a row
    :param removal: the action
    """
    connection = tables.connection
    connection.execute(PENDING)
    [without_key] = connection.execute("SELECT count(*) FROM rows WHERE key = ''").fetchone()
    if without_key:
        _keep_all(tables, without_key)
        return
    connection.execute(CHOOSE, (removal, removal == "delete"))
    connection.execute("CREATE INDEX absent_node ON absent(node)")
    connection.execute("CREATE INDEX absent_up ON absent(up)")
    if removal == "delete":  # not for deactivation, which leaves out records that are inactive already
        while connection.execute(KEEP_PARENTS).rowcount:
            pass  # then those that hold the kept ones
        connection.execute(KEPT)
    _set_stages(tables)


def _keep_all(tables: DiffTables, without_key: int) -> None:
    [missing] = tables.connection.execute("SELECT count(*) FROM absent").fetchone()
    if missing:
        message = f"none of {missing} missing records is removed, because {without_key} rows have no usable key"
        tables.settle(None, "", Decision(verdict="skipped", message=message))


def _set_stages(tables: DiffTables) -> None:
    """Set the stages of removals: all after other changes, children before their parents."""
    connection = tables.connection
    connection.execute(TOP)
    depth = 0
    while depth < MAX_DEPTH and connection.execute(NEXT_STAGE, (depth,)).rowcount:
        depth += 1
    [last] = connection.execute("SELECT coalesce(max(stage), -1) FROM changes").fetchone()
    connection.execute("UPDATE absent SET stage = ? - stage WHERE do IS NOT NULL", (last + 1 + depth,))
