"""What a user may do: the rules of roles, for entities and for fields.

A role has ``data``, {entity: {``create``, ``read``, ``edit``, ``delete``, ``stream``}}, and ``fieldData``, {entity:
{field: {``read``, ``edit``}}}. The rights of several roles add up. Entities that no role names have `DEFAULT_RIGHTS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from self_hosted.sandbox.atrocore.errors import ApiError

if TYPE_CHECKING:
    from self_hosted.sandbox.atrocore.state import Record, State

Rights = dict[str, str]

ALL_RIGHTS: Rights = {"read": "all", "stream": "all", "edit": "all", "delete": "all", "create": "yes"}
DEFAULT_RIGHTS: Rights = {**ALL_RIGHTS, "delete": "no"}
ENTITIES_OF_ADMINS = frozenset({"User", "Role", "Team"})
DENIED = "no"


class Access:
    """The rights of one user.

    :param state: the data of the server
    :param user_name: name of the user; empty for the server itself
    """

    def __init__(self, state: State, user_name: str = "") -> None:
        self.state, self.user_name = state, user_name

    @cached_property
    def user(self) -> Record | None:
        """The record of the user."""
        return self.state.find_user(self.user_name)

    @property
    def user_id(self) -> str:
        """The id of the user, or of the server's administrator."""
        return str(self.user["id"]) if self.user else self.state.admin_id

    @cached_property
    def is_admin(self) -> bool:
        """Whether the user may do everything."""
        return self.user is None or bool(self.user.get("isAdmin"))

    @cached_property
    def roles(self) -> list[Record]:
        """The roles of the user."""
        ids = (self.user or {}).get("rolesIds") or ()
        return [role for role_id in ids if (role := self.state.find_record("Role", role_id))]

    def check(self, entity: str, action: str) -> None:
        """Check the right to an action.

        :param action: "create", "read", "edit" or "delete"
        :raises ApiError: if the user lacks it
        """
        if not self.is_admin and self.rights(entity)[action] == DENIED:
            raise ApiError(403)

    def rights(self, entity: str) -> Rights:
        """Return the rights to an entity."""
        if self.is_admin:
            return ALL_RIGHTS
        granted = [{**ALL_RIGHTS, **data[entity]} for role in self.roles if entity in (data := role.get("data") or {})]
        if not granted:
            return dict.fromkeys(ALL_RIGHTS, DENIED) if entity in ENTITIES_OF_ADMINS else DEFAULT_RIGHTS
        return {action: _find_most(rights[action] for rights in granted) for action in ALL_RIGHTS}

    def table(self) -> dict[str, Rights]:
        """Return the rights to all entities."""
        return {entity: self.rights(entity) for entity in self.state.schema.definitions}

    def field_table(self) -> dict[str, dict[str, Rights]]:
        """Return the rights to the fields that roles name, by entity."""
        names = dict.fromkeys(entity for role in self.roles for entity in role.get("fieldData") or {})
        return {} if self.is_admin else {entity: self._field_rights(entity) for entity in names}

    def denied_attributes(self, entity: str, action: str) -> frozenset[str]:
        """Return the names of the attributes that the user may not read or edit.

        :param action: "read" or "edit"
        """
        if self.is_admin or not self.roles:
            return frozenset()
        denied = {name for name, rights in self._field_rights(entity).items() if rights.get(action) == DENIED}
        attributes = self.state.schema.entity(entity).attributes if denied else {}
        return frozenset(name for name, one in attributes.items() if one.field in denied)

    def _field_rights(self, entity: str) -> dict[str, Rights]:
        found: dict[str, list[Mapping[str, str]]] = {}
        for role in self.roles:
            for name, rights in ((role.get("fieldData") or {}).get(entity) or {}).items():
                found.setdefault(name, []).append(rights)
        return {
            name: {action: _find_most(one.get(action, "yes") for one in several) for action in ("read", "edit")}
            for name, several in found.items()
        }

    def describe(self) -> dict[str, Any]:
        """Return the rights as the login returns them."""
        return {"table": self.table(), "fieldTable": self.field_table()}


def _find_most(levels: Iterator[str]) -> str:
    found = list(levels)
    return next((level for level in found if level != DENIED), DENIED)
