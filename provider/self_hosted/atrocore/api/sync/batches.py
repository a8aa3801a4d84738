"""Apply changes in batches: an outcome for each item, and one effect of each change even if responses are lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.comparison import has_values
from self_hosted.atrocore.api.identifiers import check_entity
from self_hosted.atrocore.api.records import UpsertResult
from self_hosted.atrocore.api.sync.changes import Change, Result, RowOutcome
from self_hosted.atrocore.errors import is_database_outage
from self_hosted.core.arguments import MAX_SHOWN_CHARACTERS
from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
)
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import get_logger

log = get_logger(__name__)

BATCH_ERRORS = (ServerError, InvalidRequestError, OutcomeUnknownError)
RECORD_ERRORS = (*BATCH_ERRORS, ConflictError, PermissionDeniedError, NotFoundError)
RESULTS_BY_STATUS: dict[str, Result] = {"Created": "created", "Updated": "updated", "NotModified": "unchanged"}
UNCHANGED_BEFORE_1_11_56 = "Code: 304"
CODE = re.compile(r"Code: (\d{1,9})\.", re.ASCII)


def apply(entity: str, changes: Sequence[Change]) -> Flow[list[RowOutcome]]:
    """Apply changes in one batch (``POST /api/upsert``), or one by one if the server has no upsert.

    After a failure of the whole batch, the records are read back. Missing changes are sent again in halves, until the
    record that makes its batch fail is alone. This is idempotent, because every record has an id.

    :param entity: such as "Product"
    :param changes: the changes of one batch
    :return: the outcome of each change
    :raises SelfHostedError: if all changes fail: the cause is then the server, not a record
    """
    check_entity(entity)
    try:
        outcomes = yield from _send(entity, changes)
    except NotFoundError:
        outcomes = yield from _send_one_by_one(entity, changes)
    if len(outcomes) > 1 and all(outcome.error for outcome in outcomes) and outcomes[-1].error:
        raise outcomes[-1].error
    return outcomes


def _send(entity: str, changes: Sequence[Change], *, is_repeated: bool = False) -> Flow[list[RowOutcome]]:
    try:
        results = yield from records.upsert_once(entity, [change.payload for change in changes])
    except BATCH_ERRORS as error:
        return (yield from _recover(entity, changes, error))
    return [
        _read_outcome(change, result, is_repeated=is_repeated) for change, result in zip(changes, results, strict=True)
    ]


def _recover(entity: str, changes: Sequence[Change], error: SelfHostedError) -> Flow[list[RowOutcome]]:
    """Return the outcomes of a batch that failed as a whole."""
    applied = yield from _find_applied(entity, changes)
    log.warning("%s: a batch failed, %d of its %d changes took effect: %s", entity, len(applied), len(changes), error)
    outcomes = [RowOutcome(change.key, change.expected_result) for change in changes if change.id in applied]
    rest = [change for change in changes if change.id not in applied]
    if len(changes) == 1:
        return outcomes or [_failure(changes[0], error)]
    for half in _halves(rest):
        outcomes += yield from _send(entity, half, is_repeated=True)
    return outcomes


def _find_applied(entity: str, changes: Sequence[Change]) -> Flow[set[str]]:
    """Return the ids of the changes that have taken effect."""
    fields = sorted({name for change in changes for name in change.values})
    found = yield from records.find(entity, "id", [change.id for change in changes], fields)
    return {change.id for change in changes for record in found.get(change.id, ()) if has_values(record, change.values)}


def _halves(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    middle = (len(changes) + 1) // 2
    return (half for half in (changes[:middle], changes[middle:]) if half)


def _send_one_by_one(entity: str, changes: Sequence[Change]) -> Flow[list[RowOutcome]]:
    outcomes = []
    for change in changes:
        try:
            outcomes.append((yield from _send_single(entity, change)))
        except ValueError as error:  # the stored id cannot be used in a path
            outcomes.append(RowOutcome(change.key, "failed", str(error)))
        except RECORD_ERRORS as error:
            outcome = _failure(change, error)
            # rejected values are no sign of a broken server
            outcomes.append(replace(outcome, error=None) if isinstance(error, InvalidRequestError) else outcome)
    return outcomes


def _send_single(entity: str, change: Change) -> Flow[RowOutcome]:
    if change.creates:
        yield from records.create_quietly(entity, change.payload)
        return RowOutcome(change.key, "created")
    changed = yield from records.update_quietly(entity, change.id, dict(change.values))
    return RowOutcome(change.key, "updated" if changed else "unchanged")


def _read_outcome(change: Change, result: UpsertResult, *, is_repeated: bool) -> RowOutcome:
    status, message = result.get("status"), str(result.get("message") or "")
    if status == "Failed" and message.startswith(UNCHANGED_BEFORE_1_11_56):
        status = "NotModified"
    if status in RESULTS_BY_STATUS and not (other := _other_record_id(change, result)):
        # an item that was sent again may have taken effect the first time
        return RowOutcome(change.key, change.expected_result if is_repeated else RESULTS_BY_STATUS[status])
    if status in RESULTS_BY_STATUS:
        overwritten = f"AtroCore overwrote the record {other} instead, because its unique fields have the same values"
        return RowOutcome(change.key, "failed", overwritten)
    reason = message or f"rejected without a reason (code {result.get('code') or 400})"
    # an item that was sent again may conflict with its own first attempt, if the server still works on it
    return RowOutcome(change.key, "failed", reason, is_permanent=not is_repeated and not _may_pass(result, message))


def _may_pass(result: UpsertResult, message: str) -> bool:
    """Return whether another attempt may succeed. Before 2.3, the message begins with the code."""
    code = CODE.match(message if result.get("code") is None else f"Code: {result.get('code')}.")
    return bool(code and 500 <= int(code[1]) < 600) or is_database_outage(message)


def _other_record_id(change: Change, result: UpsertResult) -> str | None:
    """Return the id of the record that was updated, if it is not the record of the change."""
    entity = result.get("entity")
    stored = entity.get("id") if isinstance(entity, dict) else result.get("id")  # the whole record before 2.3
    return str(stored)[:MAX_SHOWN_CHARACTERS] if stored is not None and stored != change.id else None


def _failure(change: Change, error: SelfHostedError) -> RowOutcome:
    is_permanent = not isinstance(error, ServerError | OutcomeUnknownError)
    return RowOutcome(change.key, "failed", str(error), is_permanent=is_permanent, error=error)
