"""Lookups of records: those that an upsert matches, those that share unique values, those that a list may contain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from self_hosted.sandbox.atrocore.conditions import find_keys
from self_hosted.sandbox.atrocore.definitions.queue import QUEUE_ENTITIES
from self_hosted.sandbox.atrocore.fields import Attribute
from self_hosted.sandbox.atrocore.record_index import fold_value, to_value
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.values import to_php_text


def find_match(state: State, entity: str, payload: dict[str, Any]) -> Record | None:
    """Return the record that an upsert updates: the one with the same id, else with the same unique values."""
    schema = state.schema.entity(entity)
    by_id = state.find_record(entity, to_php_text(payload.get("id") or ""))
    return by_id or find_by_unique_values(state, schema, payload)


def list_candidates(state: State, entity: str, conditions: list[dict[str, Any]]) -> Iterable[Record]:
    """Return all records that may meet all conditions, in their order; softly deleted ones included.

    :param conditions: checked, see `filters.build_matcher`
    """
    keys = find_keys(conditions)
    # the queue changes its records, but never their ids, without this module
    if keys is None or (entity in QUEUE_ENTITIES and any(field != "id" for field, _ in keys)):
        return state.records[entity].values()
    return state.index.find_any(entity, keys, state.to_key)


def find_by_unique_values(
    state: State, schema: Entity, values: dict[str, Any], only: frozenset[str] | None = None
) -> Record | None:
    """Return the first record that shares the values of unique fields.

    :param only: names of the fields of which at least one must be in the group; all by default
    """
    to_key = fold_value if state.ignores_case else to_value
    groups = [*((name,) for name in state.unique.get(schema.name, ())), *schema.unique]
    for group in groups:
        if any(values.get(name) is None for name in group) or (only is not None and not only.intersection(group)):
            continue
        keys = [to_key(values[name]) for name in group]
        for record in state.index.find(schema.name, group[0], [values[group[0]]], to_key):
            shares = [to_key(record.get(name)) for name in group] == keys and _is_equal(record, values, group, to_key)
            if shares and not record["deleted"]:
                return record
    return None


def _is_equal(record: Record, values: dict[str, Any], group: tuple[str, ...], to_key: Any) -> bool:
    # lists and objects share one key
    return to_key is fold_value or all(record.get(name) == values[name] for name in group)


def find_existing(state: State, attribute: Attribute, ids: Iterable[str] | None) -> Iterator[str]:
    """Yield the ids of existing records that a relation names. All are, if the sandbox lacks their entity."""
    is_known = attribute.target in state.schema.definitions
    return (one for one in ids or () if not is_known or state.find_record(attribute.target, one))
