"""From a source to a plan: snapshot, fields, typing, references, comparison. Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync import diff
from self_hosted.core.sync.batches import Run
from self_hosted.core.sync.diff_counts import DiffCounts
from self_hosted.core.sync.duplicate_keys import OnDuplicateKey, check_keys
from self_hosted.core.sync.field_options import FieldDefaults
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.field_specs import columns_of, key_columns, specs_for_columns
from self_hosted.core.sync.limits import SyncLimits, check_limits, require_rows
from self_hosted.core.sync.plan_header import PlanHeader
from self_hosted.core.sync.plan_lines import Settled
from self_hosted.core.sync.preflight import Findings
from self_hosted.core.sync.record_diff import DiffOptions
from self_hosted.core.sync.references import resolve_references
from self_hosted.core.sync.rejects import ERROR_COLUMN
from self_hosted.core.sync.snapshot import Snapshot, take_snapshot
from self_hosted.core.sync.source import Source
from self_hosted.core.sync.target import Change, Schema, Target
from self_hosted.core.sync.typing_rows import type_rows
from self_hosted.core.sync.workspace import Workspace

log = get_logger(__name__)


class PlanRequest(NamedTuple):
    """What is compared, and how.

    :param source: the rows
    :param key: the argument ``key_field``
    :param fields: the declared fields, the key field first; None if the columns are the names of the fields
    :param defaults: what applies to all fields
    :param options: what the sync changes
    :param on_duplicate_key: what becomes of rows with the same key
    :param limits: what it may change at most
    """

    source: Source
    key: object
    fields: Sequence[FieldSpec] | None
    defaults: FieldDefaults
    options: DiffOptions
    on_duplicate_key: OnDuplicateKey
    limits: SyncLimits


@dataclass(frozen=True)
class Comparison:
    """A source that was compared with a target. Rows and changes are in the workspace.

    :param request: what was compared
    :param workspace: holds the rows and the changes
    :param snapshot: the rows of the source
    :param schema: the fields
    :param specs: the declarations
    :param counts: how many rows and records differ
    :param findings: what is wrong with rows
    :param fingerprint: of the rows, in any order
    :param target: what they were compared with
    :param started: when the target began to be read
    """

    request: PlanRequest
    workspace: Workspace
    snapshot: Snapshot
    schema: Schema
    specs: Sequence[FieldSpec]
    counts: DiffCounts
    findings: Findings
    fingerprint: str
    target: Target
    started: datetime

    def changes(self) -> Iterator[Change]:
        """Return the changes, in the order in which they are applied."""
        return diff.changes(self.workspace)

    def settled(self) -> Iterator[Settled]:
        """Return the rows that are not changed."""
        return diff.settled(self.workspace)

    def check_limits(self) -> None:
        """Check that the plan is within the limits.

        :raises LimitExceededError: otherwise
        """
        check_limits(self.request.limits, self.counts, lambda kind: diff.examples(self.workspace, kind))

    def header(self, **options: object) -> PlanHeader:
        """Return the header of the plan.

        :param options: further options of the sync
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        request, counts = self.request, self.counts
        return PlanHeader(
            target=self.target.name,
            scope=self.target.scope,
            mode=request.options.mode,
            fields=self.specs,
            options={
                "key": request.options.key,
                "on_missing": request.options.on_missing,
                "on_deleted": request.options.on_deleted,
                **options,
            },
            made=now,
            source={
                "name": self.snapshot.name,
                "rows": self.snapshot.total,
                "hash": self.fingerprint,
                "sha256": self.snapshot.sha256,
            },
            read={"from": self.started.isoformat(timespec="seconds"), "to": now, "records": counts.records},
            limits=request.limits.to_json(),
            counts=counts.to_json(),
        )


def compare(run: Run, target: Target, request: PlanRequest, workspace: Workspace) -> Comparison:
    """Read the source once, compare it with the target, and return what differs.

    :param run: runs a flow, as hooks do
    :param target: the records
    :param request: the source, and how it is compared
    :param workspace: receives rows and changes
    :raises ValueError: if the source is malformed, or a field is unknown
    :raises LimitExceededError: if it has too few rows
    :raises IncompleteSourceError: if it changed or ended while it was read
    """
    columns = key_columns(request.key) if request.fields is None else columns_of(request.fields)
    snapshot = take_snapshot(request.source, workspace, columns, None if request.fields is None else columns)
    require_rows(request.limits, snapshot.total)
    specs = request.fields or specs_for_columns(
        [column for column in snapshot.columns if column != ERROR_COLUMN], request.key, request.defaults
    )
    findings, started = Findings(), datetime.now(UTC)
    typed = type_rows(snapshot, workspace, run(target.describe(specs)), specs[0], target, findings)
    check_keys(snapshot, workspace, request.on_duplicate_key)
    resolve_references(run, target, typed.schema, specs[0], workspace, findings)
    findings.log()
    counts = diff.compare(run, target, typed.schema, workspace, request.options)
    log.info("Compared with %s: %s", target.name, _describe(counts))
    return Comparison(
        request=request,
        workspace=workspace,
        snapshot=snapshot,
        schema=typed.schema,
        specs=specs,
        counts=counts,
        findings=findings,
        fingerprint=typed.fingerprint,
        target=target,
        started=started,
    )


def _describe(counts: DiffCounts) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.to_json().items() if number)
