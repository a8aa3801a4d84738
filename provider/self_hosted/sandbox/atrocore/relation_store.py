"""Relations between records.

One side of a relation holds it: a record with the id of another one (``brandId``), a record with the ids of others
(``categoriesIds``), or a record of its own in between (``ProductFile``).
"""

from __future__ import annotations

from typing import Protocol

from self_hosted.sandbox.atrocore.errors import CONSTRAINTS, ApiError
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.record_store import create_record, delete_record
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State


class Relation(Protocol):
    """A relation as one of its sides sees it.

    :param target: entity of the other side
    """

    target: str

    def list_ids(self, state: State, record_id: str) -> list[str]:
        """Return the ids of the related records, also of deleted ones."""

    def add(self, state: State, record: Record, other: Record) -> None:
        """Relate two records that are not related."""

    def remove(self, state: State, record: Record, other: Record) -> None:
        """Remove the relation of two records."""


def find_relation(state: State, entity: str, link: str) -> Relation | None:
    """Return a relation to several records, or None if the entity does not have it."""
    schema = state.schema.entity(entity)
    found = schema.links.get(link, {})
    if found.get("type") != "hasMany":
        return None
    target, foreign, name = str(found["entity"]), str(found.get("foreign", "")), str(found.get("relationName", ""))
    middle = name[:1].upper() + name[1:]
    if middle in state.schema.definitions:
        return RecordsBetween(middle, _to_attribute(entity), target, _to_attribute(target))
    if not name:
        return IdInOther(target, f"{foreign}Id")
    if _holds(schema, link) and not _precedes(state, target, foreign, entity):
        return IdsInRecord(entity, f"{link}Ids", target)
    return IdsInOther(target, f"{foreign}Ids")


def list_related(state: State, relation: Relation, record_id: str) -> list[Record]:
    """Return the related records that exist."""
    found = (state.find_record(relation.target, one) for one in relation.list_ids(state, record_id))
    return [record for record in found if record is not None]


def relate(state: State, relation: Relation, record: Record, other: Record) -> None:
    """Relate two records.

    :raises ApiError: if they are related already
    """
    if other["id"] in relation.list_ids(state, record["id"]):
        raise ApiError(400, CONSTRAINTS)
    relation.add(state, record, other)


def unrelate(state: State, relation: Relation, record: Record, other: Record) -> None:
    """Remove the relation of two records.

    :raises ApiError: if they are not related
    """
    if other["id"] not in relation.list_ids(state, record["id"]):
        raise ApiError(500)
    relation.remove(state, record, other)


class IdInOther:
    """Each of the other records has the id of this one.

    :param attribute: of the other records
    """

    def __init__(self, target: str, attribute: str) -> None:
        self.target, self.attribute = target, attribute

    def list_ids(self, state: State, record_id: str) -> list[str]:
        """Return the ids of the related records."""
        candidates = state.index.find(self.target, self.attribute, [record_id], to_text)
        return [one["id"] for one in candidates if one.get(self.attribute) == record_id]

    def add(self, state: State, record: Record, other: Record) -> None:
        """Relate two records."""
        _set(state, self.target, other, self.attribute, record["id"])

    def remove(self, state: State, record: Record, other: Record) -> None:
        """Remove the relation of two records."""
        _set(state, self.target, other, self.attribute, None)


class IdsInRecord:
    """This record has the ids of the others.

    :param attribute: of this record
    """

    def __init__(self, entity: str, attribute: str, target: str) -> None:
        self.entity, self.attribute, self.target = entity, attribute, target

    def list_ids(self, state: State, record_id: str) -> list[str]:
        """Return the ids of the related records."""
        record = state.find_record(self.entity, record_id) or {}
        return list(record.get(self.attribute) or ())

    def add(self, state: State, record: Record, other: Record) -> None:
        """Relate two records."""
        _set(state, self.entity, record, self.attribute, [*(record.get(self.attribute) or ()), other["id"]])

    def remove(self, state: State, record: Record, other: Record) -> None:
        """Remove the relation of two records."""
        kept = [one for one in record.get(self.attribute) or () if one != other["id"]]
        _set(state, self.entity, record, self.attribute, kept)


class IdsInOther:
    """Each of the other records has the ids of records like this one.

    :param attribute: of the other records
    """

    def __init__(self, target: str, attribute: str) -> None:
        self.target, self.attribute = target, attribute

    def list_ids(self, state: State, record_id: str) -> list[str]:
        """Return the ids of the related records."""
        records = state.records[self.target].values()
        return [one["id"] for one in records if record_id in (one.get(self.attribute) or ())]

    def add(self, state: State, record: Record, other: Record) -> None:
        """Relate two records."""
        IdsInRecord(self.target, self.attribute, "").add(state, other, record)

    def remove(self, state: State, record: Record, other: Record) -> None:
        """Remove the relation of two records."""
        IdsInRecord(self.target, self.attribute, "").remove(state, other, record)


class RecordsBetween:
    """A record of its own relates two records.

    :param middle: entity of that record
    :param attribute: with the id of this record
    :param other_attribute: with the id of the other record
    """

    def __init__(self, middle: str, attribute: str, target: str, other_attribute: str) -> None:
        self.middle, self.attribute, self.target, self.other_attribute = middle, attribute, target, other_attribute

    def list_ids(self, state: State, record_id: str) -> list[str]:
        """Return the ids of the related records."""
        return [one[self.other_attribute] for one in self._find(state, record_id)]

    def add(self, state: State, record: Record, other: Record) -> None:
        """Relate two records."""
        create_record(state, self.middle, {self.attribute: record["id"], self.other_attribute: other["id"]})

    def remove(self, state: State, record: Record, other: Record) -> None:
        """Remove the relation of two records."""
        for one in self._find(state, record["id"]):
            if one[self.other_attribute] == other["id"]:
                delete_record(state, self.middle, one)

    def _find(self, state: State, record_id: str) -> list[Record]:
        candidates = state.index.find(self.middle, self.attribute, [record_id], to_text)
        return [one for one in candidates if one.get(self.attribute) == record_id and not one["deleted"]]


def _set(state: State, entity: str, record: Record, attribute: str, value: object) -> None:
    """Change a relation, which does not change the time of the record's modification."""
    record[attribute] = value
    state.index.update(entity, record)


def _to_attribute(entity: str) -> str:
    return f"{entity[:1].lower()}{entity[1:]}Id"


def _holds(schema: Entity, link: str) -> bool:
    return f"{link}Ids" in schema.attributes


def _precedes(state: State, target: str, foreign: str, entity: str) -> bool:
    """Return whether the other entity holds the relation: both may have the attribute, then the first one holds it."""
    names = list(state.schema.definitions)
    if target == entity or target not in names or not foreign or not _holds(state.schema.entity(target), foreign):
        return False
    return names.index(target) < names.index(entity)
