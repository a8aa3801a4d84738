"""Writes records and then their attribute values, which are stored beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from self_hosted.atrocore.sync.outcomes import BY_WEIGHT, fail
from self_hosted.atrocore.sync.value_routes import ValueRoutes
from self_hosted.atrocore.sync.value_rows import Rows, ValueRows
from self_hosted.atrocore.sync.writing import RECORD_ERRORS, Writer
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import RESULTS, Change, Outcome

WITHOUT_VALUES = frozenset({"deactivate", "delete"})


@dataclass(frozen=True)
class ValueWriter:
    """Writes records with attribute values.

    :param records: writes the records
    :param values: stores attribute values
    """

    records: Writer
    values: ValueRows | ValueRoutes

    def write(self, batch: Sequence[Change]) -> Flow[list[Outcome]]:
        """Carry out changes of one action, and return the outcome of each.

        :param batch: at most 200 changes
        """
        if not any(self._has_values(change) for change in batch):
            return (yield from self.records.write(batch))
        rows = yield from self._read_rows([change for change in batch if change.do == "update"])
        outcomes = self._find_conflicts(batch, rows)
        outcomes |= yield from self._write_records(batch, outcomes)
        yield from self._write_values(batch, outcomes, rows)
        return [outcomes[place] for place in range(len(batch))]

    def _has_values(self, change: Change) -> bool:
        return change.do not in WITHOUT_VALUES and not change.collection and bool(self.values.select(change))

    def _read_rows(self, changes: Sequence[Change]) -> Flow[Rows]:
        if isinstance(self.values, ValueRoutes):  # the engine compares the old values
            return {}
        return (yield from self.values.read([str(change.ref) for change in changes if self._has_values(change)]))

    def _find_conflicts(self, batch: Sequence[Change], rows: Rows) -> dict[int, Outcome]:
        found = dict[int, Outcome]()
        for place, change in enumerate(batch):
            if isinstance(self.values, ValueRows) and change.do == "update":
                message = self.values.find_conflict(change, rows)
                if message:
                    found[place] = Outcome(change.key, "conflict", message, ref=change.ref, row=change.row)
        return found

    def _write_records(self, batch: Sequence[Change], ended: Mapping[int, Outcome]) -> Flow[dict[int, Outcome]]:
        """Write what records hold themselves. An update of attribute values alone does not need it."""
        parts = {place: self._without_values(change) for place, change in enumerate(batch) if place not in ended}
        sent = [place for place, part in parts.items() if part.new or part.do != "update"]
        written = yield from self.records.write([parts[place] for place in sent])
        unsent = {place: _unchanged(part) for place, part in parts.items() if place not in sent}
        return unsent | dict(zip(sent, written, strict=True))

    def _without_values(self, change: Change) -> Change:
        names = self.values.select(change)
        return replace(
            change,
            new={name: value for name, value in change.new.items() if name not in names},
            old={name: value for name, value in change.old.items() if name not in names},
        )

    def _write_values(self, batch: Sequence[Change], outcomes: dict[int, Outcome], rows: Rows) -> Flow[None]:
        done = {*BY_WEIGHT, RESULTS["restore"]}
        places = [
            place for place, change in enumerate(batch) if self._has_values(change) and outcomes[place].result in done
        ]
        changes = [batch[place] for place in places]
        try:
            stored = yield from self._store(changes, rows)
        except RECORD_ERRORS as error:
            stored = [fail(change, error) for change in changes]
        for place, change, outcome in zip(places, changes, stored, strict=True):
            outcomes[place] = _join(change, outcomes[place], outcome)

    def _store(self, changes: Sequence[Change], rows: Rows) -> Flow[list[Outcome]]:
        if isinstance(self.values, ValueRoutes):
            return (yield from self.values.write(changes))
        restored = [str(change.ref) for change in changes if change.do == "restore"]
        known = {**rows, **((yield from self.values.read(restored)) if restored else {})}
        return (yield from self.values.write(changes, known))


def _unchanged(change: Change) -> Outcome:
    return Outcome(change.key, "unchanged", ref=change.ref, row=change.row)


def _join(change: Change, record: Outcome, values: Outcome) -> Outcome:
    """Return the outcome of a change from that of the record and that of its attribute values."""
    if values.result not in BY_WEIGHT:
        message = f"{record.result} without its attribute values: {values.message}"
        return replace(values, message=message if record.result != "unchanged" else values.message)
    is_update = record.result == "unchanged" and values.result == "updated"
    return replace(record, result="updated") if is_update else record
