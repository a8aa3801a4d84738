"""Measures, units and locales."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS, active_field, code_field, name_field
from self_hosted.sandbox.atrocore.definitions.definition import Definition
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import V2_3

MEASURE = Definition(
    (name_field(), code_field(), *CREATION),
    {**PEOPLE_LINKS, "units": {"type": "hasMany", "foreign": "measure", "entity": "Unit"}},
)
UNIT = Definition(
    (
        name_field(),
        code_field(),
        make_field("measure", "link", required=True),
        make_field("multiplier", "float", until=V2_3, default=1),
        make_field("multiplier", "float", since=V2_3, required=True),
        make_field("isMain", "bool", default=False),
        make_field("convertTo", "link"),
        active_field(default=True),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "measure": {"type": "belongsTo", "foreign": "units", "entity": "Measure"},
        "convertTo": {"type": "belongsTo", "entity": "Unit"},
    },
)
LOCALE = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("language", "varchar"),
        make_field("decimalMark", "varchar", default=","),
        make_field("thousandSeparator", "varchar", default="."),
        *CREATION,
    ),
    PEOPLE_LINKS,
)
