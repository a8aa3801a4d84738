"""Records of other entities that relations name: the field that names them, and what new ones need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from self_hosted.atrocore.api.metadata import Metadata
from self_hosted.atrocore.sync.attributes import SUFFIXES, Attribute
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.schema import REFERENCES, is_required
from self_hosted.atrocore.sync.types import TYPES
from self_hosted.core.sync.target import Field

SHOWN_NAMES = 5


def check_references(metadata: Metadata, bindings: Iterable[Binding]) -> Mapping[str, Sequence[str]]:
    """Check that references name records by a field that these have.

    :param metadata: of the entity that has the references
    :param bindings: the declared fields
    :return: by entity, the fields that a new record needs, if missing ones are created
    :raises ValueError: for an unknown field, and an entity whose records need more than a name
    """
    needed = dict[str, Sequence[str]]()
    for binding in bindings:
        field = binding.field
        if field.type not in REFERENCES or field.spec.kind == "file":
            continue
        _check_name(metadata, field)
        if field.spec.missing == "create":
            needed[field.collection] = _list_needed(metadata, field)
    return needed


def _check_name(metadata: Metadata, field: Field) -> None:
    known, by = metadata.fields_of(field.collection), field.spec.by
    if known and by != "id" and by not in known:
        similar = metadata.clean(", ".join(get_close_matches(by, sorted(known), SHOWN_NAMES, cutoff=0)))
        raise ValueError(
            f"fields: {field.spec.field} names records by {by!r}, but {field.collection} has no such field; "
            f"give by, such as one of {similar}"
        )


def _list_needed(metadata: Metadata, field: Field) -> Sequence[str]:
    if field.spec.by == "id":
        raise ValueError(f"fields: {field.spec.field}: missing='create' needs by, such as 'name', and not 'id'")
    needed = []
    for name, definition in metadata.fields_of(field.collection).items():
        attribute = Attribute(name + SUFFIXES.get(str(definition.get("type")), ""), name, definition)
        if not is_required(attribute):
            continue
        if TYPES.get(attribute.type) != "text":
            raise ValueError(
                f"fields: {field.spec.field}: missing='create' cannot create records of {field.collection}: "
                f"they need {metadata.clean(name)}"
            )
        needed.append(name)
    return needed
