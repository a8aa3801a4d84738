"""Users, roles and teams."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS, active_field
from self_hosted.sandbox.atrocore.definitions.definition import Definition
from self_hosted.sandbox.atrocore.fields import make_field

USER = Definition(
    (
        make_field("userName", "varchar", required=True, unique=True),
        make_field("name", "varchar"),
        make_field("firstName", "varchar"),
        make_field("lastName", "varchar"),
        make_field("emailAddress", "email"),
        active_field(default=True),
        make_field("isAdmin", "bool", default=False),
        make_field("roles", "linkMultiple"),
        make_field("teams", "linkMultiple"),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "roles": {"type": "hasMany", "relationName": "roleUser", "entity": "Role"},
        "teams": {"type": "hasMany", "relationName": "teamUser", "entity": "Team"},
    },
)
ROLE = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("data", "jsonObject"),
        make_field("fieldData", "jsonObject"),
        *CREATION,
    ),
    PEOPLE_LINKS,
)
TEAM = Definition((make_field("name", "varchar", required=True), *CREATION), PEOPLE_LINKS)
