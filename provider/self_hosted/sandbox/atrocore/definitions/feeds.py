"""Import and export feeds, their columns, and their jobs."""

from __future__ import annotations

from collections.abc import Iterator

from self_hosted.sandbox.atrocore.definitions.common import CREATION, PEOPLE_LINKS, TEAMS_LINK, people_fields
from self_hosted.sandbox.atrocore.definitions.definition import Definition, View
from self_hosted.sandbox.atrocore.definitions.queue import IMPORT_COUNTS
from self_hosted.sandbox.atrocore.fields import Field, make_field
from self_hosted.sandbox.atrocore.versions import FEEDS_SINCE, V2_3

FILE = {"type": "belongsTo", "entity": "File"}
QUEUE_ITEM = {"type": "belongsTo", "entity": "QueueItem"}
IMPORT_FEED_LINK = {"type": "belongsTo", "foreign": "importJobs", "entity": "ImportFeed"}
EXPORT_FEED_LINK = {"type": "belongsTo", "foreign": "exportJobs", "entity": "ExportFeed"}


def _new_required(name: str) -> Iterator[Field]:
    """Yield a text field that is required since 2.3."""
    yield make_field(name, "varchar", until=V2_3)
    yield make_field(name, "varchar", since=V2_3, required=True)


FEED = (
    make_field("name", "varchar", required=True),
    make_field("code", "varchar", unique=True),
    make_field("isActive", "bool", default=True),
    *_new_required("type"),
    make_field("lastStatus", "varchar", readOnly=True),
    make_field("folder", "link", until=V2_3),
    make_field("folder", "link", since=V2_3, required=True),
    *CREATION,
)
IMPORT_FEED = Definition(
    (
        *FEED,
        *(one for name in ("entity", "repeatProcessing", "decimalMark", "delimiter") for one in _new_required(name)),
        *_new_required("fieldDelimiterForRelation"),
        make_field("processingType", "varchar", since=V2_3, required=True),
        *(make_field(name, "varchar") for name in ("format", "fileFieldDelimiter", "fileTextQualifier")),
        *(make_field(name, "varchar") for name in ("thousandSeparator", "fileDataAction")),
        make_field("isFileHeaderRow", "bool", default=True),
        make_field("sourceFields", "array"),
        make_field("file", "link"),
    ),
    {**PEOPLE_LINKS, "file": FILE, "importJobs": {"type": "hasMany", "foreign": "importFeed", "entity": "ImportJob"}},
    since=FEEDS_SINCE,
    views=(View(created=("modifiedByName", "fileName", "lastStatus")),),
)
IMPORT_CONFIGURATOR_ITEM = Definition(
    (
        make_field("name", "varchar", required=True),
        make_field("importFeed", "link"),
        make_field("column", "array"),
        make_field("type", "varchar", default="Field"),
        make_field("entityIdentifier", "bool", default=False),
        make_field("sortOrder", "int"),
        *CREATION,
    ),
    {**PEOPLE_LINKS, "importFeed": IMPORT_FEED_LINK},
    since=FEEDS_SINCE,
)
IMPORT_JOB = Definition(
    (
        make_field("name", "varchar"),
        make_field("trial", "int", readOnly=True, default=0),
        make_field("sortOrder", "int", readOnly=True),
        *(make_field(name, "varchar", readOnly=True) for name in ("entityName", "state", "message", "start", "end")),
        *(make_field(name, "int", readOnly=True) for name in IMPORT_COUNTS),
        *CREATION,
        make_field("importFeed", "link", readOnly=True),
        make_field("queueItem", "link", readOnly=True),
        make_field("attachment", "file", readOnly=True),
        make_field("uploadedFile", "file", until=V2_3, readOnly=True),
        make_field("convertedFile", "link", readOnly=True),
        make_field("errorsAttachment", "link", until=V2_3, readOnly=True),
        make_field("parent", "link", readOnly=True),
    ),
    {
        **PEOPLE_LINKS,
        "importFeed": IMPORT_FEED_LINK,
        "parent": {"type": "belongsTo", "entity": "ImportJob"},
        "queueItem": QUEUE_ITEM,
        **dict.fromkeys(("attachment", "uploadedFile", "convertedFile", "errorsAttachment"), FILE),
        "importJobLogs": {"type": "hasMany", "foreign": "importJob", "entity": "ImportJobLog"},
    },
    since=FEEDS_SINCE,
    views=(View(until=V2_3, read_constants={"hasConvertedFile": True}),),
)
IMPORT_JOB_LOG = Definition(
    (
        make_field("importJob", "link", required=True),
        *(make_field(name, "varchar") for name in ("type", "entityName", "entityId")),
        make_field("message", "text"),
        make_field("rowNumber", "int"),
        *CREATION,
    ),
    {**PEOPLE_LINKS, "importJob": {"type": "belongsTo", "foreign": "importJobLogs", "entity": "ImportJob"}},
    since=FEEDS_SINCE,
)
EXPORT_FEED = Definition(
    (
        *FEED,
        make_field("limit", "int", until=V2_3),
        make_field("limit", "int", since=V2_3, required=True),
        *(make_field(name, "varchar") for name in ("entity", "fileType", "csvTextQualifier", "decimalMark")),
        *(make_field(name, "varchar") for name in ("sortOrderField", "sortOrderDirection")),
        make_field("csvFieldDelimiter", "varchar", default=";"),
        make_field("isFileHeaderRow", "bool", default=True),
        make_field("data", "jsonObject"),
    ),
    {**PEOPLE_LINKS, "exportJobs": {"type": "hasMany", "foreign": "exportFeed", "entity": "ExportJob"}},
    since=FEEDS_SINCE,
    views=(View(created=("modifiedByName", "lastStatus")),),
)
EXPORT_CONFIGURATOR_ITEM = Definition(
    (
        make_field("name", "varchar"),
        make_field("exportFeed", "link"),
        make_field("column", "varchar"),
        make_field("type", "varchar", required=True),
        make_field("columnType", "varchar", required=True),
        make_field("language", "varchar", until=V2_3, default="main"),
        make_field("sortOrder", "int"),
        *CREATION,
    ),
    {**PEOPLE_LINKS, "exportFeed": EXPORT_FEED_LINK},
    since=FEEDS_SINCE,
)
EXPORT_JOB = Definition(
    (
        make_field("name", "varchar"),
        make_field("trial", "int", readOnly=True, default=0),
        make_field("sortOrder", "int", readOnly=True, default=0),
        *(make_field(name, "varchar", readOnly=True) for name in ("state", "stateMessage", "start", "end")),
        make_field("count", "int", readOnly=True),
        make_field("data", "jsonObject", readOnly=True),
        *CREATION,
        make_field("exportFeed", "link", readOnly=True),
        make_field("queueItem", "link", readOnly=True),
        make_field("file", "file", readOnly=True),
        *people_fields(until=None),
        make_field("teams", "linkMultiple"),
    ),
    {**PEOPLE_LINKS, "exportFeed": EXPORT_FEED_LINK, "queueItem": QUEUE_ITEM, "file": FILE, "teams": TEAMS_LINK},
    since=FEEDS_SINCE,
    views=(View(read_constants={"editable": True}),),
)
