"""Why a field cannot be written. AtroCore drops the values of such fields, and reports a success."""

from __future__ import annotations

from collections.abc import Iterator

from self_hosted.atrocore.api.permissions import Permissions
from self_hosted.atrocore.sync.attributes import SUFFIXES, Attribute
from self_hosted.atrocore.sync.types import TYPES


def find_obstacle(attribute: Attribute, permissions: Permissions) -> str:
    """Return why an attribute cannot be written; "" if it can.

    :param attribute: of the entity
    :param permissions: of the user
    """
    obstacles = (*_list_by_definition(attribute), *_list_by_permissions(attribute, permissions))
    return next(iter(obstacles), "")


def _list_by_definition(attribute: Attribute) -> Iterator[str]:
    definition = attribute.definition
    is_stored, is_relation = not definition.get("notStorable"), attribute.type in SUFFIXES
    if attribute.is_name:
        yield f"the server sets it; write {attribute.field}{SUFFIXES[attribute.type]}"
    if attribute.type not in TYPES:
        yield f"fields of the type {attribute.type or 'unknown'} cannot be written"
    if not is_stored and definition.get("multilangField"):
        yield f"the server sets it; write {definition['multilangField']}"
    if not is_stored and not is_relation:
        yield "the server computes it"
    # the main image is described as read-only, although its id can be written
    if definition.get("readOnly") and not (attribute.type == "file" and not is_stored):
        yield "it is read-only"
    if definition.get("protected"):
        yield "it is protected"


def _list_by_permissions(attribute: Attribute, permissions: Permissions) -> Iterator[str]:
    owner = str(attribute.definition.get("mainField") or attribute.field)  # a unit belongs to a number
    if not all(permissions.permits_field(name, "edit") for name in (attribute.field, owner)):
        yield "the user's roles do not permit to edit it"
    if not permissions.permits_field(attribute.field, "read"):
        yield "the user's roles do not permit to read it"
