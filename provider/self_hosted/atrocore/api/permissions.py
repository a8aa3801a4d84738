"""What the user's roles permit for an entity, from the session.

AtroCore does not reject a field that a role may not edit: it drops the value, and reports a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from self_hosted.atrocore.api import session
from self_hosted.atrocore.api.identifiers import check_entity
from self_hosted.core.http.flow import Flow, Reply
from self_hosted.core.http.shape import check_shape

Access = Literal["create", "read", "edit", "delete"]
Levels = dict[str, str | None]
NO_ACCESS = {"create": "no", "read": "no", "edit": "no", "delete": "no"}


class _User(TypedDict):
    isAdmin: NotRequired[bool]


class _Acl(TypedDict):
    table: NotRequired[dict[str, Any] | list[Any]]
    fieldTable: NotRequired[dict[str, Any] | list[Any]]


class _Session(TypedDict):
    user: NotRequired[_User]
    acl: NotRequired[_Acl | list[Any]]


@dataclass(frozen=True)
class Permissions:
    """The permissions of the user for the records of one entity.

    :param levels: by access, such as "all", "own" or "no"; an access that is absent is permitted
    :param fields: by field and access, "yes" or "no"; a field that is absent is permitted
    """

    levels: Mapping[str, str | None] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    def permits(self, access: Access) -> bool:
        """Return whether the user has access to at least some records.

        :param access: such as "edit"
        """
        return self.levels.get(access) != "no"

    def permits_field(self, name: str, access: Access) -> bool:
        """Return whether the user has access to a field.

        :param name: of the field in the metadata, such as "brand"
        :param access: "read" or "edit"
        """
        return self.fields.get(name, {}).get(access) != "no"


def get(entity: str) -> Flow[Permissions]:
    """Return the user's permissions for an entity (``acl`` of ``GET /api/userSession``).

    :param entity: such as "Product"
    """
    check_entity(entity)
    reply, current = yield from session.read(_Session)
    acl: _Acl | list[Any] = current.get("acl", [])
    if isinstance(acl, list) or current.get("user", {}).get("isAdmin"):
        return Permissions()
    levels, fields = (_select(acl.get(name, {}), entity) for name in ("table", "fieldTable"))
    if levels is False:
        return Permissions(NO_ACCESS)
    return Permissions(
        _check(reply, levels, Levels, f"acl.table.{entity}"),
        _check(reply, fields, dict[str, Levels], f"acl.fieldTable.{entity}"),
    )


def _select(table: Any, entity: str) -> Any:
    """Return the entity's part of a table; PHP writes an empty object as an empty list."""
    return table.get(entity, {}) if isinstance(table, dict) else {}


def _check(reply: Reply, value: Any, shape: type[dict[str, Any]], name: str) -> dict[str, Any]:
    return check_shape(reply, {} if value in (True, None, []) else value, shape, name)
