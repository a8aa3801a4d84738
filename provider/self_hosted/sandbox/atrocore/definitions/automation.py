"""Scheduled jobs and actions."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS, active_field
from self_hosted.sandbox.atrocore.definitions.definition import Definition
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import FEEDS_SINCE, V2_3

IMPORT_FEED = {"type": "belongsTo", "entity": "ImportFeed"}

SCHEDULED_JOB = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("job", "varchar"),
        make_field("type", "varchar", since=V2_3, required=True),
        make_field("status", "varchar", until=V2_3, default="Active"),
        make_field("isActive", "bool", since=V2_3, default=True),
        make_field("scheduling", "varchar"),
        make_field("lastRun", "datetime", readOnly=True),
        make_field("importFeed", "link"),
        make_field("importFeeds", "linkMultiple", until=V2_3),
        *CREATION,
    ),
    {
        **PEOPLE_LINKS,
        "importFeed": IMPORT_FEED,
        "importFeeds": {"type": "hasMany", "relationName": "scheduledJobImportFeed", "entity": "ImportFeed"},
    },
)
ACTION = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("type", "varchar", required=True),
        *(make_field(name, "varchar") for name in ("sourceEntity", "usage", "display")),
        active_field(),
        make_field("inBackground", "bool", default=False),
        make_field("importFeed", "link"),
        *CREATION,
    ),
    {**PEOPLE_LINKS, "importFeed": IMPORT_FEED},
    since=FEEDS_SINCE,
)
