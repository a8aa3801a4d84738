"""The plan of a sync, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.comparison import is_same
from self_hosted.atrocore.api.identifiers import check_entity, check_field, check_key, check_record_id
from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.api.schemas import Row, Schema
from self_hosted.atrocore.api.sync.changes import Change, RowOutcome, deterministic_id
from self_hosted.core.http.flow import Flow


@dataclass
class Plan:
    """The changes to apply, and the outcomes of rows that need no request.

    :param changes: in the order of the rows
    :param settled: outcomes of all other rows
    :param missing_fields: required fields that some of the new records lack
    """

    changes: list[Change] = field(default_factory=list)
    settled: list[RowOutcome] = field(default_factory=list)
    missing_fields: set[str] = field(default_factory=set)

    def preview(self) -> list[RowOutcome]:
        """Return the outcomes of all rows if all changes succeed."""
        changed = [RowOutcome(change.key, change.expected_result, values=change.values) for change in self.changes]
        return [*self.settled, *changed]


def make(entity: str, key_field: str, rows: Mapping[str, Row], schema: Schema | None) -> Flow[Plan]:
    """Read the stored records, and compute the changes.

    :param entity: such as "Product"
    :param key_field: field by which rows and records are matched, such as "number"
    :param rows: the rows by key
    :param schema: the entity's fields; None if they are unknown
    """
    check_entity(entity)
    check_field("key_field", key_field)
    for key in rows:
        (check_record_id if key_field == "id" else check_key)(f"the {key_field} in rows", key)
    select = sorted({name for row in rows.values() for name in row if not schema or name in schema.types} - {key_field})
    found = yield from records.look_up(entity, key_field, list(rows), select or ["id"])
    plan = compute(entity, key_field, rows, found.by_value, schema)
    plan = yield from _without_taken_ids(entity, key_field, plan)
    settled = [replace(outcome, message=found.clean(outcome.message)) for outcome in plan.settled]
    return replace(plan, settled=settled)


def compute(
    entity: str,
    key_field: str,
    rows: Mapping[str, Row],
    stored: Mapping[str, Sequence[Record]],
    schema: Schema | None = None,
) -> Plan:
    """Return the plan for rows and stored records.

    :param entity: such as "Product"
    :param key_field: field by which rows and records are matched
    :param rows: the rows by key
    :param stored: the stored records by key
    :param schema: the entity's fields; None if they are unknown
    """
    plan = Plan()
    for key, row in rows.items():
        try:
            step = _plan_row(entity, key_field, key, row, stored.get(key, ()), schema)
        except ValueError as error:
            step = RowOutcome(key, "failed", str(error))
        if isinstance(step, Change):
            plan.changes.append(step)
            plan.missing_fields |= schema.missing_fields(step.values) if schema and step.creates else set()
        else:
            plan.settled.append(step)
    return plan


def _plan_row(
    entity: str, key_field: str, key: str, row: Row, found: Sequence[Record], schema: Schema | None
) -> Change | RowOutcome:
    if len(found) > 1:
        ids = ", ".join(record["id"] for record in found)
        return RowOutcome(key, "ambiguous", f"{len(found)} records have this key: {ids}")
    values = schema.convert(row) if schema else dict(row)
    if not found:
        record_id = key if key_field == "id" else deterministic_id(entity, key)
        return Change(key, record_id, creates=True, values=values)
    record = found[0]
    changed = {
        name: value
        for name, value in values.items()
        if name != key_field and not is_same(name, value, record.get(name))
    }
    return Change(key, record["id"], creates=False, values=changed) if changed else RowOutcome(key, "unchanged")


def _without_taken_ids(entity: str, key_field: str, plan: Plan) -> Flow[Plan]:
    """Return the plan without creates whose id belongs to a record with another key: an upsert would overwrite it.

    A record with the same key was created since the first lookup, such as by an earlier try: it is updated.
    """
    creates = {change.id: change for change in plan.changes if change.creates}
    taken = {
        record_id: record.get(key_field)
        for record_id, (record, *_) in (yield from records.find(entity, "id", list(creates), [key_field])).items()
        if record_id in creates
    }
    existing = {record_id for record_id, key in taken.items() if str(key) == creates[record_id].key}
    for record_id in taken.keys() - existing:
        message = f"the record created for this key (id {record_id}) now has the {key_field} {taken[record_id]!r}"
        plan.settled.append(RowOutcome(creates[record_id].key, "ambiguous", message))
    changes = [
        replace(change, creates=change.creates and change.id not in existing)
        for change in plan.changes
        if change.id not in taken or change.id in existing or not change.creates
    ]
    return replace(plan, changes=changes)
