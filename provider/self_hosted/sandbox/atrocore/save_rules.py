"""The rules that a record must meet before it is saved, and the texts of the errors."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.errors import CONSTRAINTS, ApiError
from self_hosted.sandbox.atrocore.fields import Attribute
from self_hosted.sandbox.atrocore.schema import Entity
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.values import (
    build_length_error,
    cast,
    check_options,
    get_max_id_length,
    is_empty,
    to_php_text,
)

Given = dict[str, tuple[Attribute, Any]]
"""The attributes that a request sets, with their cast values, by name."""


def select_writable(schema: Entity, values: dict[str, Any]) -> Given:
    """Return the writable attributes with their values, by name."""
    writable = schema.writable
    return {name: (writable[name], value) for name, value in values.items() if name in writable}


def prepare_values(state: State, schema: Entity, values: dict[str, Any], access: Access) -> Given:
    """Return the attributes that the request sets, with their cast values.

    :raises ApiError: if a value is invalid
    """
    denied = access.denied_attributes(schema.name, "edit")
    prepared = {}
    for name, (attribute, value) in select_writable(schema, values).items():
        if name not in denied:
            check_options(state.core, attribute, value)
            prepared[name] = (attribute, cast(state.core, attribute, value))
    return prepared


def get_values(given: Given) -> dict[str, Any]:
    """Return the cast values by name."""
    return {name: value for name, (_, value) in given.items()}


def get_computed_values(schema: Entity, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of computed attributes, which the response repeats although they are not stored."""
    attributes = schema.attributes
    return {name: value for name, value in values.items() if name in attributes and attributes[name].is_computed}


def check_required(state: State, schema: Entity, values: dict[str, Any], *, only_given: bool = False) -> None:
    """Check required attributes.

    :param only_given: whether missing values are allowed, as in an update
    :raises ApiError: if a value is missing or empty
    """
    for attribute in schema.required:
        if (attribute.name in values or not only_given) and is_empty(values.get(attribute.name)):
            old = f"Validation failed. '{attribute.label}' is required."
            raise ApiError(400, "fieldIsRequired" if state.is_new else old)


def check_id(state: State, entity: str, record_id: Any) -> str:
    """Return the id of a new record as text; empty if the server chooses it.

    :raises ApiError: if the id is in use, or too long
    """
    text = to_php_text(record_id) if record_id is not None else ""
    if state.find_record(entity, text):
        raise ApiError(400, CONSTRAINTS)
    limit = get_max_id_length(state.core)
    if len(text) > limit:
        raise build_length_error(limit, has_status=state.is_new)
    return text


def check_previous(state: State, schema: Entity, record: Record, values: dict[str, Any]) -> None:
    """Check that the stored values are those in ``_prev``.

    :raises ApiError: if they are not
    """
    previous = values.get("_prev") or {}
    if "_skipCheckForConflicts" in values:
        return
    names = [name for name, value in previous.items() if _differs(_read(record, name), value)]
    if names:
        labels = [schema.attributes[name].label if name in schema.attributes else name for name in names]
        raise ApiError(409, "editedByAnotherUser" if state.is_new else _describe_conflict(labels))


def _read(record: Record, name: str) -> Any:
    if name == "parentId":  # the first one, as in responses
        return next(iter(record.get("parentsIds") or ()), record.get(name))
    return record.get(name)


def _differs(stored: Any, previous: Any) -> bool:
    return stored != previous and not (is_empty(stored) and is_empty(previous))


def _describe_conflict(labels: list[str]) -> str:
    return (
        f"The data set [{', '.join(labels)}] has been changed in the meantime. You can"
        ' <a href="javascript:" onclick="location.reload();">reload the page</a> to see the new values, return to'
        ' editing by pressing "Cancel" or overwrite the data by pressing "Apply". Do you want to overwrite the data?'
    )


def describe_duplicate(record: Record) -> str:
    """Return the message about the record that has a unique value already."""
    return (
        'The record cannot be created/updated due to database constraints. <a href="javascript:"'
        ' class="show-hidden">Details</a><textarea class="hidden">An exception occurred while executing a query:'
        " SQLSTATE[23505]: Unique violation: 7 ERROR:  duplicate key value violates unique constraint"
        f' "uniq_1c52f95877153098eb3b4e33"\nDETAIL:  Key (code, deleted)=({record.get("code")}, f) already'
        " exists.</textarea>"
    )
