"""Background jobs."""

from __future__ import annotations

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS
from self_hosted.sandbox.atrocore.definitions.definition import Definition
from self_hosted.sandbox.atrocore.fields import make_field
from self_hosted.sandbox.atrocore.versions import QUEUE_SINCE

IMPORT_COUNTS = ("createdCount", "updatedCount", "deletedCount", "skippedCount", "errorsCount")
QUEUE_ENTITIES = frozenset({"Job", "QueueItem", "ImportJob", "ExportJob"})
"""Entities whose records change in the background."""

JOB = Definition(
    (
        make_field("name", "varchar"),
        make_field("status", "enum", default="Pending"),
        make_field("executeTime", "datetime", until=QUEUE_SINCE),
        *(
            make_field(name, "varchar", since=QUEUE_SINCE, readOnly=True)
            for name in ("type", "message", "startedAt", "endedAt")
        ),
        make_field("payload", "jsonObject", since=QUEUE_SINCE, readOnly=True),
        *CREATION,
    ),
    PEOPLE_LINKS,
)
QUEUE_ITEM = Definition(
    (
        make_field("name", "varchar"),
        make_field("status", "enum", default="Pending"),
        *(make_field(name, "varchar", readOnly=True) for name in ("serviceName", "message")),
        *CREATION,
    ),
    PEOPLE_LINKS,
    until=QUEUE_SINCE,
)
