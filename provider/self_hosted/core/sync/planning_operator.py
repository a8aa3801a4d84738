"""The first half of a sync: a source of rows is compared with a target, and the plan is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.sync.results import ReportedRow
from self_hosted.core.sync.target_operator import TargetOperator
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.storage import parse_optional_uri

if TYPE_CHECKING:
    from pathlib import Path

    from self_hosted.core.sync import arguments, plan_shards, planning, report, summary
    from self_hosted.core.sync.plan_file import PlanInfo
    from self_hosted.core.sync.workspace import Workspace
else:
    arguments = lazy_import("self_hosted.core.sync.arguments")
    plan_shards = lazy_import("self_hosted.core.sync.plan_shards")
    planning = lazy_import("self_hosted.core.sync.planning")
    report = lazy_import("self_hosted.core.sync.report")
    summary = lazy_import("self_hosted.core.sync.summary")

log = get_logger(__name__)

TARGET = "target"
"""The option of a plan that holds the arguments of its target."""
MAX_PROBLEMS = 20  # in a result

Fields = Mapping[str, Any] | Sequence[Mapping[str, Any]] | str
Rows = Iterable[Any]


class PlanningOperator(TargetOperator):
    """Compares a source of rows with the records of a target.

    :param source: the rows: dictionaries as a list, a generator, or the result of a task (of a mapped task, too); or
        the path or object storage URI of a .csv, .tsv, .jsonl, .json, .parquet or .xlsx file, which may end in .gz
    :param sql: a query whose rows are the source, in place of ``source``; they are streamed
    :param sql_conn_id: the Airflow connection of the database
    :param source_format: "csv", "tsv", "jsonl", "json", "parquet" or "xlsx"; default: by the ending of the path
    :param sheet: the sheet of an .xlsx file; default: the first
    :param delimiter: of a text file; default: found in the header
    :param encoding: of a text file; default: UTF-8, UTF-16 with a byte order mark, else cp1252 with a warning
    :param decimal: the decimal mark of numbers, "." or ","; default: decided from all values of each column
    :param date_format: of dates and moments, such as "%d.%m.%Y"; default: ISO 8601
    :param null_values: texts that mean no value, besides ""; default: none
    :param empty: what a cell without a value means: "keep" (default), the field is unchanged, or "clear", it is emptied
    :param key_field: the field by which rows and records are matched
    :param fields: which columns are written into which fields: ``{"column": "field"}``, or a list of declarations
        such as ``Number("price", decimal=",")`` of `fields`; other columns are left out. Default: each column is
        written into the field of its name
    :param own: when a field is written: "always" (default), "on_create", or "if_empty"
    :param mode: "upsert" (default), only "create", only "update", or "mirror": records that the source lacks are
        treated as ``on_missing`` says
    :param on_missing: "ignore" (default), "deactivate", or "delete"
    :param on_deleted: a record that was deleted softly: "restore" (default), "respect" (skip it), or "report"
    :param on_duplicate_key: rows with the same key: "fail" (default), nothing is sent at all; "skip", nothing is sent
        for them; "first" or "last", that row counts
    :param max_missing: how many records may be deactivated or deleted; default 500
    :param max_missing_ratio: the same, as a share of the records in the scope; default: no limit
    :param max_changed_ratio: the share of rows that may change an existing record; default: no limit
    :param max_emptied: how many fields may be emptied; default: no limit
    :param min_rows: how many rows the source must have; default 1
    :param scope: a filter, in the product's own form: the sync is about the records that meet it; default: all records
    :param confirm: must be true for ``on_missing="delete"``
    :param plan_uri: path or object storage URI of the plan, JSON Lines; ".gz" at the end compresses it
    """

    template_fields: Sequence[str] = (
        "source",
        "sql",
        "sql_conn_id",
        "source_format",
        "sheet",
        "delimiter",
        "encoding",
        "decimal",
        "date_format",
        "null_values",
        "empty",
        "key_field",
        "fields",
        "own",
        "mode",
        "on_missing",
        "on_deleted",
        "on_duplicate_key",
        "max_missing",
        "max_missing_ratio",
        "max_changed_ratio",
        "max_emptied",
        "min_rows",
        "scope",
        "confirm",
        "plan_uri",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "source": "json",
        "sql": "sql",
        "fields": "json",
        "null_values": "json",
        "scope": "json",
    }

    def __init__(
        self,
        *,
        key_field: str,
        source: str | Path | Rows | None = None,
        sql: str | None = None,
        sql_conn_id: str | None = None,
        source_format: str | None = None,
        sheet: str | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        decimal: str | None = None,
        date_format: str | None = None,
        null_values: Sequence[str] | str | None = None,
        empty: Literal["keep", "clear"] | str = "keep",
        fields: Fields | None = None,
        own: Literal["always", "on_create", "if_empty"] | str = "always",
        mode: Literal["upsert", "create", "update", "mirror"] | str = "upsert",
        on_missing: Literal["ignore", "deactivate", "delete"] | str = "ignore",
        on_deleted: Literal["restore", "respect", "report"] | str = "restore",
        on_duplicate_key: Literal["fail", "skip", "first", "last"] | str = "fail",
        max_missing: int | str | None = 500,
        max_missing_ratio: float | str | None = None,
        max_changed_ratio: float | str | None = None,
        max_emptied: int | str | None = None,
        min_rows: int | str = 1,
        scope: Any = None,
        confirm: bool | str = False,
        plan_uri: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source, self.sql, self.sql_conn_id = source, sql, sql_conn_id
        self.source_format, self.sheet, self.delimiter, self.encoding = source_format, sheet, delimiter, encoding
        self.decimal, self.date_format, self.null_values, self.empty = decimal, date_format, null_values, empty
        self.key_field, self.fields, self.own = key_field, fields, own
        self.mode, self.on_missing, self.on_deleted = mode, on_missing, on_deleted
        self.on_duplicate_key, self.scope, self.confirm, self.plan_uri = on_duplicate_key, scope, confirm, plan_uri
        self.max_missing, self.max_missing_ratio = max_missing, max_missing_ratio
        self.max_changed_ratio, self.max_emptied, self.min_rows = max_changed_ratio, max_emptied, min_rows

    @cached_property
    def plan_request(self) -> planning.PlanRequest:
        """What is to be compared, after templating.

        :raises ValueError: naming the argument
        """
        return arguments.parse_plan_request(self)

    def planned_target(self) -> dict[str, Any]:
        """Return the arguments that say which records are compared, as plain JSON; a plan keeps them.

        :raises ValueError: naming the argument
        """
        key, scope = self.plan_request.options.key, arguments.parse_scope(self)
        policies = {
            "on_deleted": self.plan_request.options.on_deleted,
            "on_missing": self.plan_request.options.on_missing,
        }
        return {**self.target_arguments(), "key_field": key, "scope": scope, **policies}

    def validate(self) -> None:
        """Check the arguments; the source is checked when it is read.

        :raises ValueError: naming the argument
        """
        self.build_target(self.planned_target())
        parse_optional_uri("plan_uri", self.plan_uri)
        super().validate()

    def compare(self, workspace: Workspace) -> planning.Comparison:
        """Compare the source with the target.

        :param workspace: receives rows and changes
        """
        request = self.plan_request
        if request.source.uri:
            record_input(self.hook, request.source.uri)
        target = self.build_target(self.planned_target())
        return planning.compare(self.hook.run, target, request, workspace)

    def write_plan(self, comparison: planning.Comparison, uri: str, shards: int = 1) -> list[PlanInfo]:
        """Write the plan, and log its first changes.

        :param comparison: what differs
        :param uri: path or URI of the plan
        :param shards: into how many files it is divided
        """
        header = comparison.header(**{TARGET: self.planned_target()})
        plans = plan_shards.write_shards(comparison.workspace, uri, header, shards)
        for plan in plans:
            record_output(self.hook, plan.uri, plan.changes)
        for line in summary.log_lines(plans[0], comparison.changes(), comparison.settled()):
            log.info("%s", line)
        return plans

    def describe_comparison(self, comparison: planning.Comparison) -> dict[str, Any]:
        """Return what the results of plans and dry runs have in common.

        :param comparison: what differs
        """
        return {
            **self.result_details(),
            **comparison.counts.to_json(),
            "warnings": comparison.findings.count("warning"),
            "problems": [
                ReportedRow(key=report.show_text(row.key), result=row.verdict, message=row.message, row=row.row)
                for row in islice(comparison.settled(), MAX_PROBLEMS)
            ],
            "url": self.target_url(self.target_arguments()),
        }
