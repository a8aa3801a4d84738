"""Execution of imports: the rows of a file become records."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.job_queue import background_work
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.record_store import create_record, insert_record, update_record
from self_hosted.sandbox.atrocore.state import Record, State

WORK = "import"
FIRST_ROW = 2
"""The row number behind the header."""

Row = dict[str, str]


class ImportColumnHooks(Hooks):
    """The rules of an import feed's columns."""

    def before_create(self, state: State, values: Values) -> Values:
        """Check the feed.

        :raises ApiError: if it is unknown
        """
        if state.find_record("ImportFeed", str(values.get("importFeedId"))) is None:
            raise ApiError(400, "ImportFeed is required for Configurator item.")
        return values


HOOKS["ImportConfiguratorItem"] = ImportColumnHooks()


def list_columns(state: State, entity: str, feed_attribute: str, feed: Record) -> list[Record]:
    """Return the columns of a feed in order.

    :param entity: entity of the columns
    :param feed_attribute: their attribute with the id of the feed
    """
    rows = state.index.find(entity, feed_attribute, [feed["id"]], to_text)
    found = [row for row in rows if row.get(feed_attribute) == feed["id"] and not row["deleted"]]
    return sorted(found, key=lambda row: row.get("sortOrder") or 0)


def read_rows(state: State, feed: Record, file_id: str) -> Iterator[list[str]]:
    """Yield the rows of a CSV file, the header included."""
    text = state.file_contents[file_id].decode("utf-8-sig", "replace")
    yield from csv.reader(io.StringIO(text), delimiter=str(feed.get("fileFieldDelimiter") or ";"))


@background_work(WORK)
def import_file(state: State, arguments: dict[str, Any]) -> dict[str, Any]:
    """Import a file, and return the counters of the job.

    :param arguments: ``feed``, ``file``, ``job``
    """
    feed = state.records["ImportFeed"][arguments["feed"]]
    columns = list_columns(state, "ImportConfiguratorItem", "importFeedId", feed)
    header, *rows = read_rows(state, feed, arguments["file"])
    counts: Counter[str] = Counter()
    for number, cells in enumerate(rows, FIRST_ROW):
        try:
            counts[_import_row(state, feed, columns, dict(zip(header, cells, strict=False)))] += 1
        except ApiError as error:
            counts["errorsCount"] += 1
            log = {"importJobId": arguments["job"], "type": "error", "message": error.message, "rowNumber": number}
            insert_record(state, "ImportJobLog", {**log, "entityName": feed["entity"]})
    feed["lastStatus"] = "Success"
    return dict(counts)


def build_errors_file(state: State, job: Record) -> str:
    """Return the rows that failed, with their errors, as CSV."""
    feed = state.records["ImportFeed"][job["importFeedId"]]
    header, *rows = read_rows(state, feed, job["attachmentId"])
    logs = state.index.find("ImportJobLog", "importJobId", [job["id"]], to_text)
    target = io.StringIO()
    writer = csv.writer(target, delimiter=str(feed.get("fileFieldDelimiter") or ";"), lineterminator="\n")
    writer.writerows([[*range(len(header) + 1)], [*header, "Import Errors"]])
    writer.writerows([*rows[log["rowNumber"] - FIRST_ROW], log["message"]] for log in logs)
    return target.getvalue()


def _import_row(state: State, feed: Record, columns: list[Record], row: Row) -> str:
    """Create or update the record of a row, and return the name of the counter."""
    values = {column["name"]: _convert(state, feed, column["name"], _read_cell(column, row)) for column in columns}
    keys = [column["name"] for column in columns if column.get("entityIdentifier")]
    match = _find_record(state, feed["entity"], {name: values[name] for name in keys}) if keys else None
    actions = str(feed.get("fileDataAction") or "create_update")
    if match is None:
        if "create" not in actions:
            return "skippedCount"
        create_record(state, feed["entity"], values)
        return "createdCount"
    if "update" not in actions or not update_record(state, feed["entity"], match, values).changed:
        return "skippedCount"
    return "updatedCount"


def _find_record(state: State, entity: str, keys: dict[str, Any]) -> Record | None:
    name, value = next(iter(keys.items()))
    candidates = state.index.find(entity, name, [value], to_text)
    matches = (one for one in candidates if not one["deleted"] and all(one.get(key) == keys[key] for key in keys))
    return next(matches, None)


def _read_cell(column: Record, row: Row) -> str:
    names = column.get("column") or [column["name"]]
    return row.get(names[0], "")


def _convert(state: State, feed: Record, name: str, cell: str) -> Any:
    """Return a cell as a value of its field.

    :raises ApiError: if a number is none
    """
    attribute = state.schema.entity(feed["entity"]).attributes.get(name)
    if attribute is None or attribute.type not in {"float", "int"}:
        return cell
    if not cell:
        return None
    thousands, decimal = str(feed.get("thousandSeparator") or ""), str(feed.get("decimalMark") or ".")
    text = cell.replace(thousands, "") if thousands else cell
    try:
        return float(text.replace(decimal, "."))
    except ValueError:
        raise ApiError(400, "convertValidationPrefixunexpectedFieldType") from None
