"""Execution of exports: records become the rows of a file."""

from __future__ import annotations

import csv
import io
from typing import Any

from self_hosted.sandbox.atrocore.conditions import normalize
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.file_store import store_file
from self_hosted.sandbox.atrocore.filters import build_matcher
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.import_files import list_columns
from self_hosted.sandbox.atrocore.job_queue import background_work
from self_hosted.sandbox.atrocore.lists import get_sort_key
from self_hosted.sandbox.atrocore.state import Record, State

WORK = "export"


class ExportColumnHooks(Hooks):
    """The rules of an export feed's columns."""

    def before_create(self, state: State, values: Values) -> Values:
        """Name the column like its field.

        :raises ApiError: if the feed is unknown
        """
        feed = state.find_record("ExportFeed", str(values.get("exportFeedId")))
        if feed is None:
            raise ApiError(404)
        attributes = state.schema.entity(feed["entity"]).attributes if feed.get("entity") else {}
        field = attributes.get(str(values.get("name")))
        return {"column": field.label if field else values.get("name"), **values}


class ExportJobHooks(Hooks):
    """The rules of export jobs."""

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Add the name of the file, also to lists in which only its id is selected."""
        if "fileId" not in rendered:
            return rendered
        file = state.find_record("File", str(record.get("fileId")))
        return {**rendered, "fileName": file["name"] if file else None}


HOOKS |= {"ExportConfiguratorItem": ExportColumnHooks(), "ExportJob": ExportJobHooks()}


def read_table(state: State, feed: Record, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an export, by the names of the columns.

    :param wanted: ``where`` or ``ids`` of the records; all by default
    """
    entity, columns = feed["entity"], list_columns(state, "ExportConfiguratorItem", "exportFeedId", feed)
    matches = build_matcher(state, entity, normalize(wanted.get("where")))
    found = [one for one in state.records[entity].values() if not one["deleted"] and matches(one)]
    if "ids" in wanted:
        found = [one for one in found if one["id"] in wanted["ids"]]
    sort_field = str(feed.get("sortOrderField") or "id")
    found.sort(key=lambda one: get_sort_key(one.get(sort_field)), reverse=feed.get("sortOrderDirection") == "DESC")
    return [{column["column"]: one.get(column["name"]) for column in columns} for one in found]


@background_work(WORK)
def export_file(state: State, arguments: dict[str, Any]) -> dict[str, Any]:
    """Write the file of an export, and return fields of the job.

    :param arguments: ``feed``, and ``wanted`` of `read_table`
    """
    feed = state.records["ExportFeed"][arguments["feed"]]
    rows = read_table(state, feed, arguments["wanted"])
    target = io.StringIO()
    writer = csv.writer(target, delimiter=str(feed.get("csvFieldDelimiter") or ";"), lineterminator="\n")
    columns = list_columns(state, "ExportConfiguratorItem", "exportFeedId", feed)
    writer.writerow([column["column"] for column in columns])
    writer.writerows(row.values() for row in rows)
    moment = "".join(character for character in state.timestamp() if character.isdigit())
    name = f"{str(feed['name']).lower().replace(' ', '')}_{moment}.csv"
    file = store_file(state, {"name": name}, target.getvalue().encode()).record
    feed["lastStatus"] = "Success"
    return {"fileId": file["id"], "count": len(rows)}
