"""The rows of the source as canonical values, in the table ``rows`` of the workspace; each row fails by itself.

The table has one row per row of the source: ``verdict`` is None for a row that is compared with the target, else
"failed", "ambiguous" or "skipped", and ``problem`` says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.sync.decimal_marks import decide_marks
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.near_keys import hash_folded
from self_hosted.core.sync.preflight import Findings, check_declarations
from self_hosted.core.sync.reference_names import ReferenceNames, encode_row
from self_hosted.core.sync.snapshot import Snapshot
from self_hosted.core.sync.target import Schema, Target
from self_hosted.core.sync.typed_row import RowTyper, TypedRow
from self_hosted.core.sync.workspace import Workspace

log = get_logger(__name__)

CREATE = """
CREATE TABLE rows (
    n INTEGER PRIMARY KEY, key TEXT, line INTEGER, row TEXT, ref TEXT, parent TEXT, stage INTEGER, fold INTEGER,
    verdict TEXT, problem TEXT, seen INTEGER DEFAULT 0
)
"""
INSERT = "INSERT INTO rows (n, key, line, row, ref, parent, fold, verdict, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
INDEXES = (
    "CREATE INDEX rows_by_key ON rows (key)",
    "CREATE INDEX rows_by_fold ON rows (fold)",
    "CREATE INDEX rows_by_ref ON rows (ref)",
)
ROWS_PER_INSERT = 1000
HASH_BYTES = 16


class TypedSource(NamedTuple):
    """The rows of a source, in the table ``rows``.

    :param schema: the fields, with the decimal marks that were decided
    :param total: the number of rows
    :param fingerprint: the same for the same rows in any order and any format of files
    """

    schema: Schema
    total: int
    fingerprint: str


def type_rows(
    snapshot: Snapshot, workspace: Workspace, schema: Schema, key: FieldSpec, target: Target, findings: Findings
) -> TypedSource:
    """Convert all rows of a source, and store them in the table ``rows``.

    References are still the texts of the source; see `references.resolve_references`.

    :param snapshot: the source
    :param workspace: receives the table
    :param schema: the fields, as the target describes them
    :param key: the declaration of the key field
    :param target: names the ids and parents of new records
    :param findings: receives what is wrong with rows
    :raises ValueError: if a declaration does not fit its field, or the decimal mark of a column is ambiguous
    """
    check_declarations(schema)
    schema = decide_marks(snapshot, schema, key)
    _log_unused(snapshot, schema, key)
    workspace.connection.execute(CREATE)
    writer = _Writer(snapshot, workspace, target, RowTyper(schema, key, findings), schema)
    writer.write()
    for index in INDEXES:
        workspace.connection.execute(index)
    log.info("%d rows are typed, %d of them fail", snapshot.total, writer.failed)
    return TypedSource(schema, snapshot.total, f"{writer.sum:0{2 * HASH_BYTES}x}")


class _Writer:
    """Stores typed rows, and sums up their fingerprints."""

    def __init__(
        self, snapshot: Snapshot, workspace: Workspace, target: Target, typer: RowTyper, schema: Schema
    ) -> None:
        self.snapshot, self.connection, self.target, self.typer = snapshot, workspace.connection, target, typer
        self.names = ReferenceNames(workspace, schema)
        self.sum = self.failed = 0

    def write(self) -> None:
        rows, progress = self._rows(), Throttle(SECONDS_BETWEEN_LINES)
        while batch := list(islice(rows, ROWS_PER_INSERT)):
            self.connection.executemany(INSERT, batch)
            self.names.store()
            if progress.is_due():
                log.info("%d of %d rows are typed", batch[-1][0], self.snapshot.total)

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        for raw in self.snapshot.rows():
            typed = self.typer.convert(raw)
            text = encode_row(typed.values)
            self._add_fingerprint(typed, text)
            yield (raw.number, typed.key, raw.line, text, *self._place(typed), *self._judge(typed))

    def _place(self, typed: TypedRow) -> tuple[str | None, str | None, int | None]:
        """Return the id of a new record, its parent, and the hash of its folded key."""
        if not typed.key:
            return None, None, None
        parent = None if typed.errors else self.target.parent(typed.key, typed.values)
        return self.target.new_ref(typed.key), parent, hash_folded(typed.key)

    def _judge(self, typed: TypedRow) -> tuple[str | None, str | None]:
        if typed.errors:
            self.failed += 1
            return "failed", "; ".join(map(str, typed.errors))
        self.names.add(typed.values)
        return None, None

    def _add_fingerprint(self, typed: TypedRow, text: str) -> None:
        failing = sorted(error.field for error in typed.errors)
        content = "\0".join((typed.key, text, *failing)).encode()
        self.sum += int.from_bytes(blake2b(content, digest_size=HASH_BYTES).digest())
        self.sum %= 1 << (8 * HASH_BYTES)


def _log_unused(snapshot: Snapshot, schema: Schema, key: FieldSpec) -> None:
    used = {key.column, *(field.spec.column for field in schema.fields.values())}
    unused = [column for column in snapshot.columns if column not in used]
    if unused:
        log.info("Columns without a field, which are not sent: %s", ", ".join(unused))
