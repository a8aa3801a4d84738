"""The plan of a sync, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.comparison import is_same
from self_hosted.atrocore.api.records import Record
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
    select = sorted({name for row in rows.values() for name in row if not schema or name in schema.types} - {key_field})
    stored = yield from records.find(entity, key_field, list(rows), select or ["id"])
    plan = compute(entity, key_field, rows, stored, schema)
    return (yield from _without_taken_ids(entity, key_field, plan))


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
    """Return the plan without creates whose id belongs to a record with another key: an upsert would overwrite it."""
    new_keys = {change.id: change.key for change in plan.changes if change.creates}
    taken = yield from records.find(entity, "id", list(new_keys), [key_field])
    for record_id, (record, *_) in taken.items():
        message = f"the record created for this key (id {record_id}) now has the {key_field} {record.get(key_field)!r}"
        plan.settled.append(RowOutcome(new_keys[record_id], "ambiguous", message))
    return replace(plan, changes=[change for change in plan.changes if change.id not in taken])
