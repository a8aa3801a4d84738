"""The results of sync operators: small, and fit for arguments of the next task."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ReportedRow(TypedDict):
    """A row that is not stored as the source says.

    :param key: the row's key
    :param result: ambiguous, forbidden, failed, conflict, altered, skipped or pending
    :param message: the reason
    :param row: number of the row in the source, from 1; None for a record that the source lacks
    :param ticket: the request that waits for people, if it is pending
    """

    key: str
    result: str
    message: str
    row: int | None
    ticket: NotRequired[str]


class PlannedChange(TypedDict):
    """A change of a plan.

    :param do: create, update, restore, deactivate or delete
    :param key: the record's key
    :param fields: by field, the old and the new value
    """

    do: str
    key: str
    fields: dict[str, list[object]]


class PlanCounts(TypedDict):
    """How many rows and records a plan has, by what it does with them.

    :param total: rows of the source
    :param create: records to create
    :param update: records to update
    :param restore: deleted records to restore
    :param deactivate: records to deactivate
    :param delete: records to delete
    :param unchanged: rows that equal their record
    :param ambiguous: rows whose key is not unique, in the source or in the target
    :param forbidden: rows that differ in a field that may not be written
    :param failed: rows that cannot be stored
    :param skipped: rows that the mode or a policy leaves out
    :param pending: rows whose record waits for an approval in the product
    :param missing: records that the source lacks
    """

    total: int
    create: int
    update: int
    restore: int
    deactivate: int
    delete: int
    unchanged: int
    ambiguous: int
    forbidden: int
    failed: int
    skipped: int
    pending: int
    missing: int


class ApplyCounts(TypedDict):
    """How many rows and records have which outcome.

    :param created: records that were created
    :param updated: records that were updated
    :param restored: deleted records that were restored
    :param deactivated: records that were deactivated
    :param deleted: records that were deleted
    :param unchanged: rows that equal their record
    :param ambiguous: rows whose key is not unique, in the source or in the target
    :param pending: changes that wait for an approval in the product
    :param skipped: rows that the mode, a policy, or a parent that failed leaves out
    :param conflict: records that somebody else changed since they were compared
    :param altered: records that the server stored otherwise
    :param failed: rows that were not stored, forbidden ones included
    """

    created: int
    updated: int
    restored: int
    deactivated: int
    deleted: int
    unchanged: int
    ambiguous: int
    pending: int
    skipped: int
    conflict: int
    altered: int
    failed: int


class StoredPlanArguments(TypedDict):
    """The arguments of an `ApplyOperator` that apply one plan.

    :param plan_uri: path or URI of the plan
    :param sha256: its SHA-256
    """

    plan_uri: str
    sha256: str


class PlanResult(StoredPlanArguments, PlanCounts):
    """The result of a `PlanOperator`.

    :param changes: number of changes in the plan
    :param shards: the arguments that apply each part of the plan
    :param warnings: findings that do not fail a row
    :param summary: counts, limits and the first changes as Markdown, for the body of an `ApprovalOperator`
    :param problems: the first 20 rows that are not stored as the source says
    :param url: page with the records
    """

    changes: int
    shards: list[StoredPlanArguments]
    warnings: int
    summary: str
    problems: list[ReportedRow]
    url: str


class DryRunResult(PlanCounts):
    """The result of a dry run of a `SyncOperator`.

    :param dry_run: true
    :param changes: the first 20 changes
    :param problems: the first 20 rows that are not stored as the source says
    :param url: page with the records
    :param plan_uri: path or URI of the plan, if it was written
    """

    dry_run: bool
    changes: list[PlannedChange]
    problems: list[ReportedRow]
    url: str
    plan_uri: str | None


class ApplyResult(ApplyCounts):
    """The result of an `ApplyOperator`.

    :param problems: the first 20 rows that are not stored as the source says
    :param url: page with the records
    :param plan_uri: path or URI of the plan
    :param report_uri: path or URI of the report, if it was written
    :param rejects_uri: path or URI of the rejected rows, if they were written
    """

    problems: list[ReportedRow]
    url: str
    plan_uri: str | None
    report_uri: str | None
    rejects_uri: str | None


class SyncResult(ApplyResult):
    """The result of a `SyncOperator`.

    :param total: rows of the source
    :param missing: records that the source lacks
    :param dry_run: false
    """

    total: int
    missing: int
    dry_run: bool
