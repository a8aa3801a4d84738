"""A change compared with the record as it is now: whether it is to be sent, done already, or in conflict.

The old values of the plan are the baseline. A record that still has them may be changed, however old the plan is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import describe_changes
from self_hosted.core.sync.fields import Own
from self_hosted.core.sync.target import JSON, Action, Change, Schema, Stored, Target

NO_VALUES: tuple[JSON, ...] = (None, "", [])


T = TypeVar("T")


def split(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return parts of a sequence.

    :param values: the sequence
    :param size: length of a part
    """
    return (values[start : start + size] for start in range(0, len(values), size))


@dataclass(frozen=True)
class Comparison:
    """A change and the record that it is about.

    :param state: "done" if the record is as wanted; "open" if it is as it was, so that the change may be sent;
        "pending" if people have to approve a change of it; else "conflict"
    :param change: the change as it would be sent now: only what differs, with the version that is stored
    :param stored: the record; None if there is none, or several
    :param message: the conflict
    """

    state: Literal["done", "open", "pending", "conflict"]
    change: Change
    stored: Stored | None = None
    message: str = ""


class Baseline:
    """Compares changes with the records of a target.

    :param target: the target
    :param schema: its fields
    """

    def __init__(self, target: Target, schema: Schema) -> None:
        self._target, self._schema = target, schema

    def read(self, changes: Sequence[Change]) -> Flow[list[Comparison]]:
        """Read the records of changes, and return a comparison for each.

        :param changes: the changes of one batch
        """
        found = yield from self._find(changes)
        return [self.compare(change, found) for change in changes]

    def compare(self, change: Change, found: Sequence[Stored]) -> Comparison:
        """Return what a change means for the records that were found.

        :param change: the change
        :param found: the records, and those of other changes
        """
        if change.do == "create":
            return self._compare_new(change, found)
        stored = next((record for record in found if record.ref == change.ref), None)
        if stored is not None and stored.ticket is not None:
            return Comparison("pending", change, stored)
        return COMPARE[change.do](self, change, stored)

    def differing(self, change: Change, stored: Stored) -> dict[str, JSON]:
        """Return the values of a change that a record does not have.

        :param change: the change
        :param stored: the record
        """
        return {
            name: value for name, value in change.new.items() if not self._is_same(name, value, stored.values.get(name))
        }

    def replan(self, found: Comparison) -> Change | None:
        """Return the change that overwrites a record in conflict; None if there is none to overwrite.

        :param found: the conflict
        """
        change, stored = found.change, found.stored
        if stored is None or stored.is_deleted or stored.key != change.key or change.do in {"deactivate", "delete"}:
            return None
        new = {name: value for name, value in self._open(change, stored).items() if self._own(name) != "on_create"}
        old = {name: stored.values.get(name) for name in new}
        return replace(change, do="update", ref=stored.ref, new=new, old=old, stamp=stored.stamp) if new else None

    def _find(self, changes: Sequence[Change]) -> Flow[list[Stored]]:
        """Return the records that changes are about; for a new record, those with its key or id."""
        target, schema, size = self._target, self._schema, self._target.capacity.keys_per_lookup
        keys = [change.key for change in changes if change.do == "create" and not change.collection]
        refs = [change.ref for change in changes if change.do != "create" and change.ref is not None]
        found: list[Stored] = []
        for part in split(keys, size):
            found += yield from target.find(schema, part)
        for part in split(refs, size):
            found += yield from target.read(schema, part)
        for referenced in split([change for change in changes if change.collection], size):
            found += yield from self._find_referenced(referenced)
        return list({record.ref: record for record in found}.values())

    def _find_referenced(self, changes: Sequence[Change]) -> Flow[list[Stored]]:
        """Return the records of another entity; nothing but their existence is compared."""
        found = []
        for by in dict.fromkeys(name for change in changes for name in change.new):
            named = [change for change in changes if by in change.new]
            field = next(
                field
                for field in self._schema.fields.values()
                if (field.collection, field.spec.by) == (named[0].collection, by)
            )
            refs = yield from self._target.resolve(field, [change.key for change in named])
            found += [Stored(change.key, refs[change.key], change.new) for change in named if change.key in refs]
        return found

    def _compare_new(self, change: Change, found: Sequence[Stored]) -> Comparison:
        records = [record for record in found if record.key == change.key]
        other = next((record for record in found if record.ref == change.ref and record.key != change.key), None)
        if other is not None:
            return Comparison("conflict", change, other, f"its id is taken by the record with the key {other.key!r}")
        if len(records) > 1:
            return Comparison("conflict", change, None, f"{len(records)} records have this key")
        if not records:
            return Comparison("open", change)
        [stored] = records
        if stored.ticket is not None:
            return Comparison("pending", change, stored)
        if stored.is_deleted:
            return Comparison("conflict", change, stored, "a deleted record has this key")
        return self._compare_values(change, stored, "a record with other values has this key")

    def _compare_update(self, change: Change, stored: Stored | None) -> Comparison:
        if stored is None or stored.is_deleted:
            return Comparison("conflict", change, stored, "the record was deleted meanwhile")
        if stored.key != change.key:
            return _renamed(change, stored)
        new = self._open(change, stored)
        old = {name: change.old.get(name) for name in new}
        if not new:
            return Comparison("done", change, stored)
        if self._moved(old, stored):
            return Comparison("conflict", change, stored, self._describe(old, stored))
        return Comparison("open", replace(change, new=new, old=old, stamp=stored.stamp), stored)

    def _compare_restore(self, change: Change, stored: Stored | None) -> Comparison:
        if stored is None:
            return Comparison("conflict", change, None, "the record was deleted for good")
        if not stored.is_deleted and stored.is_active:
            return self._compare_values(change, stored, "the record was restored meanwhile, with other values")
        return self._compare_old(change, stored)

    def _compare_deactivate(self, change: Change, stored: Stored | None) -> Comparison:
        if stored is None or stored.is_deleted:
            return Comparison("conflict", change, stored, "the record was deleted meanwhile")
        return self._compare_old(change, stored) if stored.is_active else Comparison("done", change, stored)

    def _compare_delete(self, change: Change, stored: Stored | None) -> Comparison:
        if stored is None or stored.is_deleted:
            return Comparison("done", change, stored)
        return self._compare_old(change, stored)

    def _compare_values(self, change: Change, stored: Stored, conflict: str) -> Comparison:
        is_done = not self.differing(change, stored)
        return Comparison("done", change, stored) if is_done else Comparison("conflict", change, stored, conflict)

    def _compare_old(self, change: Change, stored: Stored) -> Comparison:
        if stored.key != change.key:
            return _renamed(change, stored)
        if self._moved(change.old, stored):
            return Comparison("conflict", change, stored, self._describe(change.old, stored))
        return Comparison("open", replace(change, stamp=stored.stamp), stored)

    def _moved(self, old: Mapping[str, JSON], stored: Stored) -> dict[str, JSON]:
        """Return the stored values that are no longer the old ones."""
        now = {name: stored.values.get(name) for name in old}
        return {name: value for name, value in now.items() if not self._is_same(name, old[name], value)}

    def _describe(self, old: Mapping[str, JSON], stored: Stored) -> str:
        return f"the record was changed meanwhile: {describe_changes(old, self._moved(old, stored))}"

    def _open(self, change: Change, stored: Stored) -> dict[str, JSON]:
        """Return the values that are still to be written: a field that is filled once is left alone."""
        return {
            name: value
            for name, value in self.differing(change, stored).items()
            if self._own(name) != "if_empty" or stored.values.get(name) in NO_VALUES
        }

    def _is_same(self, name: str, wanted: JSON, stored: JSON) -> bool:
        field = self._schema.fields.get(name)
        return bool(wanted == stored) if field is None else self._target.same(field, wanted, stored)

    def _own(self, name: str) -> Own:
        field = self._schema.fields.get(name)
        return "always" if field is None else field.spec.own


def _renamed(change: Change, stored: Stored) -> Comparison:
    return Comparison("conflict", change, stored, f"the record has the key {stored.key!r} now")


COMPARE: Mapping[Action, Callable[[Baseline, Change, Stored | None], Comparison]] = {
    "update": Baseline._compare_update,
    "restore": Baseline._compare_restore,
    "deactivate": Baseline._compare_deactivate,
    "delete": Baseline._compare_delete,
}
