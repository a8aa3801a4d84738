"""Attribute values since core 2.0: fields of lists, and routes of each record.

https://help.atrocore.com/developer-guide/rest-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.atrocore.api import attribute_values
from self_hosted.atrocore.api.pages import Record
from self_hosted.atrocore.sync.attribute_bindings import VALUE, AttributeBinding
from self_hosted.atrocore.sync.outcomes import fail
from self_hosted.atrocore.sync.supplements import Supplement
from self_hosted.atrocore.sync.writing import RECORD_ERRORS
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import JSON, Change, Outcome

DEFINITIONS = "attributesDefs"
"""What the fields of a record that are attributes stand for, by name."""


class ValueRoutes(Supplement):
    """Reads and writes attribute values.

    :param entity: such as "Product"
    :param bindings: the values, by the name of their field
    """

    def __init__(self, entity: str, bindings: Mapping[str, AttributeBinding]) -> None:
        self.entity, self.bindings = entity, bindings
        self.listed_attributes = sorted({binding.definition.id for binding in bindings.values()})

    def load(self, records: Sequence[Record]) -> Flow[None]:
        """Add attribute values to records.

        :param records: of a list; they are changed
        """
        for record in records:
            if isinstance(record.get(DEFINITIONS), dict | list):
                values = {binding.attribute: _read_field(record, binding) for binding in self.bindings.values()}
            else:  # a server whose lists lack the values
                rows = yield from attribute_values.list_assigned(self.entity, record["id"])
                by_id = {row["attributeId"]: row for row in rows}
                values = {
                    binding.attribute: by_id.get(binding.definition.id, {}).get(binding.value_name)
                    for binding in self.bindings.values()
                }
            record.update(values)

    def select(self, change: Change) -> dict[str, JSON]:
        """Return the attribute values of a change.

        :param change: the change
        """
        return {name: value for name, value in change.new.items() if name in self.bindings}

    def write(self, changes: Sequence[Change]) -> Flow[list[Outcome]]:
        """Store attribute values, and return an outcome for each record.

        :param changes: of records that exist
        """
        outcomes = []
        for change in changes:
            outcomes.append((yield from self._write(change)))
        return outcomes

    def _write(self, change: Change) -> Flow[Outcome]:
        values, record_id = dict[str, dict[str, Any]](), str(change.ref)
        for name, wanted in self.select(change).items():
            binding = self.bindings[name]
            values.setdefault(binding.definition.id, {})[binding.value_name] = binding.write(wanted)
        try:
            # what has no value may not be assigned; values of such attributes would be skipped
            if added := self._list_empty(change):
                yield from attribute_values.assign(self.entity, record_id, added)
            changed = yield from attribute_values.store(self.entity, record_id, values)
        except RECORD_ERRORS as error:
            return fail(change, error)
        return Outcome(change.key, "updated" if changed else "unchanged", ref=change.ref, row=change.row)

    def _list_empty(self, change: Change) -> list[str]:
        """Return the ids of the attributes of which the record has no value yet."""
        filled = {
            self.bindings[name].definition.id for name, old in change.old.items() if name in self.bindings and old
        }
        return sorted({self.bindings[name].definition.id for name in self.select(change)} - filled)


def _read_field(record: Record, binding: AttributeBinding) -> Any:
    """Return a value that a list has as a field; the names of units and languages begin with that of the value."""
    defined = record[DEFINITIONS] if isinstance(record[DEFINITIONS], dict) else {}  # PHP writes no object as a list
    names = [
        name
        for name, one in defined.items()
        if isinstance(one, dict) and one.get("attributeId") == binding.definition.id
    ]
    return record.get(binding.value_name.replace(VALUE, min(names, key=len), 1)) if names else None
