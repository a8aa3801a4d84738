"""Snapshots and schemas for the tests of typing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.preflight import Findings
from self_hosted.core.sync.snapshot import Snapshot, take_snapshot
from self_hosted.core.sync.source import parse_source
from self_hosted.core.sync.target import Capacity, Field, FieldType, Row, Schema, Target
from self_hosted.core.sync.typing_rows import TypedSource, type_rows
from self_hosted.core.sync.workspace import Workspace

KEY = FieldSpec("sku", column="sku")


class NamingTarget(Target):
    """A target that knows some records by name.

    :param known: the id of each name
    :param chooses_ids: whether the server chooses the ids of new records
    """

    capacity = Capacity(keys_per_lookup=3)

    def __init__(self, known: Mapping[str, str] | None = None, *, chooses_ids: bool = False) -> None:
        self.known, self.chooses_ids = known or {}, chooses_ids
        self.lookups: list[tuple[str, Sequence[str]]] = []

    def resolve(self, field: Field, values: Sequence[str]) -> Flow[Mapping[str, str]]:
        self.lookups.append((field.name, values))
        return {value: self.known[value] for value in values if value in self.known}
        yield

    def new_ref(self, key: str, collection: str = "") -> str | None:
        return None if self.chooses_ids else f"new-{collection}-{key}" if collection else f"new-{key}"

    def parent(self, key: str, row: Row) -> str | None:
        return key.rpartition("/")[0] or None


def run(flow: Flow[Any]) -> Any:
    """Run a flow that sends nothing."""
    try:
        next(flow)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the flow has sent a request")


def make_field(name: str, type: FieldType = "text", spec: Mapping[str, Any] | None = None, **options: Any) -> Field:
    """Return a field that is read from the column of its name."""
    return Field(name, type, FieldSpec(name, **{"column": name, **(spec or {})}), **options)


def make_schema(*fields: Field) -> Schema:
    """Return a schema of the fields."""
    return Schema({field.name: field for field in fields})


def snap(workspace: Workspace, rows: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Return a snapshot of rows."""
    return take_snapshot(parse_source(rows), workspace, ["sku"])


class Typed(NamedTuple):
    """A typed source, with all that it was made with."""

    source: TypedSource
    snapshot: Snapshot
    findings: Findings


def type_source(
    workspace: Workspace, schema: Schema, rows: Iterable[Mapping[str, Any]], target: Target | None = None
) -> Typed:
    """Return the typed rows."""
    snapshot, findings = snap(workspace, rows), Findings()
    return Typed(type_rows(snapshot, workspace, schema, KEY, target or NamingTarget(), findings), snapshot, findings)


def read_rows(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the table ``rows``."""
    found = workspace.connection.execute("SELECT * FROM rows ORDER BY n")
    names = [column[0] for column in found.description]
    return [{**dict(zip(names, row, strict=True)), "row": json.loads(row[names.index("row")])} for row in found]
