"""Storing records: what is dropped, what is refused, what counts as a change."""

from __future__ import annotations

import time
from typing import Any

from self_hosted.sandbox.atrocore.answers import NOT_OF_THE_SCHEMA, Call, Refused
from self_hosted.sandbox.atrocore.entities import Field, as_stored, fields_of, is_of_type
from self_hosted.sandbox.atrocore.state import Record, State


def insert(state: State, entity: str, values: dict[str, Any]) -> Record:
    """Store a new record; read-only and unknown fields are dropped silently."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    fields = fields_of(state.core, entity)
    id_: str = values.get("id") or state.new_id()
    record: Record = {"id": id_, "deleted": False, "createdAt": now, "modifiedAt": now}
    record |= {name: field.default for name, field in fields.items() if not field.read_only}
    record |= _stored(fields, values)
    stored = state.records[entity]
    stored.pop(id_, None)  # so that what is revived counts as new
    stored[id_] = record
    return record


def match(state: State, entity: str, payload: dict[str, Any]) -> Record | None:
    """The record that upsert takes this for: by id, else by what is unique."""
    fields_of(state.core, entity)
    found = state.records[entity].get(payload.get("id", ""))
    if found is not None and not found["deleted"]:
        return found
    return _same_unique_value(state, entity, payload)


def _same_unique_value(state: State, entity: str, values: dict[str, Any]) -> Record | None:
    for name in state.unique.get(entity, ()):
        for record in state.records[entity].values():
            if name in values and record.get(name) == values[name] and not record["deleted"]:
                return record
    return None


def created(state: State, entity: str, values: dict[str, Any]) -> Record:
    """A new record, or one that was deleted softly and has this id, unless a rule forbids it."""
    fields = fields_of(state.core, entity)
    existing = state.records[entity].get(values.get("id", ""))
    if existing is not None and not existing["deleted"]:
        raise Refused(400, "The record cannot be created due to database constraints.")
    if _same_unique_value(state, entity, values):
        raise Refused(400, "The value of a field that must be unique is in use already.")
    for name, field in fields.items():
        if field.required and not values.get(name, field.default):
            raise Refused(400, f"fieldIsRequired: {name}")
    return insert(state, entity, values)


def changed(state: State, entity: str, record: Record, values: dict[str, Any]) -> bool:
    """Set fields; whether that changed anything."""
    new = _stored(fields_of(state.core, entity), values)
    if all(record.get(name) == value for name, value in new.items()):
        return False
    record |= new
    record["modifiedAt"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    return True


def _stored(fields: dict[str, Field], values: dict[str, Any]) -> dict[str, Any]:
    known = ((name, fields[name], value) for name, value in values.items() if name in fields)
    return {name: as_stored(name, field, value) for name, field, value in known if not field.read_only}


def validate(state: State, call: Call, fields: dict[str, Field], *, required: bool) -> None:
    """Check the request against the description, which the server does since 2.3."""
    if state.core < (2, 3):
        return
    route = f"/{{entityName}}{'' if required else '/{id}'}"
    headline = f"{NOT_OF_THE_SCHEMA}Request [{call.method.lower()} {route}]"
    for name, field in fields.items():
        if required and field.required and name not in call.body:
            reason = f"Keyword validation failed: Required property '{name}' must be present in the object"
            raise Refused(400, f"{headline}, {reason}")
        if name in call.body and not field.read_only and not is_of_type(field, call.body[name]):
            raise Refused(400, f"{headline}, Value expected to be '{field.type}' in '{name}'")
