"""The comparison of all rows of a source with the records of a target: which change, and why others do not.

Each page of the target is compared when it arrives; only the differences are kept, in the temporary database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from self_hosted.core.http.redact import clean_text, redact_all
from self_hosted.core.sync.batches import Run
from self_hosted.core.sync.diff_counts import DiffCounts
from self_hosted.core.sync.diff_tables import DiffTables
from self_hosted.core.sync.matching import Matching
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.record_diff import DiffOptions
from self_hosted.core.sync.references import list_created
from self_hosted.core.sync.removals import plan_removals
from self_hosted.core.sync.stages import order_changes
from self_hosted.core.sync.target import Change, Schema, Target
from self_hosted.core.sync.target_reader import TargetReader
from self_hosted.core.sync.workspace import Workspace

MAX_EXAMPLES = 20
WHOLE = {"number": 1, "total": 1}

# in the order in which they are applied; a batch holds one action
CHANGES = """
SELECT c.n, c.do, r.key, c.ref, c.stamp, c.fields, c.stage, c.parent, r.row
FROM changes c JOIN rows r USING (n) WHERE shard_of(coalesce(c.root, r.key), :total) = :number
ORDER BY c.stage, CASE c.do WHEN 'create' THEN 0 WHEN 'restore' THEN 1 ELSE 2 END, r.key
"""
REMOVALS = """
SELECT do, key, ref, stamp, fields, stage,
       (SELECT key FROM absent p WHERE p.node = absent.up AND p.do IS NOT NULL)
FROM absent WHERE do IS NOT NULL AND shard_of(key, :total) = :number ORDER BY stage, key, ref
"""
UNUSABLE = "SELECT n, key, verdict, problem, '', NULL, NULL FROM rows WHERE verdict IS NOT NULL"
SETTLED = f"""
SELECT n, key, verdict, message, field, value, ticket FROM (
    SELECT n, key, verdict, message, field, value, ticket FROM settled UNION ALL {UNUSABLE}
) WHERE shard_of(key, :total) = :number ORDER BY n IS NULL, n, key
"""  # noqa: S608
COUNTS = (
    "SELECT do, count(*) FROM changes GROUP BY do",
    "SELECT do, count(*) FROM absent WHERE do IS NOT NULL GROUP BY do",
    "SELECT verdict, count(*) FROM settled GROUP BY verdict",
    "SELECT verdict, count(*) FROM rows WHERE verdict IS NOT NULL GROUP BY verdict",
    "SELECT 'missing', count(*) FROM absent",
    "SELECT 'emptied', coalesce(sum(emptied), 0) FROM changes",
)
SETTLED_ROWS = """
SELECT (SELECT count(*) FROM changes) + (SELECT count(*) FROM rows WHERE verdict IS NOT NULL)
     + (SELECT count(DISTINCT n) FROM settled)
"""
EXAMPLES = {
    "removed": "SELECT key FROM absent WHERE do IS NOT NULL ORDER BY key LIMIT ?",
    "changed": "SELECT key FROM changes JOIN rows USING (n) WHERE do != 'create' ORDER BY key LIMIT ?",
    "emptied": "SELECT key FROM changes JOIN rows USING (n) WHERE emptied ORDER BY key LIMIT ?",
}


def compare(run: Run, target: Target, schema: Schema, workspace: Workspace, options: DiffOptions) -> DiffCounts:
    """Compare all rows with their records, and keep what differs in the workspace.

    :param run: runs a flow, as hooks do
    :param target: the target
    :param schema: its fields
    :param workspace: table ``rows`` is complete
    :param options: what the sync changes
    :raises ValueError: if the records that the source lacks may not be removed
    """
    removal = options.removal
    if removal is not None and removal in schema.forbidden:
        raise ValueError(f"on_missing={removal!r} is not possible: {schema.forbidden[removal]}")
    tables = DiffTables(workspace.connection)
    tables.create()
    matching = Matching(tables, target, schema, options)
    reader = TargetReader(run, target, schema, tables, matching)
    reader.read(options)
    for rows in tables.all_rows():
        matching.add_new(rows)
    matching.settle_near()
    if matching.tree:
        order_changes(tables, matching.exists, reader.find_keys)
    if options.removal:
        plan_removals(tables, options.removal)
    return _count(workspace, matching, reader.records)


def changes(workspace: Workspace, shard: Mapping[str, int] = WHOLE) -> Iterator[Change]:
    """Return the changes in the order in which they are applied: parents before their children, removals at the end.

    :param workspace: of the comparison
    :param shard: ``number`` of the part, from 1, and ``total`` of all parts; a subtree is in one part
    """
    connection = workspace.connection
    yield from list_created(workspace)  # in each part: its rows need them, and a second creation changes nothing
    for n, do, key, ref, stamp, fields, stage, parent, row in connection.execute(CHANGES, shard):
        pairs = json.loads(fields) if fields else {}
        new = json.loads(row) if do == "create" else {name: new for name, (_, new) in pairs.items()}
        old = {name: old for name, (old, _) in pairs.items()}
        yield Change(do, key, ref, new, old, stamp=stamp, stage=stage, parent=parent, row=n)
    for do, key, ref, stamp, fields, stage, parent in connection.execute(REMOVALS, shard):
        yield Change(do, key, ref, {}, json.loads(fields), stamp=stamp, stage=stage, parent=parent)


def settled(workspace: Workspace, shard: Mapping[str, int] = WHOLE) -> Iterator[Settled]:
    """Return the rows and records that are not changed, in the order of the rows.

    :param workspace: of the comparison
    :param shard: see `changes`
    """
    for n, key, verdict, message, field, value, ticket in workspace.connection.execute(SETTLED, shard):
        reason = clean_text(redact_all(message))  # it may show ids and keys of the target
        yield Settled(verdict, key, n, reason, field, None if value is None else json.loads(value), ticket)


def examples(workspace: Workspace, kind: str) -> list[str]:
    """Return the first keys of some changes.

    :param workspace: of the comparison
    :param kind: "removed", "changed" or "emptied"
    """
    return [key for (key,) in workspace.connection.execute(EXAMPLES[kind], (MAX_EXAMPLES,))]


def _count(workspace: Workspace, matching: Matching, records: int) -> DiffCounts:
    counts = DiffCounts(total=matching.total, records=records)
    for statement in COUNTS:
        for name, number in workspace.connection.execute(statement):
            setattr(counts, name, getattr(counts, name) + number)
    left_out = matching.count_left_out()
    counts.skipped += left_out
    [settled_rows] = workspace.connection.execute(SETTLED_ROWS).fetchone()
    counts.unchanged = counts.total - settled_rows - left_out
    counts.related = sum(1 for _ in list_created(workspace))
    return counts
