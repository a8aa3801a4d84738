"""Reads records as the engine sees them: page by page, by key, and by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from self_hosted.atrocore.api.filters import Condition
from self_hosted.atrocore.api.pages import Record, read_page
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.lookups import get_last_id, is_in, look_up
from self_hosted.atrocore.sync.supplements import NOTHING, Supplement
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import get_logger
from self_hosted.core.sync.target import Page, Stored

log = get_logger(__name__)

SWITCH = "isActive"
"""The field that "deactivate" sets to false."""
ONLY_DELETED: Condition = {"type": "bool", "value": ["onlyDeleted"]}


@dataclass(frozen=True)
class Reader:
    """Reads the records of one entity.

    :param entity: such as "Product"
    :param key: the attribute that identifies records for users
    :param bindings: the fields to read, by name
    :param scope: the conditions that the records of a listing meet
    :param has_switch: whether the entity has the field "isActive"
    :param supplement: reads what lists of records do not contain
    """

    entity: str
    key: str
    bindings: Mapping[str, Binding]
    scope: Sequence[Condition] = ()
    has_switch: bool = False
    supplement: Supplement = NOTHING

    def page(self, last_id: str | None) -> Flow[Page]:
        """Return one page. It begins behind an id: an offset would skip records while others are deleted.

        :param last_id: the last id of the page before; None at the start
        """
        attributes = self.supplement.listed_attributes
        records = yield from read_page(self.entity, self.scope, self._select, last_id, attributes)
        return Page((yield from self._complete(records)), get_last_id(records))

    def find(self, ids_by_key: Mapping[str, str]) -> Flow[list[Stored]]:
        """Return the records with the keys, and those with the ids that new records would get, from one request.

        :param ids_by_key: the id that a new record would get, by key
        """

        def build(keys: Sequence[str]) -> Condition:
            by_id = is_in("id", [ids_by_key[key] for key in keys])
            return by_id if self.key == "id" else {"type": "or", "value": [is_in(self.key, keys), by_id]}

        return (yield from self._look_up(list(ids_by_key), build))

    def find_deleted(self, ids: Sequence[str]) -> Flow[list[Stored]]:
        """Return the softly deleted records with the ids; none if the server does not show them.

        :param ids: the ids
        """
        found = yield from self._look_up(ids, lambda part: is_in("id", part), [ONLY_DELETED])
        return [stored for stored in found if stored.is_deleted]  # servers may not know the condition

    def read(self, ids: Sequence[str]) -> Flow[list[Stored]]:
        """Return the records with the ids.

        :param ids: the ids
        """
        return (yield from self._look_up(ids, lambda part: is_in("id", part)))

    def _look_up(
        self, keys: Sequence[str], build: Callable[[Sequence[str]], Condition], others: Sequence[Condition] = ()
    ) -> Flow[list[Stored]]:
        found = yield from look_up(self.entity, keys, build, self._select, others, self.supplement.listed_attributes)
        return (yield from self._complete(found))

    def _complete(self, records: Sequence[Record]) -> Flow[list[Stored]]:
        """Return the records with what lists do not contain."""
        yield from self.supplement.load(records)
        return [self._to_stored(record) for record in records]

    @property
    def _select(self) -> list[str]:
        attributes = [self.key, *(binding.attribute for binding in self.bindings.values() if binding.is_in_record)]
        return list(dict.fromkeys([*attributes, *([SWITCH] if self.has_switch else [])]))

    def _to_stored(self, record: Record) -> Stored:
        values = {
            name: binding.read(record) for name, binding in self.bindings.items() if binding.attribute != self.key
        }
        is_active = not self.has_switch or record.get(SWITCH) is not False
        is_deleted = record.get("deleted") is True
        return Stored(to_key(record.get(self.key)), record["id"], values, is_active=is_active, is_deleted=is_deleted)


def resolve(entity: str, attribute: str, values: Sequence[str]) -> Flow[dict[str, str]]:
    """Return the ids of records by the value of an attribute. A value that several records have is left out.

    :param entity: such as "Category"
    :param attribute: such as "code"
    :param values: the values to find
    """
    records = yield from look_up(entity, values, lambda part: is_in(attribute, part), [attribute])
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(to_key(record.get(attribute)), []).append(record["id"])
    for value in (value for value in values if len(found.get(value, ())) > 1):
        log.warning("%s: %d records have the %s %r; none of them is used", entity, len(found[value]), attribute, value)
    return {value: found[value][0] for value in values if len(found.get(value, ())) == 1}


def to_key(value: Any) -> str:
    """Return the value of a key field as text; "" if a record has none.

    :param value: of a response
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)
