"""Writes batches of changes, and reads the result of each item. The engine reads back what is in doubt."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from self_hosted.atrocore.api import records
from self_hosted.atrocore.api.identifiers import check_key, check_record_id
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.locks import build_lock
from self_hosted.atrocore.sync.outcomes import fail, join_outcomes, read_outcome, succeed
from self_hosted.atrocore.sync.reading import SWITCH, Reader
from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ServerError,
)
from self_hosted.core.http.flow import Flow
from self_hosted.core.sync.target import Change, Outcome

RECORD_ERRORS = (
    *(ServerError, InvalidRequestError, OutcomeUnknownError, ConflictError, PermissionDeniedError, NotFoundError),
    ValueError,  # a stored id that cannot be used in a path
)


@dataclass(frozen=True)
class Writer:
    """Writes the records of one entity.

    :param entity: such as "Product"
    :param key: the attribute that identifies records for users
    :param bindings: the fields to write, by name
    :param has_switch: whether the entity has the field "isActive"
    :param activates: whether new records are active
    :param may_be_deleted: whether records to restore may be deleted softly, instead of only being inactive
    :param required: by entity, the fields of a new referenced record that get its name if they have no other value
    """

    entity: str
    key: str
    bindings: Mapping[str, Binding]
    has_switch: bool = False
    activates: bool = False
    may_be_deleted: bool = False
    required: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def write(self, batch: Sequence[Change]) -> Flow[list[Outcome]]:
        """Carry out changes of one action, and return the outcome of each."""
        if batch and batch[0].do == "delete":
            return (yield from self._delete(batch))
        prepared = [self._prepare(change) for change in batch]
        items = [(change, item) for change, item in zip(batch, prepared, strict=True) if isinstance(item, dict)]
        sent = iter((yield from self._send(items)) if items else ())
        return [next(sent) if isinstance(item, dict) else item for item in prepared]

    def _prepare(self, change: Change) -> dict[str, Any] | Outcome:
        """Return the payload of a change, or the outcome if its values cannot be sent."""
        try:
            return self._build_payload(change)
        except ValueError as error:
            return Outcome(change.key, "failed", str(error), ref=change.ref, row=change.row)

    def _build_payload(self, change: Change) -> dict[str, Any]:
        if change.collection:
            needed = self.required.get(change.collection, ())
            return {**dict.fromkeys(needed, change.key), **change.new, "id": change.ref}
        payload = {
            self.bindings[name].attribute: self.bindings[name].write(value) for name, value in change.new.items()
        }
        if change.do == "create":
            switch = {SWITCH: True} if self.has_switch and self.activates else {}
            return {**switch, self.key: self._write_key(change.key), **payload, "id": change.ref}
        if change.do == "deactivate":
            payload = {SWITCH: False}
        if change.do == "restore" and self.has_switch:
            payload = {SWITCH: True, **payload}
        adds = (self.bindings[name] for name in change.new if self.bindings[name].adds)
        modes = {f"{binding.attribute.removesuffix('Ids')}AddOnlyMode": True for binding in adds}
        lock = build_lock(self.bindings, change)
        return {**payload, **modes, "id": change.ref, **({"_prev": lock} if lock else {})}

    def _write_key(self, key: str) -> Any:
        if self.key == "id":
            return check_record_id("id", key)
        binding = self.bindings.get(self.key)
        return binding.write(key) if binding else key

    def _send(self, items: Sequence[tuple[Change, dict[str, Any]]]) -> Flow[list[Outcome]]:
        change, _ = items[0]
        if change.do == "restore" and self.may_be_deleted:
            yield from self._restore([str(each.ref) for each, _ in items])
        parts = [self._split(each, payload) for each, payload in items]
        try:
            results = yield from records.upsert_once(
                change.collection or self.entity, [payload for payloads in parts for payload in payloads]
            )
        except NotFoundError:  # before 1.4.114
            outcomes = []
            for each, payload in items:
                outcomes.append((yield from self._send_single(each, payload)))
            return outcomes
        answers = iter(results)
        return [
            join_outcomes([read_outcome(each, next(answers)) for _ in payloads])
            for (each, _), payloads in zip(items, parts, strict=True)
        ]

    def _split(self, change: Change, payload: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the items of a change: a new record with relations is created without them, and then updated.

        With a single item, servers such as 1.10.30 store the record, but not its relations, and fail.
        """
        relations = {
            self.bindings[name].attribute
            for name, value in change.new.items()
            if change.do == "create" and not change.collection and value and not self.bindings[name].is_stored
        }
        record = {name: value for name, value in payload.items() if name not in relations}
        return [record, payload] if relations else [payload]

    def _send_single(self, change: Change, payload: dict[str, Any]) -> Flow[Outcome]:
        entity = change.collection or self.entity
        try:
            if change.do == "create":
                yield from records.create_quietly(entity, payload)
                return succeed(change)
            values = {name: value for name, value in payload.items() if name != "id"}
            changed = yield from records.update_quietly(entity, payload["id"], values)
        except RECORD_ERRORS as error:
            return fail(change, error)
        return succeed(change) if changed else replace(succeed(change), result="unchanged")

    def _restore(self, ids: Sequence[str]) -> Flow[None]:
        """Restore softly deleted records with their values. A following upsert would empty them."""
        with contextlib.suppress(NotFoundError):  # before 1.6.55
            yield from records.restore_many(self.entity, ids)

    def _delete(self, batch: Sequence[Change]) -> Flow[list[Outcome]]:
        """Delete records, and one by one those that are left: the response counts failures as done."""
        unusable = {change.ref: error for change in batch if (error := _find_unusable_id(change)) is not None}
        ids = [str(change.ref) for change in batch if change.ref not in unusable]
        if ids:
            yield from records.delete_many(self.entity, ids)
        left = {stored.ref for stored in (yield from Reader(self.entity, "id", {}).read(ids))}
        outcomes = []
        for change in batch:
            if change.ref in unusable:
                outcomes.append(fail(change, unusable[change.ref]))
            else:
                outcomes.append((yield from self._delete_single(change)) if change.ref in left else succeed(change))
        return outcomes

    def _delete_single(self, change: Change) -> Flow[Outcome]:
        try:
            yield from records.delete(self.entity, str(change.ref))
        except RECORD_ERRORS as error:
            return fail(change, error)
        return succeed(change)


def _find_unusable_id(change: Change) -> ValueError | None:
    """Return why the id of a record, which a server returned, cannot be sent; None if it can."""
    try:
        check_key("id", change.ref)
    except ValueError as error:
        return error
    return None
