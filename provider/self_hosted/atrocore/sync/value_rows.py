"""Attribute values before core 2.0: a record of its own for each product, attribute and language.

https://help.atrocore.com/atropim/attributes-and-attribute-groups
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.atrocore.sync.attribute_bindings import VALUE_ENTITY, AttributeBinding
from self_hosted.atrocore.sync.lookups import is_in, look_up
from self_hosted.atrocore.sync.supplements import Supplement
from self_hosted.atrocore.sync.writing import Writer
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.comparison import is_same
from self_hosted.core.sync.target import JSON, Change, Outcome

COLUMNS = ("productId", "attributeId", "language", "channelId", "value", "valueUnitId")
MAX_ITEMS = 200  # of one upsert


class Place(NamedTuple):
    """What a row is the value of.

    :param product: id of the product
    :param attribute: id of the attribute
    :param language: such as "main"
    """

    product: str
    attribute: str
    language: str


Rows = Mapping[Place, Record]


@dataclass(frozen=True)
class ValueRows(Supplement):
    """Reads and writes attribute values.

    :param bindings: the values, by the name of their field
    """

    bindings: Mapping[str, AttributeBinding]

    def load(self, records: Sequence[Record]) -> Flow[None]:
        """Add attribute values to products.

        :param records: products of a response; they are changed
        """
        rows = yield from self.read([record["id"] for record in records])
        for record in records:
            for binding in self.bindings.values():
                row = rows.get(_get_place(record["id"], binding), {})
                record[binding.attribute] = row.get(binding.value_name)

    def read(self, products: Sequence[str]) -> Flow[Rows]:
        """Return the rows of products that are for all channels.

        :param products: their ids
        """
        attributes = sorted({binding.definition.id for binding in self.bindings.values()})
        others = [is_in("attributeId", attributes)]
        found = yield from look_up(VALUE_ENTITY, products, lambda part: is_in("productId", part), COLUMNS, others)
        return {
            Place(str(row.get("productId")), str(row.get("attributeId")), str(row.get("language"))): row
            for row in found
            if not row.get("channelId")
        }

    def find_conflict(self, change: Change, rows: Rows) -> str:
        """Return which value is no longer as it was when it was compared; "" if all are, or are as wanted already.

        :param change: an update
        :param rows: of its product, as they are now
        """
        for name, wanted in self.select(change).items():
            binding = self.bindings[name]
            stored = self._read(rows, str(change.ref), binding)
            if not _is_same(binding, wanted, stored) and not _is_same(binding, change.old.get(name), stored):
                return f"{binding.field.label} was changed in the meantime"
        return ""

    def select(self, change: Change) -> dict[str, JSON]:
        """Return the attribute values of a change.

        :param change: the change
        """
        return {name: value for name, value in change.new.items() if name in self.bindings}

    def write(self, changes: Sequence[Change], rows: Rows) -> Flow[list[Outcome]]:
        """Store attribute values, and return an outcome for each product: the first that is no success.

        :param changes: of products that exist
        :param rows: of these products, as they are now
        """
        outcomes = yield from self._send(changes, rows)
        again = [place for place, outcome in enumerate(outcomes) if outcome.result == "failed"]
        new = [place for place in again if changes[place].do == "create"]
        if new:  # attributes may have been assigned to the new products, such as by their classification
            rows = yield from self.read([str(changes[place].ref) for place in new])
            known = [place for place in new if any(one.product == changes[place].ref for one in rows)]
            repeated = yield from self._send([changes[place] for place in known], rows)
            for place, outcome in zip(known, repeated, strict=True):
                outcomes[place] = outcome
        return outcomes

    def _send(self, changes: Sequence[Change], rows: Rows) -> Flow[list[Outcome]]:
        items = [(number, item) for number, change in enumerate(changes) for item in self._list_items(change, rows)]
        writer, done = Writer(VALUE_ENTITY, "id", {}), dict[int, list[Outcome]]()
        for start in range(0, len(items), MAX_ITEMS):
            part = items[start : start + MAX_ITEMS]
            sent = yield from writer.write([item for _, item in part])
            for (number, _), outcome in zip(part, sent, strict=True):
                done.setdefault(number, []).append(outcome)
        return [_join(change, done.get(number, [])) for number, change in enumerate(changes)]

    def _list_items(self, change: Change, rows: Rows) -> Iterator[Change]:
        """Yield the changes of rows: one for each place."""
        values = dict[Place, dict[str, Any]]()
        channels = dict[Place, bool]()
        for name, wanted in self.select(change).items():
            binding = self.bindings[name]
            place = _get_place(str(change.ref), binding)
            channels[place] = bool(binding.definition.channel)
            if place not in rows or not _is_same(binding, wanted, self._read(rows, str(change.ref), binding)):
                values.setdefault(place, {})[binding.value_name] = binding.write(wanted)
        for place, new in values.items():
            label = f"the attribute value {place.attribute}"
            if place in rows:
                yield Change("update", label, rows[place]["id"], new, collection=VALUE_ENTITY)
                continue
            channel = {"channelId": ""} if channels[place] else {}  # else it gets the attribute's default channel
            key = {"productId": place.product, "attributeId": place.attribute, "language": place.language, **channel}
            ref = deterministic_id(VALUE_ENTITY, ":".join(place))
            yield Change("create", label, ref, {**key, **new}, collection=VALUE_ENTITY)

    def _read(self, rows: Rows, product: str, binding: AttributeBinding) -> JSON:
        row = rows.get(_get_place(product, binding), {})
        return binding.read({binding.attribute: row.get(binding.value_name)})


def _get_place(product: str, binding: AttributeBinding) -> Place:
    return Place(product, binding.definition.id, binding.language)


def _is_same(binding: AttributeBinding, wanted: JSON, stored: JSON) -> bool:
    decided = binding.is_same(wanted, stored)
    return is_same(binding.field.type, wanted, stored) if decided is None else decided


def _join(change: Change, outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a product's values."""
    for outcome in outcomes:
        if outcome.result not in {"created", "updated", "unchanged"}:
            message = f"{outcome.key}: {outcome.message}"
            return Outcome(change.key, "failed", message, ref=change.ref, row=change.row, is_final=outcome.is_final)
    is_changed = any(outcome.result != "unchanged" for outcome in outcomes)
    return Outcome(change.key, "updated" if is_changed else "unchanged", ref=change.ref, row=change.row)
