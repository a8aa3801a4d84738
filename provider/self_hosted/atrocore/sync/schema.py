"""The declared fields of an entity with their types, options, limits and permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from self_hosted.atrocore.api.metadata import Metadata
from self_hosted.atrocore.api.permissions import Access, Permissions
from self_hosted.atrocore.sync.attributes import SUFFIXES, Attribute, find_attribute
from self_hosted.atrocore.sync.bindings import Binding
from self_hosted.atrocore.sync.obstacles import find_obstacle
from self_hosted.atrocore.sync.reading import SWITCH
from self_hosted.atrocore.sync.types import ENTITIES, TYPES, limits, list_options
from self_hosted.core.sync.field_spec import FieldSpec
from self_hosted.core.sync.target import Action, Field

FILLED_IN = frozenset({"id", "ownerUser", "assignedUser"})
"""Required fields that the server fills in itself."""
REFERENCES = frozenset({"reference", "references"})
PARENTS = frozenset({"parent", "parents"})


@dataclass(frozen=True)
class Entity:
    """An entity as the user sees it.

    :param metadata: its definition
    :param permissions: of the user
    :param key: the name of its key field
    """

    metadata: Metadata
    permissions: Permissions
    key: str

    @property
    def has_switch(self) -> bool:
        """Whether records can be deactivated."""
        return self.metadata.fields.get(SWITCH, {}).get("type") == "bool"

    def list_forbidden_actions(self) -> dict[Action, str]:
        """Return why actions may not be carried out; absent if they may."""
        accesses: Mapping[Action, Access] = {
            **{"create": "create", "update": "edit", "restore": "delete", "deactivate": "edit", "delete": "delete"}
        }
        found: dict[Action, str] = {
            action: f"the user's roles do not permit to {access} records of the entity {self.metadata.entity}"
            for action, access in accesses.items()
            if not self.permissions.permits(access)
        }
        if not self.has_switch:
            found["deactivate"] = f"{self.metadata.entity} has no field {SWITCH}"
        elif not self.permissions.permits_field(SWITCH, "edit"):
            found["deactivate"] = f"the user's roles do not permit to edit {SWITCH}"
        return found

    def bind(self, spec: FieldSpec) -> Binding:
        """Return the binding of a declaration.

        :param spec: the declaration
        :raises ValueError: for an unknown field, and a declaration of another kind than the field
        """
        attribute = self._find_attribute(spec)
        field_type = "text" if attribute.is_name else TYPES.get(attribute.type, "text")
        if spec.kind == "relation" and field_type not in REFERENCES:
            raise ValueError(f"{spec.field} is no relation; its type is {self.metadata.clean(attribute.type)}")
        field = Field(
            name=attribute.name,
            type=field_type,
            spec=replace(spec, by="id") if attribute.is_id and spec.kind == "auto" else spec,
            label=spec.field,
            forbidden=self.metadata.clean(find_obstacle(attribute, self.permissions)),
            is_required=is_required(attribute) and attribute.name != self.key,  # a row without a key fails before
            options=list_options(attribute.definition),
            **limits(attribute.definition),
        )
        if field_type in REFERENCES:
            field = self._refer(field, attribute)
        is_stored = attribute.type != "linkMultiple" and not attribute.definition.get("notStorable")
        return Binding(field, attribute.name, is_stored)

    def _find_attribute(self, spec: FieldSpec) -> Attribute:
        if spec.field == "id":
            if self.key == "id":
                return Attribute("id", "id", {"type": "varchar"})
            raise ValueError("fields: records keep their id; match by it with the key 'id', or leave the column out")
        attribute = find_attribute(self.metadata, spec)
        if attribute.name == self.key and not self.permissions.permits_field(attribute.field, "read"):
            raise ValueError(f"key: the user's roles do not permit to read {self.key}")
        return attribute

    def list_required(self, bindings: Sequence[Binding]) -> Iterator[str]:
        """Yield the attributes that a new record must have and that no declaration sets.

        :param bindings: of all declarations
        """
        bound = {binding.attribute for binding in bindings}
        for name, definition in self.metadata.fields.items():
            attribute = Attribute(name + SUFFIXES.get(str(definition.get("type")), ""), name, definition)
            if (
                attribute.name not in bound
                and is_required(attribute)
                and not find_obstacle(attribute, self.permissions)
            ):
                yield attribute.name

    def _refer(self, field: Field, attribute: Attribute) -> Field:
        """Return a reference with the entity that it refers to."""
        link = self.metadata.links.get(attribute.field, {})
        entity = link.get("entity") or attribute.definition.get("entity") or ENTITIES.get(attribute.type, "")
        is_own = entity == self.metadata.entity
        return replace(
            field,
            collection=str(entity),
            is_self_reference=is_own and field.spec.by == self.key,
            is_parent=is_own and attribute.field in PARENTS,
        )


def is_required(attribute: Attribute) -> bool:
    """Return whether a new record needs a value that the server does not fill in itself.

    :param attribute: of the entity
    """
    definition = attribute.definition
    has_default = definition.get("default") not in (None, "", [])
    return bool(definition.get("required")) and not has_default and attribute.field not in FILLED_IN
