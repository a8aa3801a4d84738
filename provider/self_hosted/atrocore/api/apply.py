"""Carrying out a plan: in batches, told item by item, with exactly one effect whatever gets lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from self_hosted.atrocore.api.compare import holds
from self_hosted.atrocore.api.plan import Change, Outcome, Result
from self_hosted.atrocore.api.records import create_record, records_by, update_record, upsert_once
from self_hosted.core.errors import Broken, Conflict, Forbidden, Invalid, NotFound, ProductError, Uncertain
from self_hosted.core.flow import Flow

OF_A_BATCH = (Broken, Invalid, Uncertain)
OF_A_RECORD = (*OF_A_BATCH, Conflict, Forbidden, NotFound)
DONE: dict[str, Result] = {"Created": "created", "Updated": "updated", "NotModified": "unchanged"}
UNCHANGED_BEFORE_1_11_56 = "Code: 304"


def applied(entity: str, changes: Sequence[Change]) -> Flow[list[Outcome]]:
    """Carry out changes in one batch; one by one where the server has no upsert.

    A batch that fails as a whole is read back, and what is missing is sent again in halves, until the one record
    that spoils it is alone. All of it is safe to repeat, for every record has an id.

    :param entity: such as "Product"
    :param changes: what to do
    :return: what became of each
    :raises ProductError: when not one record gets through: then it is the server that is broken, not a record
    """
    try:
        outcomes = yield from _sent(entity, changes)
    except NotFound:
        outcomes = yield from _one_by_one(entity, changes)
    if len(outcomes) > 1 and all(outcome.error for outcome in outcomes) and outcomes[-1].error:
        raise outcomes[-1].error
    return outcomes


def _sent(entity: str, changes: Sequence[Change], *, again: bool = False) -> Flow[list[Outcome]]:
    try:
        results = yield from upsert_once(entity, [change.payload for change in changes])
    except OF_A_BATCH as error:
        return (yield from _isolated(entity, changes, error))
    return [_outcome(change, result, again=again) for change, result in zip(changes, results, strict=True)]


def _isolated(entity: str, changes: Sequence[Change], error: ProductError) -> Flow[list[Outcome]]:
    """What became of a batch that failed as a whole."""
    stored = yield from _stored(entity, changes)
    outcomes = [Outcome(change.key, change.wanted) for change in changes if change.id in stored]
    rest = [change for change in changes if change.id not in stored]
    if len(changes) == 1:
        return outcomes or [_failed(changes[0], error)]
    for half in _halves(rest):
        outcomes += yield from _sent(entity, half, again=True)
    return outcomes


def _stored(entity: str, changes: Sequence[Change]) -> Flow[set[str]]:
    """The ids of those changes whose effect is there already."""
    fields = sorted({name for change in changes for name in change.values})
    found = yield from records_by(entity, "id", [change.id for change in changes], fields)
    return {change.id for change in changes for record in found.get(change.id, ()) if holds(record, change.values)}


def _halves(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    middle = (len(changes) + 1) // 2
    return (half for half in (changes[:middle], changes[middle:]) if half)


def _one_by_one(entity: str, changes: Sequence[Change]) -> Flow[list[Outcome]]:
    outcomes = []
    for change in changes:
        try:
            outcomes.append((yield from _single(entity, change)))
        except OF_A_RECORD as error:
            outcome = _failed(change, error)
            # that the server refuses these very values is no sign of a broken server
            outcomes.append(replace(outcome, error=None) if isinstance(error, Invalid) else outcome)
    return outcomes


def _single(entity: str, change: Change) -> Flow[Outcome]:
    if change.creates:
        yield from create_record(entity, change.payload)
        return Outcome(change.key, "created")
    changed = yield from update_record(entity, change.id, dict(change.values))
    return Outcome(change.key, "updated" if changed else "unchanged")


def _outcome(change: Change, result: dict[str, Any], *, again: bool) -> Outcome:
    status, message = result.get("status"), str(result.get("message") or "")
    if status == "Failed" and message.startswith(UNCHANGED_BEFORE_1_11_56):
        status = "NotModified"
    if status in DONE and not (other := _other_record(change, result)):
        # sent again, an item that is there already was done the first time
        return Outcome(change.key, change.wanted if again else DONE[status])
    if status in DONE:
        words = f"AtroCore took the record {other} for this one, since its unique fields are equal, and overwrote it"
        return Outcome(change.key, "failed", words)
    code = result.get("code") or 400
    reason = message or f"refused without a reason (code {code})"
    # what was sent again may have met its own first attempt, still at work
    return Outcome(change.key, "failed", reason, final=not again and int(code) < 500)


def _other_record(change: Change, result: dict[str, Any]) -> str | None:
    """The id of the record that was updated, where it is not the one that was meant."""
    entity = result.get("entity")
    stored = entity.get("id") if isinstance(entity, dict) else result.get("id")  # the whole record before 2.3
    return None if stored in {None, change.id} else str(stored)


def _failed(change: Change, error: ProductError) -> Outcome:
    return Outcome(change.key, "failed", str(error), final=not isinstance(error, Broken | Uncertain), error=error)
