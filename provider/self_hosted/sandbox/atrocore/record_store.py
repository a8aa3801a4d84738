"""Creation, update and deletion of records, with the rules of the server and of its database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.errors import CONSTRAINTS, ApiError
from self_hosted.sandbox.atrocore.fields import Attribute
from self_hosted.sandbox.atrocore.hooks import get_hooks
from self_hosted.sandbox.atrocore.lookups import find_by_unique_values, find_existing
from self_hosted.sandbox.atrocore.save_rules import (
    Given,
    check_id,
    check_previous,
    check_required,
    describe_duplicate,
    get_computed_values,
    get_values,
    prepare_values,
    select_writable,
)
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.values import cast, is_same, to_stored

PEOPLE = ("ownerUserId", "assignedUserId")
PROCESSED_LATER = "ids"
"""Relations are saved after the record, which keeps the time of its modification."""


@dataclass(frozen=True)
class Saved:
    """A saved record.

    :param record: as it is stored
    :param echo: the values of the request as the response repeats them, which may differ from the stored ones
    :param changed: whether anything was stored
    :param previous: the relations that an update replaced
    """

    record: Record
    echo: dict[str, Any]
    changed: bool = True
    previous: dict[str, list[str]] = field(default_factory=dict)


def insert_record(state: State, entity: str, values: dict[str, Any], user_id: str = "") -> Record:
    """Store a new record without checking rules. Read-only and unknown fields are ignored.

    :param user_id: the creator; the administrator by default
    :return: the stored record
    """
    schema = state.schema.entity(entity)
    writable = select_writable(schema, values)
    stored = {name: to_stored(state.core, one, cast(state.core, one, value)) for name, (one, value) in writable.items()}
    return _store(state, schema, values.get("id") or "", stored, user_id)


def create_record(state: State, entity: str, values: dict[str, Any], access: Access | None = None) -> Saved:
    """Store a new record, or restore a softly deleted one with the same id.

    :param access: the rights of the user; all by default
    :raises ApiError: if the id or a unique value is in use, a value is invalid, or a required field is missing
    """
    access, schema = access or Access(state), state.schema.entity(entity)
    access.check(entity, "create")
    hooks = get_hooks(entity)
    values = hooks.before_create(state, dict(values))
    given = prepare_values(state, schema, values, access)
    check_required(state, schema, {**schema.defaults, **dict.fromkeys(PEOPLE, access.user_id), **get_values(given)})
    record_id = check_id(state, entity, values.get("id"))
    stored = {name: to_stored(state.core, one, value) for name, (one, value) in given.items()}
    if find_by_unique_values(state, schema, {**schema.defaults, **stored}):
        raise ApiError(400, CONSTRAINTS)
    record = _store(state, schema, record_id, stored, access.user_id)
    _check_relations(state, record, given)
    hooks.after_create(state, record, values)
    return Saved(record, {**get_computed_values(schema, values), **get_values(given)})


def update_record(
    state: State, entity: str, record: Record, values: dict[str, Any], access: Access | None = None
) -> Saved:
    """Set fields of a record.

    :param access: the rights of the user; all by default
    :raises ApiError: if a value is invalid, a unique value is in use, or ``_prev`` differs from the stored values
    """
    access, schema = access or Access(state), state.schema.entity(entity)
    access.check(entity, "edit")
    check_previous(state, schema, record, values)
    hooks = get_hooks(entity)
    values = hooks.before_update(state, record, dict(values))
    given = prepare_values(state, schema, values, access)
    check_required(state, schema, get_values(given), only_given=True)
    changed = {
        name: pair
        for name, pair in given.items()
        if not is_same(pair[0], _get_loaded(state, record, pair[0]), values[name])
    }
    echo = {
        **get_computed_values(schema, values),
        **get_values(given),
        **({"id": values["id"]} if "id" in values else {}),
    }
    if not changed:
        return Saved(record, echo, changed=False)
    stored = {name: to_stored(state.core, one, value) for name, (one, value) in changed.items()}
    duplicate = find_by_unique_values(state, schema, {**record, **stored}, only=frozenset(stored))
    if duplicate is not None and duplicate is not record:
        raise ApiError(400, describe_duplicate(duplicate))
    previous = {
        name: _get_loaded(state, record, one) for name, (one, _) in changed.items() if one.type == PROCESSED_LATER
    }
    record |= stored
    if any(one.type != PROCESSED_LATER for one, _ in changed.values()):
        record |= {"modifiedAt": state.timestamp(), "modifiedById": access.user_id}
    state.index.update(entity, record)
    _check_relations(state, record, changed)
    hooks.after_update(state, record, values)
    return Saved(record, echo, previous=previous)


def delete_record(state: State, entity: str, record: Record, *, permanently: bool = False) -> None:
    """Delete a record softly, or completely.

    :raises ApiError: if the record is in use
    """
    get_hooks(entity).before_delete(state, record)
    if permanently:
        state.records[entity].pop(record["id"], None)
    else:
        record |= {"deleted": True, "modifiedAt": state.timestamp()}
    state.index.update(entity, record)


def get_record(state: State, entity: str, record_id: str) -> Record:
    """Return a record.

    :raises ApiError: if the entity is unknown, or the record is missing or softly deleted
    """
    state.schema.entity(entity)
    record = state.find_record(entity, record_id)
    if record is None:
        raise ApiError(404)
    return record


def _store(state: State, schema: Entity, record_id: str, values: dict[str, Any], user_id: str) -> Record:
    now, user_id = state.timestamp(), user_id or state.admin_id
    record: Record = {"id": record_id or state.new_id(), "deleted": False, "createdAt": now, "modifiedAt": now}
    people = {"createdById": user_id, "modifiedById": user_id, **dict.fromkeys(PEOPLE, user_id)}
    record |= {name: value for name, value in people.items() if name in schema.attributes}
    if "sortOrder" in schema.attributes:
        record["sortOrder"] = int(state.now())
    record |= schema.defaults
    record |= values
    stored = state.records[schema.name]
    stored.pop(record["id"], None)  # a restored record moves to the end, like a new one
    stored[record["id"]] = record
    state.index.add(schema.name, record)
    return record


def _get_loaded(state: State, record: Record, attribute: Attribute) -> Any:
    """Return the value with which a new one is compared; of a relation, only the existing records."""
    value = record.get(attribute.name)
    return list(find_existing(state, attribute, value)) if attribute.type == PROCESSED_LATER else value


def _check_relations(state: State, record: Record, given: Given) -> None:
    """Fail after the record was stored if a relation names an unknown one, as cores before 2.3 do."""
    for name, (attribute, value) in given.items():
        if attribute.type == PROCESSED_LATER and not state.is_new:
            existing = list(find_existing(state, attribute, value))
            if len(existing) < len(value or ()):
                record[name] = existing
                raise ApiError(500, hidden=True)
