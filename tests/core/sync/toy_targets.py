"""Toy targets over `toy_server.ToyServer`: a flat table, a tree, and one whose changes people approve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.core.http.flow import Flow, Request
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import (
    JSON,
    Capacity,
    Change,
    Field,
    FieldType,
    Outcome,
    Page,
    Row,
    Schema,
    Stored,
    Target,
)

TYPES: Mapping[str, FieldType] = {"key": "text", "name": "text", "price": "number", "tags": "list", "parent": "text"}


class TableTarget(Target):
    """A flat table. The ids of new records are derived from the key.

    :param capacity: see `Target.capacity`
    """

    name = "toy table"

    def __init__(self, capacity: Capacity | None = None) -> None:
        self.capacity = capacity or Capacity(batch_size=4, keys_per_lookup=5, lock="fields")

    def describe(self, specs: Sequence[FieldSpec]) -> Flow[Schema]:
        return make_schema(*(spec.field for spec in specs))
        yield

    def count(self) -> Flow[int | None]:
        reply = yield Request("POST", "/count", json={}, idempotent=True)
        return reply.json()  # type: ignore[no-any-return]

    def page(self, schema: Schema, cursor: JSON) -> Flow[Page]:
        reply = yield Request("POST", "/list", json={"after": cursor or ""}, idempotent=True)
        page = reply.json()
        return Page([read_record(schema, each) for each in page["records"]], page["cursor"])

    def find(self, schema: Schema, keys: Sequence[str]) -> Flow[Sequence[Stored]]:
        return (yield from self._find(schema, keys, [ref for key in keys if (ref := self.new_ref(key))]))

    def read(self, schema: Schema, refs: Sequence[str]) -> Flow[Sequence[Stored]]:
        return (yield from self._find(schema, [], refs))

    def new_ref(self, key: str, collection: str = "") -> str | None:
        return f"id-{collection}{key}"

    def same(self, field: Field, wanted: JSON, stored: JSON) -> bool:
        return bool(wanted == stored)

    def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
        reply = yield Request("POST", "/write", json={"items": [write_item(change) for change in batch]})
        return [read_outcome(change, answer) for change, answer in zip(batch, reply.json(), strict=True)]

    def _find(self, schema: Schema, keys: Sequence[str], refs: Sequence[str]) -> Flow[Sequence[Stored]]:
        assert max(len(keys), len(refs)) <= self.capacity.keys_per_lookup
        reply = yield Request("POST", "/find", json={"keys": list(keys), "refs": list(refs)}, idempotent=True)
        return [read_record(schema, each) for each in reply.json()]


class TreeTarget(TableTarget):
    """A tree: the field "parent" is the key of the parent."""

    name = "toy tree"

    def parent(self, key: str, row: Row) -> str | None:
        return row.get("parent")


class ApprovalTarget(TableTarget):
    """A few objects whose changes people approve. Each change that waits has a ticket."""

    name = "toy approvals"

    def settled(self, tickets: Sequence[str]) -> Flow[Mapping[str, Outcome]]:
        return {}
        yield


def make_schema(*names: str) -> Schema:
    """Return a schema of some of the fields of `TYPES`."""
    fields = [Field(name, TYPES[name], FieldSpec(name), is_parent=name == "parent") for name in names if name != "key"]
    return Schema({field.name: field for field in fields})


def read_record(schema: Schema, record: dict[str, Any]) -> Stored:
    """Return a record as the engine sees it."""
    values = {name: record["values"].get(name) for name in schema.fields}
    states = {name: record[name] for name in ("is_deleted", "is_active", "ticket")}
    return Stored(record["key"], record["ref"], values, stamp=str(record["version"]), **states)


def write_item(change: Change) -> dict[str, Any]:
    """Return an item of a write."""
    item = {"do": change.do, "ref": change.ref, "key": change.key, "stamp": change.stamp}
    return {**item, "values": dict(change.new), "old": dict(change.old)}


def read_outcome(change: Change, answer: dict[str, Any]) -> Outcome:
    """Return the outcome of an item."""
    return Outcome(
        change.key,
        answer["status"],
        answer.get("message", ""),
        ref=answer.get("ref"),
        ticket=answer.get("ticket"),
    )
