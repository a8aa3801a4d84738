"""The comparison of one row with its record: what becomes of it, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from self_hosted.core.sync.comparison import is_empty
from self_hosted.core.sync.plan_lines import Verdict
from self_hosted.core.sync.preflight import missing_required
from self_hosted.core.sync.target import JSON, Action, Field, Row, Schema, Stored, Target

Mode = Literal["upsert", "create", "update", "mirror"]
OnMissing = Literal["ignore", "deactivate", "delete"]
OnDeleted = Literal["restore", "respect", "report"]
Pair = tuple[JSON, JSON]
"""The old and the new value of a field."""

SCALARS = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class DiffOptions:
    """What a sync changes.

    :param mode: "create": only new records; "update": only existing ones; "upsert": both; "mirror": records without a
        row, too
    :param on_missing: what becomes of records without a row in mode "mirror"
    :param on_deleted: what becomes of records that are deleted softly: they are restored, left out, or fail their row
    :param key: name of the key field
    """

    mode: Mode = "upsert"
    on_missing: OnMissing = "ignore"
    on_deleted: OnDeleted = "restore"
    key: str = ""

    @property
    def removal(self) -> Literal["deactivate", "delete"] | None:
        """The action for records without a row."""
        return self.on_missing if self.mode == "mirror" and self.on_missing != "ignore" else None


class Decision(NamedTuple):
    """What becomes of a row that is not equal to its record: an action, or a verdict.

    :param do: the action
    :param fields: old and new value of each field that changes
    :param verdict: why nothing is done
    :param message: the reason; "" if the mode leaves out all such rows, which are counted and not listed
    :param field: see `plan_lines.Settled`
    :param value: see `plan_lines.Settled`
    :param ticket: see `plan_lines.Settled`
    """

    do: Action | None = None
    fields: Mapping[str, Pair] = {}
    verdict: Verdict | None = None
    message: str = ""
    field: str = ""
    value: JSON = None
    ticket: str | None = None


LEFT_OUT = Decision(verdict="skipped")
"""The mode leaves the row out."""


class RecordDiff:
    """Compares rows with records.

    :param target: the target
    :param schema: its fields
    :param options: what the sync changes
    """

    def __init__(self, target: Target, schema: Schema, options: DiffOptions) -> None:
        self._target, self._schema, self._options = target, schema, options
        self._on_create = {name for name, field in schema.fields.items() if field.spec.own == "on_create"}

    def compare(self, row: Row, stored: Stored) -> Decision | None:
        """Return what becomes of a row whose record exists; None if nothing differs.

        :param row: its values
        :param stored: its record
        """
        if stored.is_deleted:
            return self._compare_deleted(row, stored)
        if self._options.mode == "create":
            return LEFT_OUT
        fields = dict(self._list_differences(row, stored.values))
        if self._comes_back(row, stored):
            return self._find_obstacle(stored, fields, "restore") or Decision("restore", fields)
        return (self._find_obstacle(stored, fields, "update") or Decision("update", fields)) if fields else None

    def create(self, key: str, row: Row) -> Decision:
        """Return what becomes of a row without a record.

        :param key: its key
        :param row: its values
        """
        if self._options.mode == "update":
            return LEFT_OUT
        missing = missing_required(self._schema, {**row, self._options.key: key})
        if missing:
            return Decision(verdict="failed", message=f"a new record needs {', '.join(missing)}", field=missing[0])
        fields = {name: (None, value) for name, value in row.items() if not is_empty(value)}
        return self._find_forbidden(fields, "create") or Decision("create")

    def _compare_deleted(self, row: Row, stored: Stored) -> Decision:
        if self._options.mode == "update":
            return LEFT_OUT
        if self._options.on_deleted == "respect":
            return Decision(verdict="skipped", message=f"its record {stored.ref} is deleted")
        if self._options.on_deleted == "report":
            message = f"its record {stored.ref} is deleted: restore it, or choose another on_deleted"
            return Decision(verdict="failed", message=message)
        fields = dict(self._list_differences(row, stored.values))
        return self._find_obstacle(stored, fields, "restore") or Decision("restore", fields)

    def _comes_back(self, row: Row, stored: Stored) -> bool:
        """Return whether the record was deactivated while the source lacked it."""
        is_ours = self._options.removal == "deactivate" and self._options.on_deleted == "restore"
        return is_ours and not stored.is_active and self._target.activity_field not in row

    def _list_differences(self, row: Row, stored: Row) -> Iterator[tuple[str, Pair]]:
        for name, wanted in row.items():
            current = stored.get(name)
            # most values are equal; objects and lists are not compared here, because True == 1 in Python
            is_equal = type(wanted) is type(current) and isinstance(wanted, SCALARS) and wanted == current
            if is_equal or name in self._on_create:
                continue
            field = self._schema.fields[name]
            if field.spec.own == "if_empty" and not is_empty(current):
                continue
            new = _add(field, wanted, current)
            if not self._target.same(field, new, current):
                yield name, (current, new)

    def _find_obstacle(self, stored: Stored, fields: Mapping[str, Pair], do: Action) -> Decision | None:
        if stored.ticket is not None:
            message = f"{stored.ticket} has to be approved in the product first"
            return Decision(verdict="pending", message=message, ticket=stored.ticket)
        return self._find_forbidden(fields, do)

    def _find_forbidden(self, fields: Mapping[str, Pair], do: Action) -> Decision | None:
        if do in self._schema.forbidden:
            return Decision(verdict="forbidden", message=f"no {do}: {self._schema.forbidden[do]}")
        for name, (_, new) in fields.items():
            field = self._schema.fields[name]
            if field.forbidden:
                message = f"{field.label or name} may not be written: {field.forbidden}"
                return Decision(verdict="forbidden", message=message, field=name, value=new)
        return None


def _add(field: Field, wanted: JSON, current: JSON) -> JSON:
    """Return the value to store: in mode "add", records that are related already stay."""
    if field.spec.mode != "add" or field.type != "references":
        return wanted
    return sorted({*(current or ()), *(wanted or ())}) or None
