"""An index of records by the values of their fields, so that lookups by key do not read all records.

It returns candidates: all records with one of the values, and perhaps some that had one before. The caller checks them,
as it would check all records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import count
from typing import Any

Values = dict[str, Any]
"""The fields of a record."""

ToKey = Callable[[Any], Hashable]
"""Returns the key of a value; values that a lookup regards as equal have the same key."""


def to_text(value: Any) -> str:
    """Return a value as filters compare it."""
    return "" if value is None else str(value)


def to_value(value: Any) -> Hashable:
    """Return a value as unique fields compare it; lists and objects share the key of their type."""
    return type(value) if isinstance(value, (list, dict)) else value


class RecordIndex:
    """An index of all entities; each field is indexed when it is looked up for the first time.

    :param records: by entity and id
    """

    def __init__(self, records: Mapping[str, Mapping[str, Values]]) -> None:
        self._records = records
        self._counter = count()
        self._positions: dict[str, dict[str, int]] = {}  # the order of the records, by entity
        self._fields: dict[tuple[str, str, ToKey], dict[Hashable, set[str]]] = {}

    def find(self, entity: str, field: str, values: Iterable[Any], to_key: ToKey) -> list[Values]:
        """Return the candidates in the order of all records, softly deleted ones included.

        :param entity: name of the entity
        :param field: name of the field
        :param values: the values to look up
        :param to_key: how they are compared
        """
        ids_by_key = self._get_field(entity, field, to_key)
        ids = {record_id for value in values for record_id in ids_by_key.get(to_key(value), ())}
        records = self._records[entity]
        in_order = sorted(ids, key=self._positions[entity].__getitem__)
        return [records[record_id] for record_id in in_order if record_id in records]

    def add(self, entity: str, record: Values) -> None:
        """Add a new record, at the end of all records."""
        if entity in self._positions:
            self._positions[entity][record["id"]] = next(self._counter)
            self.update(entity, record)

    def update(self, entity: str, record: Values) -> None:
        """Add the values of a changed record."""
        for (indexed_entity, field, to_key), ids_by_key in self._fields.items():
            if indexed_entity == entity:
                ids_by_key[to_key(record.get(field))].add(record["id"])

    def _get_field(self, entity: str, field: str, to_key: ToKey) -> dict[Hashable, set[str]]:
        if entity not in self._positions:
            self._positions[entity] = {record_id: next(self._counter) for record_id in self._records[entity]}
        if (entity, field, to_key) not in self._fields:
            ids_by_key = self._fields[entity, field, to_key] = defaultdict(set)
            for record_id, record in self._records[entity].items():
                ids_by_key[to_key(record.get(field))].add(record_id)
        return self._fields[entity, field, to_key]
