"""The records of one entity as a target of the sync engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from self_hosted.atrocore.api import metadata, pages, permissions
from self_hosted.atrocore.api.filters import Condition, check_conditions
from self_hosted.atrocore.api.identifiers import check_entity, check_field
from self_hosted.atrocore.api.record_ids import deterministic_id
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.declarations import bind_all
from self_hosted.atrocore.sync.file_labels import label_file
from self_hosted.atrocore.sync.language import in_main_language
from self_hosted.atrocore.sync.locks import is_locked
from self_hosted.atrocore.sync.reading import SWITCH, Reader, resolve
from self_hosted.atrocore.sync.referenced_records import check_references
from self_hosted.atrocore.sync.schema import Entity
from self_hosted.atrocore.sync.stores import Stores
from self_hosted.atrocore.sync.writing import Writer
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import JSON, Capacity, Change, Field, Outcome, Page, Schema, Stored, Target

MAX_BATCH_SIZE = 200  # of mass deletions
MAX_REASONS = 1000  # why files could not be read


class AtrocoreTarget(Target):
    """The records of one entity.

    :param entity: such as "Product"
    :param key: the field that identifies records, such as "number" or "id"
    :param base_url: of the server, for the name of the target
    :param where: conditions that the records of the sync's scope meet, see `filters.build_query`
    :param finds_deleted: whether `find` looks for softly deleted records, too, with a second request
    :param activates: whether new records are active unless a row says otherwise, because the sync deactivates others
    """

    def __init__(
        self,
        entity: str,
        key: str,
        base_url: str = "",
        where: Sequence[Condition] = (),
        *,
        finds_deleted: bool = False,
        activates: bool = False,
    ) -> None:
        self.entity, self.key = check_entity(entity), check_field("key", key)
        check_conditions("scope", where)
        self.scope: JSON = list(where) or None
        self.finds_deleted, self.activates = finds_deleted, activates
        self.name = f"atrocore {entity} {base_url}".strip()
        self.capacity = Capacity(batch_size=MAX_BATCH_SIZE, lock="fields", lists_deleted=finds_deleted)
        self._bindings: dict[str, Binding] = {}
        self._required: Mapping[str, Sequence[str]] = {}
        self._unreadable: dict[str, str] = {}

    @in_main_language
    def describe(self, specs: Sequence[FieldSpec]) -> Flow[Schema]:
        """Return the declared fields with their types, options and permissions.

        :param specs: the declarations; the key field is among them
        :raises ValueError: for an unknown field, two declarations of one field, and a key that the user may not read
        """
        defined = yield from metadata.get(self.entity)
        entity = Entity(defined, (yield from permissions.get(self.entity)), self.key)
        bindings = yield from bind_all(entity, specs)
        self._bindings, self._required = _by_name(bindings), check_references(defined, bindings)
        self.activity_field = SWITCH if entity.has_switch else None
        return Schema(
            {name: binding.field for name, binding in self._bindings.items()},
            tuple(entity.list_required(bindings)),
            entity.list_forbidden_actions(),
        )

    @in_main_language
    def count(self) -> Flow[int | None]:
        """Return the number of records in the scope."""
        return (yield from pages.count(self.entity, self.scope or ()))

    @in_main_language
    def page(self, schema: Schema, cursor: JSON) -> Flow[Page]:
        """Return one page of the records in the scope.

        :param schema: the fields to read
        :param cursor: of the page before; None at the start
        """
        return (yield from self._read_with(schema).page(cursor))

    @in_main_language
    def find(self, schema: Schema, keys: Sequence[str]) -> Flow[Sequence[Stored]]:
        """Return the records with the keys, and those whose id a new record with one of the keys would get.

        :param schema: the fields to read
        :param keys: at most `Capacity.keys_per_lookup`
        """
        reader, ids_by_key = self._read_with(schema), {key: self.new_ref(key) for key in keys}
        found = yield from reader.find(ids_by_key)
        return found + ((yield from reader.find_deleted(list(ids_by_key.values()))) if self.finds_deleted else [])

    @in_main_language
    def read(self, schema: Schema, refs: Sequence[str]) -> Flow[Sequence[Stored]]:
        """Return the records with the ids, as they are now.

        :param schema: the fields to read
        :param refs: at most `Capacity.keys_per_lookup`
        """
        return (yield from self._read_with(schema).read(refs))

    @in_main_language
    def resolve(self, field: Field, values: Sequence[str]) -> Flow[Mapping[str, str]]:
        """Return the ids of the records that a relation names; values that no record has are absent.

        :param field: a reference
        :param values: at most `Capacity.keys_per_lookup`
        """
        if field.spec.kind == "file":
            return self._label_files(values)
        return (yield from resolve(field.collection, field.spec.by, values))

    def explain_unresolved(self, field: Field, value: str) -> str:
        """Return why a value has no record or file; "" for the usual reason.

        :param field: a reference
        :param value: the value
        """
        if field.spec.kind != "file":
            return ""
        return self._unreadable.get(value, "cannot be used as a file")

    def _label_files(self, paths: Sequence[str]) -> dict[str, str]:
        labels = {}
        for path in paths:
            try:
                labels[path] = label_file(path)
            except ValueError as error:
                if len(self._unreadable) < MAX_REASONS:
                    self._unreadable[path] = str(error)
        return labels

    def new_ref(self, key: str, collection: str = "") -> str:
        """Return the id that a new record gets, which is always the same for a key.

        :param key: the key
        :param collection: the entity; "" for the target's own
        """
        is_id = self.key == "id" and not collection
        return key if is_id else deterministic_id(collection or self.entity, key)

    def same(self, field: Field, wanted: JSON, stored: JSON) -> bool:
        """Return whether storing the wanted value would change nothing.

        :param field: the field
        :param wanted: the value of a row
        :param stored: the value of the record
        """
        decided = self._bindings[field.name].is_same(wanted, stored)
        return super().same(field, wanted, stored) if decided is None else decided

    def is_locked(self, change: Change) -> bool:
        """Return whether the write of a change fails if its old values are no longer there.

        :param change: an update or restore
        """
        return is_locked(self._bindings, change)

    @in_main_language
    def write(self, schema: Schema, batch: Sequence[Change]) -> Flow[Sequence[Outcome]]:
        """Carry out the changes of one batch, and return the outcome of each, in their order.

        :param schema: the fields
        :param batch: changes of one action
        :raises SelfHostedError: if the batch failed as a whole
        """
        stores = Stores(self.entity, self._select(schema))
        has_switch = self.activity_field is not None
        writer = Writer(
            self.entity,
            self.key,
            stores.bindings,
            has_switch,
            activates=self.activates,
            may_be_deleted=self.finds_deleted,
            required=self._required,
        )
        return (yield from stores.write(writer, batch))

    def _read_with(self, schema: Schema) -> Reader:
        stores, has_switch = Stores(self.entity, self._select(schema)), self.activity_field is not None
        return Reader(self.entity, self.key, stores.bindings, self.scope or (), has_switch, stores.supplement)

    def _select(self, schema: Schema) -> dict[str, Binding]:
        return {name: self._bindings[name] for name in schema.fields}


def _by_name(bindings: Sequence[Binding]) -> dict[str, Binding]:
    found: dict[str, Binding] = {}
    for binding in bindings:
        name = binding.field.name
        if name in found:
            first, second = found[name].field.spec, binding.field.spec
            raise ValueError(f"fields: {first.field!r} and {second.field!r} are both {name}; declare one of them")
        found[name] = binding
    return found
