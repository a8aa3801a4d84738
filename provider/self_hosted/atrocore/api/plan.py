"""What a sync has to do, worked out before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from self_hosted.atrocore.api.compare import same
from self_hosted.atrocore.api.records import ID_LENGTH, Record, records_by
from self_hosted.atrocore.api.schema import Row, Schema
from self_hosted.core.errors import ProductError
from self_hosted.core.flow import Flow

Result = Literal["created", "updated", "unchanged", "ambiguous", "failed"]

OURS = uuid5(NAMESPACE_URL, "airflow-provider-self-hosted/atrocore")


@dataclass(frozen=True)
class Change:
    """One record to create or to update.

    :param key: the value of its key field
    :param id: its id; a new record's is derived from the key, so that creating it twice is creating it once
    :param creates: whether it is new
    :param values: all its fields, or those that change
    """

    key: str
    id: str
    creates: bool
    values: Mapping[str, Any]

    @property
    def payload(self) -> Record:
        """What is sent."""
        return {**self.values, "id": self.id}

    @property
    def wanted(self) -> Result:
        """What it comes to when all goes well."""
        return "created" if self.creates else "updated"


@dataclass(frozen=True)
class Outcome:
    """What became of one row.

    :param key: the row's key
    :param result: one word
    :param message: why, where it is ambiguous or failed
    :param values: the fields a plan would set
    :param final: whether it fails again when tried again
    :param error: the error of a request that was about this row alone
    """

    key: str
    result: Result
    message: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    final: bool = True
    error: ProductError | None = None


@dataclass
class Plan:
    """What is to be done, and what is settled without doing anything.

    :param lacking: required fields that some of the new records are not given
    """

    changes: list[Change] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)

    def foreseen(self) -> list[Outcome]:
        """What applying it would come to."""
        return [*self.settled, *(Outcome(found.key, found.wanted, values=found.values) for found in self.changes)]


def planned(entity: str, key_field: str, rows: Mapping[str, Row], schema: Schema | None) -> Flow[Plan]:
    """Look up what is stored, and work out what has to change.

    :param entity: such as "Product"
    :param key_field: the field rows and records are matched by, such as "number"
    :param rows: key to row
    :param schema: the entity's fields, where they are known
    """
    select = sorted({name for row in rows.values() for name in row if not schema or name in schema.types} - {key_field})
    stored = yield from records_by(entity, key_field, list(rows), select or ["id"])
    plan = plan_of(entity, key_field, rows, stored, schema)
    return (yield from _without_taken_ids(entity, key_field, plan))


def plan_of(
    entity: str,
    key_field: str,
    rows: Mapping[str, Row],
    stored: Mapping[str, Sequence[Record]],
    schema: Schema | None = None,
) -> Plan:
    """The plan, from rows and stored records alone.

    :param entity: such as "Product"
    :param key_field: the field rows and records are matched by
    :param rows: key to row
    :param stored: key to the records that have it
    :param schema: the entity's fields, where they are known
    """
    plan = Plan()
    for key, row in rows.items():
        try:
            step = _step(entity, key_field, key, row, stored.get(key, ()), schema)
        except ValueError as problem:
            step = Outcome(key, "failed", str(problem))
        if isinstance(step, Change):
            plan.changes.append(step)
            plan.lacking |= schema.lacking(step.values) if schema and step.creates else set()
        else:
            plan.settled.append(step)
    return plan


def own_id(entity: str, key: str) -> str:
    """The id a new record gets: always the same for the same key.

    :param entity: such as "Product"
    :param key: the value of its key field

    >>> own_id("Product", "W-1") == own_id("Product", "W-1")
    True
    """
    return uuid5(OURS, f"{entity}:{key}").hex[:ID_LENGTH]


def _step(
    entity: str, key_field: str, key: str, row: Row, found: Sequence[Record], schema: Schema | None
) -> Change | Outcome:
    if len(found) > 1:
        return Outcome(key, "ambiguous", f"{len(found)} records have this key: {', '.join(one['id'] for one in found)}")
    values = schema.typed(row) if schema else dict(row)
    if not found:
        return Change(key, key if key_field == "id" else own_id(entity, key), creates=True, values=values)
    record = found[0]
    changed = {
        name: value for name, value in values.items() if name != key_field and not same(name, value, record.get(name))
    }
    return Change(key, record["id"], creates=False, values=changed) if changed else Outcome(key, "unchanged")


def _without_taken_ids(entity: str, key_field: str, plan: Plan) -> Flow[Plan]:
    """The plan without creates whose id is that of a record with another key by now: upsert would overwrite it."""
    new = {change.id: change.key for change in plan.changes if change.creates}
    taken = yield from records_by(entity, "id", list(new), [key_field])
    for id_, (record, *_) in taken.items():
        words = f"the record this key was created as (id {id_}) has the {key_field} {record.get(key_field)!r} now"
        plan.settled.append(Outcome(new[id_], "ambiguous", words))
    return replace(plan, changes=[change for change in plan.changes if change.id not in taken])
