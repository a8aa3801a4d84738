"""Creation, lookup and update of records, with the rules of the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from self_hosted.sandbox.atrocore.entities import QUEUE_ENTITIES, Field, get_fields, to_stored
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.filters import find_key_condition
from self_hosted.sandbox.atrocore.record_index import to_text, to_value
from self_hosted.sandbox.atrocore.state import Record, State


def insert_record(state: State, entity: str, values: dict[str, Any]) -> Record:
    """Store a new record without checking rules. Read-only and unknown fields are ignored.

    :return: the stored record
    """
    now = state.timestamp()
    fields = get_fields(state.core, entity)
    record_id: str = values.get("id") or state.new_id()
    record: Record = {"id": record_id, "deleted": False, "createdAt": now, "modifiedAt": now}
    record |= {name: field.default for name, field in fields.items() if not field.read_only}
    record |= _select_writable(fields, values)
    stored = state.records[entity]
    stored.pop(record_id, None)  # a restored record moves to the end, like a new one
    stored[record_id] = record
    state.index.add(entity, record)
    return record


def create_record(state: State, entity: str, values: dict[str, Any]) -> Record:
    """Store a new record, or restore a softly deleted one with the same id.

    :return: the stored record
    :raises ApiError: if the id or a unique value is in use, or a required field is missing
    """
    fields = get_fields(state.core, entity)
    if state.find_record(entity, values.get("id", "")):
        raise ApiError(400, "The record cannot be created due to database constraints.")
    if _find_by_unique_value(state, entity, values):
        raise ApiError(400, "The value of a field that must be unique is in use already.")
    for name, field in fields.items():
        if field.required and not values.get(name, field.default):
            raise ApiError(400, f"fieldIsRequired: {name}")
    return insert_record(state, entity, values)


def update_record(state: State, entity: str, record: Record, values: dict[str, Any]) -> bool:
    """Set fields of a record.

    :return: whether any value changed
    """
    new = _select_writable(get_fields(state.core, entity), values)
    if all(record.get(name) == value for name, value in new.items()):
        return False
    record |= new
    record["modifiedAt"] = state.timestamp()
    state.index.update(entity, record)
    return True


def get_record(state: State, entity: str, record_id: str) -> Record:
    """Return a record.

    :raises ApiError: if the entity is unknown, or the record is missing or softly deleted
    """
    get_fields(state.core, entity)
    record = state.find_record(entity, record_id)
    if record is None:
        raise ApiError(404)
    return record


def find_match(state: State, entity: str, payload: dict[str, Any]) -> Record | None:
    """Return the record that an upsert updates: the one with the same id, else with the same unique value."""
    get_fields(state.core, entity)
    by_id = state.find_record(entity, payload.get("id", ""))
    return by_id or _find_by_unique_value(state, entity, payload)


def list_candidates(state: State, entity: str, conditions: list[dict[str, Any]]) -> Iterable[Record]:
    """Return all records that may meet all conditions, in their order; softly deleted ones included.

    :param conditions: checked, see `filters.build_matcher`
    """
    if key := find_key_condition(conditions):
        field, values = key
        # the queue changes its records, but never their ids, without this module
        if field == "id" or entity not in QUEUE_ENTITIES:
            return state.index.find(entity, field, values, to_text)
    return state.records[entity].values()


def select_fields(record: Record, names: str = "") -> Record:
    """Return the record, or its id and the named fields.

    :param names: separated by commas; all fields by default
    """
    if not names:
        return record
    return {name: record.get(name) for name in ("id", *names.split(",")) if name in record}


def _find_by_unique_value(state: State, entity: str, values: dict[str, Any]) -> Record | None:
    for name in state.unique.get(entity, ()):
        for record in state.index.find(entity, name, [values[name]], to_value) if name in values else ():
            if record.get(name) == values[name] and not record["deleted"]:
                return record
    return None


def _select_writable(fields: dict[str, Field], values: dict[str, Any]) -> dict[str, Any]:
    known = ((name, fields[name], value) for name, value in values.items() if name in fields)
    return {name: to_stored(name, field, value) for name, field, value in known if not field.read_only}
