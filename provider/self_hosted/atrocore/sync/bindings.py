"""How each declared field of a sync is found in AtroCore's records, and how its values are written there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from self_hosted.core.sync.target import JSON, Field, FieldType
from self_hosted.core.sync.values import canonical

NUL = "\0"
Guard = Literal["server", "writer", "engine"]
"""Who compares the old value before it is overwritten: AtroCore (``_prev``), the flow that writes, or the engine."""


@dataclass(frozen=True)
class Binding:
    """A field that is an attribute of the record itself: it is listed by ``select``, and written by an upsert.

    :param field: the engine's description of the field
    :param attribute: its name in records, such as "nameDeDe", "brandId" or "priceUnitId"
    :param is_stored: whether it is a column of the record; else it is a relation, which is stored after the record
    """

    field: Field
    attribute: str
    is_stored: bool = True

    @property
    def is_in_record(self) -> bool:
        """Whether records have it as an attribute, which an upsert of the record writes."""
        return True

    @property
    def guard(self) -> Guard:
        """What keeps an update from overwriting another value than the old one."""
        return "server"

    def read(self, record: Mapping[str, Any]) -> JSON:
        """Return the canonical value of a record.

        :param record: of a response
        """
        return canonical(self.field, record.get(self.attribute))

    def write(self, value: JSON) -> Any:
        """Return a canonical value as the server reads it in all dialects.

        :param value: canonical
        :raises ValueError: for a text that the server would cut
        """
        if value is None:
            return False if self.field.type == "boolean" else _EMPTY.get(self.field.type)
        if isinstance(value, str) and NUL in value:
            raise ValueError(f"{self.field.name}: the server cuts a text at its NUL character; remove it")
        return _WRITERS[self.field.type](value) if self.field.type in _WRITERS else value

    def is_same(self, wanted: JSON, stored: JSON) -> bool | None:
        """Return whether the values are the same for this field; None if their type decides.

        :param wanted: canonical
        :param stored: canonical
        """
        if self.field.type == "boolean" and wanted is None:
            return not stored  # false is stored, which would differ on every run
        if self.adds:
            return set(wanted or ()) <= set(stored or ())
        return None

    @property
    def adds(self) -> bool:
        """Whether related records stay that a row does not name."""
        return self.field.type == "references" and self.field.spec.mode == "add"


def _to_moment(value: str) -> str:
    """Return a moment in the only form that all versions read: others drop the offset, or reject it."""
    return value.replace("T", " ").removesuffix("Z")


_EMPTY: Mapping[FieldType, Any] = {"options": [], "references": [], "list": []}
"""How a field is emptied; null for all other types."""
_WRITERS: Mapping[FieldType, Callable[[Any], Any]] = {
    "number": float,  # PHP takes an int for another value than the stored float
    "integer": int,
    "moment": _to_moment,
}
