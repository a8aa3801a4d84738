"""Indexes of records by the values of their fields, and by id in order, so that lookups do not read all records.

They return candidates: all records with one of the values, and perhaps some that had one before. The caller checks
them, as it would check all records.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
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


def fold_text(value: Any) -> str:
    """Return a value as filters compare it on a server that ignores case and blanks at the end of a text."""
    return to_text(value).casefold().rstrip(" ")


def to_value(value: Any) -> Hashable:
    """Return a value as unique fields compare it; lists and objects share the key of their type."""
    return type(value) if isinstance(value, (list, dict)) else value


def fold_value(value: Any) -> Hashable:
    """Return a value as unique fields compare it on a server that ignores case."""
    return fold_text(value) if isinstance(value, str) else to_value(value)


class RecordIndex:
    """An index of all entities; each field is indexed when it is looked up for the first time.

    :param records: by entity and id
    """

    def __init__(self, records: Mapping[str, Mapping[str, Values]]) -> None:
        self._records = records
        self._counter = count()
        self._positions: dict[str, dict[str, int]] = {}  # the order of the records, by entity
        self._fields: dict[tuple[str, str, ToKey], dict[Hashable, set[str]]] = {}
        self._sorted_ids: dict[str, SortedIds] = {}
        self.versions: Counter[str] = Counter()
        """The number of changes of each entity."""
        self.last_list: tuple[Hashable, int, list[Values]] = (None, 0, [])
        """Key, version and records of the last list, for its following pages."""
        self._deleted: dict[str, tuple[int, int]] = {}  # version and number, by entity

    def find(self, entity: str, field: str, values: Iterable[Any], to_key: ToKey) -> list[Values]:
        """Return the candidates in the order of all records, softly deleted ones included.

        :param entity: name of the entity
        :param field: name of the field
        :param values: the values to look up
        :param to_key: how they are compared
        """
        return self.find_any(entity, [(field, values)], to_key)

    def find_any(self, entity: str, keys: Iterable[tuple[str, Iterable[Any]]], to_key: ToKey) -> list[Values]:
        """Return the records that `find` returns for at least one of some fields.

        :param entity: name of the entity
        :param keys: names of fields, each with the values to look up
        :param to_key: how they are compared
        """
        ids = set[str]()
        for field, values in keys:
            ids_by_key = self._get_field(entity, field, to_key)
            ids.update(record_id for value in values for record_id in ids_by_key.get(to_key(value), ()))
        records = self._records[entity]
        in_order = sorted(ids, key=self._positions[entity].__getitem__)
        return [records[record_id] for record_id in in_order if record_id in records]

    def get_sorted_ids(self, entity: str) -> SortedIds:
        """Return the ids of all records of an entity in order."""
        if entity not in self._sorted_ids:
            self._sorted_ids[entity] = SortedIds(self._records[entity])
        return self._sorted_ids[entity]

    def count_deleted(self, entity: str) -> int:
        """Return how many of the sorted ids belong to deleted records."""
        version, number = self._deleted.get(entity, (-1, 0))
        if version != self.versions[entity]:
            existing = sum(not record["deleted"] for record in self._records[entity].values())
            number = len(self.get_sorted_ids(entity)) - existing
            self._deleted[entity] = (self.versions[entity], number)
        return number

    def add(self, entity: str, record: Values) -> None:
        """Add a new record, at the end of all records."""
        if entity in self._sorted_ids:
            self._sorted_ids[entity].add(record["id"])
        if entity in self._positions:
            self._positions[entity][record["id"]] = next(self._counter)
        self.update(entity, record)

    def update(self, entity: str, record: Values) -> None:
        """Add the values of a changed record."""
        self.versions[entity] += 1
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


class SortedIds:
    """The ids of all records of one entity in order. New ones are sorted in when the order is needed next.

    :param ids: the ids at the start
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._known = set(ids)
        self._sorted = sorted(self._known)
        self._is_sorted = True

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, record_id: str) -> None:
        """Add an id, unless it is known."""
        if record_id not in self._known:
            self._known.add(record_id)
            self._sorted.append(record_id)
            self._is_sorted = False

    def select(self, after: str | None, before: str | None, *, descending: bool) -> list[str]:
        """Return the ids between two texts, both excluded."""
        if not self._is_sorted:
            self._sorted.sort()  # linear, because the first part is sorted
            self._is_sorted = True
        start = 0 if after is None else bisect_right(self._sorted, after)
        end = len(self._sorted) if before is None else bisect_left(self._sorted, before)
        return self._sorted[start:end][:: -1 if descending else 1]
