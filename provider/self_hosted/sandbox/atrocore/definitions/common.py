"""Fields that many entities have."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.fields import Field, make_field
from self_hosted.sandbox.atrocore.versions import FIRST, V2_3, Version

USER_LINK = {"type": "belongsTo", "entity": "User"}
PEOPLE_LINKS = {name: USER_LINK for name in ("createdBy", "modifiedBy", "ownerUser", "assignedUser")}
TEAMS_LINK = {"type": "hasMany", "entity": "Team", "relationName": "entityTeam"}

CREATION = (
    make_field("createdAt", "datetime", readOnly=True),
    make_field("modifiedAt", "datetime", readOnly=True),
    make_field("createdBy", "link", readOnly=True),
    make_field("modifiedBy", "link", readOnly=True),
)


def name_field(*, since: Version = FIRST, until: Version | None = None) -> Field:
    """Return the field of a required name in several languages."""
    return make_field("name", "varchar", since=since, until=until, required=True, trim=True, isMultilang=True)


def code_field() -> Field:
    """Return the field of a unique code."""
    return make_field("code", "varchar", trim=True, unique=True)


def active_field(*, default: bool = False) -> Field:
    """Return the field of a switch."""
    return make_field("isActive", "bool", notNull=True, default=default)


def people_fields(*, required: bool = False, until: Version | None = V2_3) -> tuple[Field, ...]:
    """Return the fields of owner and assignee, whose default is the user.

    :param required: whether the OpenAPI document calls them required
    """
    flag = {"required": True} if required else {}
    return (
        make_field("ownerUser", "link", flag, until=until),
        make_field("assignedUser", "link", flag, until=until),
    )
