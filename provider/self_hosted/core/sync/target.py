"""What a product supplies to the engine: its fields, reads and writes, as flows of one page or one batch each.

Values have one canonical form wherever the engine sees them: numbers as int or float, moments in UTC as
``YYYY-MM-DDTHH:MM:SSZ``, dates as ``YYYY-MM-DD``, options by their code, references by their id, sets as sorted lists,
no value as None.
A target converts what its server returns into this form (`values.canonical`), and back when it writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.comparison import is_same
from self_hosted.core.sync.field_spec import FieldSpec

JSON = Any
Row = Mapping[str, JSON]
"""Canonical values by the name of their field; a field that is absent keeps its value."""

FieldType = Literal[
    "text",
    "number",
    "integer",
    "boolean",
    "date",
    "moment",
    "option",
    "options",
    "reference",
    "references",
    "list",
    "object",
    "file",
]
Action = Literal["create", "update", "restore", "deactivate", "delete"]
Result = Literal[
    "created",
    "updated",
    "unchanged",
    "deactivated",
    "deleted",
    "restored",
    "pending",
    "skipped",
    "conflict",
    "altered",
    "failed",
]
RESULTS: Mapping[Action, Result] = {
    "create": "created",
    "update": "updated",
    "restore": "restored",
    "deactivate": "deactivated",
    "delete": "deleted",
}
"""The result of each action that has worked."""


@dataclass(frozen=True)
class Field:
    """A field of the target that the sync writes.

    :param name: its name in plan and report, unique in the target
    :param type: the type of its values
    :param spec: its declaration
    :param label: the product's name of it, for messages; default: ``name``
    :param forbidden: why it may not be written, such as a missing permission; "" if it may
    :param is_required: whether a record must have a value
    :param options: the allowed spellings of an option or unit, and the value that each stands for; empty = any value
    :param max_length: of a text, in characters
    :param minimum: of a number
    :param maximum: of a number
    :param pattern: regular expression that a text must match as a whole
    :param is_self_reference: whether it refers to records of the target itself, which may be rows of the same source
    :param is_parent: whether it refers to the parent of the record, which must exist before
    :param collection: the entity that a reference refers to; see `Change.collection`
    """

    name: str
    type: FieldType
    spec: FieldSpec
    label: str = ""
    forbidden: str = ""
    is_required: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    is_self_reference: bool = False
    is_parent: bool = False
    collection: str = ""


@dataclass(frozen=True)
class Schema:
    """The fields that a sync writes.

    :param fields: by name, in the order of their declarations
    :param required: names of all other fields that a new record must have and the server does not fill in itself
    :param forbidden: why an action may not be carried out, such as a missing permission
    """

    fields: Mapping[str, Field]
    required: Sequence[str] = ()
    forbidden: Mapping[Action, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """A record of the target.

    :param key: the value of its key field
    :param ref: its id
    :param values: its values of the fields that were asked for
    :param stamp: its version, for optimistic locking
    :param is_deleted: whether it is deleted softly, so that it can be restored
    :param is_active: whether it is in use; False for one that a "deactivate" would not change
    :param ticket: an open request for a change of it that people have to approve
    """

    key: str
    ref: str
    values: Row
    stamp: str | None = None
    is_deleted: bool = False
    is_active: bool = True
    ticket: str | None = None


class Page(NamedTuple):
    """One page of the target's records.

    :param records: in any order; a record may occur in two pages if it changes meanwhile
    :param cursor: where the next page begins; None after the last one
    """

    records: Sequence[Stored]
    cursor: JSON


@dataclass(frozen=True)
class Change:
    """One change of one record.

    :param do: the action
    :param key: the value of the record's key field
    :param ref: its id; None for a new record whose id the server chooses
    :param new: the values that it gets
    :param old: the values that it must still have, of the same fields; empty for a new record
    :param stamp: the version that it must still have
    :param stage: changes of a lower stage come first: parents before their children
    :param parent: key of the parent that the same sync creates or changes
    :param row: number of the row in the source, from 1; None for a record that the source lacks
    :param collection: the entity of a referenced record that is created; "" for the target itself
    """

    do: Action
    key: str
    ref: str | None
    new: Row
    old: Row = field(default_factory=dict)
    stamp: str | None = None
    stage: int = 0
    parent: str | None = None
    row: int | None = None
    collection: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one row or change.

    :param key: the key
    :param result: see `Result`
    :param message: the reason, if it is not as planned
    :param ref: the id of the record
    :param ticket: the request that waits for people, if it is pending
    :param altered: by field, what was sent and what the server stored instead
    :param is_final: whether another attempt has the same result
    :param row: number of the row in the source
    """

    key: str
    result: Result
    message: str = ""
    ref: str | None = None
    ticket: str | None = None
    altered: Mapping[str, tuple[JSON, JSON]] = field(default_factory=dict)
    is_final: bool = True
    row: int | None = None


class Capacity(NamedTuple):
    """How a target is read and written best.

    :param batch_size: records of one write
    :param keys_per_lookup: keys of one `Target.find`, and refs of one `Target.read`
    :param mixes_stages: whether one write may hold parents and their children, in this order
    :param lock: whether a write fails if the old values ("fields") or the version ("stamp") are no longer there
    :param listing_factor: all records are listed if there are fewer than this times the rows; else they are looked up
    :param lists_deleted: whether reads return softly deleted records
    """

    batch_size: int = 100
    keys_per_lookup: int = 100
    mixes_stages: bool = False
    lock: Literal["fields", "stamp"] | None = None
    listing_factor: float = 5.0
    lists_deleted: bool = False


class Target:
    """The records of one product that a sync compares and changes. Flows read one page or write one batch."""

    name: str = ""
    """The target in messages, plans and lineage, such as ``atrocore Product https://pim.example.com``."""

    scope: JSON = None
    """The part of the records that the sync is about, in the product's own form; None = all."""

    capacity: Capacity = Capacity()

    activity_field: str | None = None
    """Name of the field that "deactivate" switches off, if it is a field. If no row sets it, a record that was
    deactivated is restored when the source has it again."""

    def describe(self, specs: Sequence[FieldSpec]) -> Flow[Schema]:
        """Return the fields of the declarations, with the types, options and permissions that the server states.

        :param specs: the declarations; the key field is among them
        :raises ValueError: for an unknown field: it names the field and the ones with similar names
        """
        raise NotImplementedError

    def count(self) -> Flow[int | None]:
        """Return the number of records in the scope; None if the server does not say."""
        return None
        yield  # a flow without a request

    def page(self, schema: Schema, cursor: JSON) -> Flow[Page]:
        """Return one page of the records in the scope.

        :param schema: the fields to read
        :param cursor: of the page before; None at the start
        """
        raise NotImplementedError

    def find(self, schema: Schema, keys: Sequence[str]) -> Flow[Sequence[Stored]]:
        """Return the records with the keys, and those whose id a new record with one of the keys would get.

        :param schema: the fields to read
        :param keys: at most `Capacity.keys_per_lookup`
        """
        raise NotImplementedError

    def read(self, schema: Schema, refs: Sequence[str]) -> Flow[Sequence[Stored]]:
        """Return the records with the ids, as they are now.

        :param schema: the fields to read
        :param refs: at most `Capacity.keys_per_lookup`
        """
        raise NotImplementedError

    def resolve(self, field: Field, values: Sequence[str]) -> Flow[Mapping[str, str]]:
        """Return the ids of the records that a relation names; values that no record has are absent.

        :param field: a reference
        :param values: at most `Capacity.keys_per_lookup`
        """
        raise NotImplementedError

    def explain_unresolved(self, field: Field, value: str) -> str:
        """Return why `resolve` has left out a value; "" if no record has it.

        :param field: a reference
        :param value: the value
        """
        return ""

    def new_ref(self, key: str, collection: str = "") -> str | None:
        """Return the id that a new record gets, which is always the same for a key; None if the server chooses it.

        :param key: the key
        :param collection: see `Change.collection`
        """
        return None

    def parent(self, key: str, row: Row) -> str | None:
        """Return the key of the record that must exist before this one; None in a flat table.

        :param key: the key
        :param row: the values
        """
        return None

    def same(self, field: Field, wanted: JSON, stored: JSON) -> bool:
        """Return whether storing the wanted value would change nothing. It has the last word.

        :param field: the field
        :param wanted: the value of a row
        :param stored: the value of the record
        """
        return is_same(field.type, wanted, stored)

    def is_locked(self, change: Change) -> bool:
        """Return whether the write of a change fails if its old values, or its version, are no longer there.

        If not, the engine reads the record right before.

        :param change: an update or restore
        """
        return self.capacity.lock is not None

    def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
        """Carry out the changes of one batch, and return the outcome of each, in their order.

        It reports what the server answered, and interprets nothing: the engine reads back what is in doubt.

        :param schema: the fields
        :param batch: changes of one action, in the order in which they must be carried out
        :raises SelfHostedError: if the batch failed as a whole
        """
        raise NotImplementedError

    def settled(self, tickets: Sequence[str]) -> Flow[Mapping[str, Outcome]]:
        """Return what people decided about pending changes; those that they have not decided yet are absent.

        :param tickets: of outcomes that are pending
        """
        return {}
        yield  # a flow without a request
