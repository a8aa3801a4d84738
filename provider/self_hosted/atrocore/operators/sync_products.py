"""Synchronize AtroCore's records with a source of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.atrocore.operators.base import AtrocoreOperator
from self_hosted.atrocore.operators.row_source import FieldMapping, RowSource
from self_hosted.atrocore.operators.sync_arguments import SyncArguments
from self_hosted.atrocore.operators.sync_report import ReportedRow, SyncReport, SyncSummary
from self_hosted.core.http.errors import InvalidRequestError, ServerError
from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.providers.common.compat.sdk import Context

    from self_hosted.atrocore.api import schemas
    from self_hosted.atrocore.api.sync import batches, changes, plans
else:
    schemas = lazy_import("self_hosted.atrocore.api.schemas")
    batches = lazy_import("self_hosted.atrocore.api.sync.batches")
    changes = lazy_import("self_hosted.atrocore.api.sync.changes")
    plans = lazy_import("self_hosted.atrocore.api.sync.plans")

log = get_logger(__name__)

ROWS_PER_PLAN = 1000  # compared together, so that requests are full even if few records differ


class SyncResult(SyncSummary):
    """The result of `AtrocoreSyncProductsOperator`.

    :param entity: the entity
    :param dry_run: whether nothing was sent
    :param url: page with the list of the entity's records
    """

    entity: str
    dry_run: bool
    url: str


class DryRunResult(SyncResult):
    """The result of a dry run.

    :param plan: the first 20 rows that would create or update a record
    """

    plan: list[ReportedRow]


class AtrocoreSyncProductsOperator(AtrocoreOperator):
    """Creates missing products and updates those that differ; it deletes nothing.

    Products are matched by a key field. The stored products are read first, and only differences are sent, in batches:
    ``POST /api/upsert``, or one by one if the server is too old for it. A retry of a killed task continues, because
    completed changes do not differ any more.

    A field that a row does not contain is unchanged. None (null in .jsonl) empties it; an empty cell of a .csv file
    counts as absent. A key of several rows or several records is ambiguous: it is reported, and nothing is sent for it.

    :param rows: the products: dictionaries of field to value, as a list, a generator or the result of an upstream task;
        or the path or object storage URI of a .jsonl or .csv file in UTF-8, which is streamed
    :param key_field: field by which products are matched; default "number"; before core 2.0.28 usually "sku"
    :param entity: default "Product"; any other entity with such a field works as well
    :param field_mapping: columns and their fields, such as {"Artikelnummer": "number", "internal": None}; None leaves
        the column out; other columns are field names already
    :param dry_run: report what would change, and send nothing
    :param batch_size: records per request, from 1 to 1000; default 100
    :param fail_on: when failed rows fail the task, after all others are done: "any" (default), "never", or a share from
        0 to 1: it fails if more rows fail. Ambiguous rows are counted separately and never fail it
    :param report_uri: path or object storage URI of a file for the outcome of every row, as JSON; it appears only when
        it is complete, also if failed rows then fail the task
    :param atrocore_conn_id: the Airflow connection
    :return: `SyncResult`; of a dry run, `DryRunResult`
    :raises AirflowFailException: for invalid arguments, a malformed source, and more failed rows than allowed
    :raises ServerError: if a retry of the failed rows may succeed
    """

    template_fields: Sequence[str] = (
        *AtrocoreOperator.template_fields,
        "rows",
        "key_field",
        "entity",
        "field_mapping",
        "plan_only",
        "batch_size",
        "fail_on",
        "report_uri",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"rows": "json", "field_mapping": "json"}

    def __init__(
        self,
        *,
        rows: str | Path | Iterable[Mapping[str, Any]],
        key_field: str = "number",
        entity: str = "Product",
        field_mapping: FieldMapping | str | None = None,
        dry_run: bool | str = False,
        batch_size: int | str = 100,
        fail_on: float | str = "any",
        report_uri: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rows, self.key_field, self.entity, self.field_mapping = rows, key_field, entity, field_mapping
        self.plan_only = dry_run  # Airflow's operators have a method `dry_run`
        self.batch_size, self.fail_on, self.report_uri = batch_size, fail_on, report_uri

    @cached_property
    def arguments(self) -> SyncArguments:
        """The arguments, after templating.

        :raises ValueError: naming the argument
        """
        return SyncArguments.parse(self)

    def validate(self) -> None:
        """Check the arguments; the rows are checked when they are read.

        :raises ValueError: naming the argument
        """
        _ = self.arguments

    def submit(self, context: Context) -> SyncResult | DryRunResult:
        """Plan and apply the changes, some rows at a time; then report, and fail if too many rows failed.

        :param context: the context of the task
        """
        given = self.arguments
        url = f"{self.hook.settings.address.base_url}/#{given.entity}"
        publish_link(context, url)
        if isinstance(given.rows, str):
            record_input(self.hook, given.rows)
        with (
            RowSource(given.rows, given.key_field, given.field_mapping) as source,
            SyncReport(keep_all=given.report_uri is not None) as report,
        ):
            log.info("%s rows with %s keys", source.total, len(source.key_counts))
            try:
                self._sync(source, report)
            finally:
                self._log_progress(source, report)
            result: SyncResult = {
                **report.summarize(),
                "entity": given.entity,
                "dry_run": given.dry_run,
                "url": url,
            }
            if given.report_uri:
                report.write(given.report_uri, result)
                record_output(self.hook, given.report_uri, report.total)
            if given.dry_run:
                return DryRunResult(**result, plan=report.plan())
            uri, changed = asset_uri(self.hook, given.entity), result["created"] + result["updated"]
            counts = {name: value for name, value in result.items() if not isinstance(value, list)}
            emit_asset(context, self.hook, uri, counts, changed)
            self._require_few_failures(report)
            return result

    def _sync(self, source: RowSource, report: SyncReport) -> None:
        given = self.arguments
        schema = self.hook.run(schemas.get(given.entity))
        if schema is None:
            log.info("The server does not describe its fields: it silently drops fields that it does not know")
        for key, count in source.repeated_keys().items():
            report.add([changes.RowOutcome(key, "ambiguous", f"{count} rows have this key")], rows_each=count)
        progress = Throttle(SECONDS_BETWEEN_LINES)
        for rows in source.batches(ROWS_PER_PLAN):
            plan = self.hook.run(plans.make(given.entity, given.key_field, rows, schema))
            self._warn_about_missing_fields(plan)
            if given.dry_run:
                report.add(plan.preview())
                continue
            report.add(plan.settled)
            for batch in _split(plan.changes, given.batch_size):
                report.add(self.hook.run(batches.apply(given.entity, batch)))
            if progress.is_due():
                self._log_progress(source, report)

    def _log_progress(self, source: RowSource, report: SyncReport) -> None:
        counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
        plan = " (dry run)" if self.arguments.dry_run else ""
        entity, total = self.arguments.entity, source.total
        log.info("%s: %d of %d rows are done%s: %s", entity, report.total, total, plan, counts or "nothing")

    def _warn_about_missing_fields(self, plan: plans.Plan) -> None:
        if plan.missing_fields:
            names = ", ".join(sorted(plan.missing_fields))
            log.warning("New records lack %s: they fail unless %s has defaults for it", names, self.arguments.entity)

    def _require_few_failures(self, report: SyncReport) -> None:
        failed = report.counts["failed"]
        if failed <= self.arguments.max_failed_share * report.total:
            return
        first = report.failures[0]
        message = f"{failed} of {report.total} rows failed, the first with the key {first.key}: {first.message}"
        # errors that may pass are left to the task's retries
        raise (InvalidRequestError if report.are_failures_permanent else ServerError)(message)


def _split(items: Sequence[changes.Change], size: int) -> Iterator[Sequence[changes.Change]]:
    return (items[start : start + size] for start in range(0, len(items), size))
