"""The second half of a sync: changes are applied, and each gets an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from self_hosted.core.http.errors import InvalidRequestError, ServerError
from self_hosted.core.imports import lazy_import
from self_hosted.core.sync.results import ApplyCounts
from self_hosted.core.sync.target_operator import TargetOperator
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.lineage import record_output

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.sync import apply as applying, arguments, report as reports
    from self_hosted.core.sync.journal import Journal
    from self_hosted.core.sync.plan_lines import Settled
    from self_hosted.core.sync.report import Report
    from self_hosted.core.sync.target import Change, Schema, Target
    from self_hosted.core.sync.workspace import Workspace
else:
    applying = lazy_import("self_hosted.core.sync.apply")
    arguments = lazy_import("self_hosted.core.sync.arguments")
    reports = lazy_import("self_hosted.core.sync.report")


WRITTEN = ("created", "updated", "restored", "deactivated", "deleted")
NOT_STORED = ("failed", "forbidden", "conflict", "altered")


class ApplyingOperator(TargetOperator):
    """Applies changes to the records of a target.

    :param batch_size: records per request, from 1 to 1000; default 100
    :param on_conflict: a record that was changed since it was compared: "report" (default), "skip", or "overwrite"
    :param verify: which changes are read back: "doubtful" (default), the first batch and what the server did not
        clearly confirm, or "all"
    :param fail_on: when failed rows fail the task, after all others are done: "any" (default), "never", or a share from
        0 to 1: it fails if more rows fail, conflict, or are stored otherwise
    :param report_uri: path or object storage URI of a file for the outcome of every row that is not unchanged, JSON
        Lines; it appears only when it is complete, also if failed rows then fail the task
    :param rejects_uri: path or object storage URI of a .csv or .jsonl file for the rows that were not stored, with the
        reason; it can be used as a source again
    """

    template_fields: Sequence[str] = (
        "batch_size",
        "on_conflict",
        "verify",
        "fail_on",
        "report_uri",
        "rejects_uri",
    )

    def __init__(
        self,
        *,
        batch_size: int | str = 100,
        on_conflict: Literal["report", "skip", "overwrite"] | str = "report",
        verify: Literal["doubtful", "all"] | str = "doubtful",
        fail_on: float | str = "any",
        report_uri: str | Path | None = None,
        rejects_uri: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch_size, self.on_conflict, self.verify, self.fail_on = batch_size, on_conflict, verify, fail_on
        self.report_uri, self.rejects_uri = report_uri, rejects_uri

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        arguments.parse_apply_options(self)
        _ = self.outputs
        super().validate()

    @cached_property
    def outputs(self) -> arguments.Outputs:
        """What the task writes besides its result, and when it fails.

        :raises ValueError: naming the argument
        """
        return arguments.Outputs.parse(self)

    def start_report(self, workspace: Workspace, settled: Iterable[Settled], counts: Mapping[str, int]) -> Report:
        """Return a report that has all rows that are not changed.

        :param workspace: keeps the outcomes
        :param settled: those that a plan lists
        :param counts: how many there are, by verdict: most are not listed
        """
        report = reports.Report(workspace.connection, keeps_all=self.outputs.report_uri is not None)
        for row in settled:
            report.add_settled(row)
        for result in ("unchanged", "skipped"):
            report.count(result, max(0, counts.get(result, 0) - report.counts[result]))
        return report

    def apply(
        self,
        context: Context,
        target: Target,
        schema: Schema,
        changes: Iterable[Change],
        report: Report,
        write_rejects: Callable[[str], int],
        journal: Journal | None = None,
    ) -> None:
        """Apply changes, and write the files of the task, also after an error.

        :param context: the context of the task
        :param target: the target
        :param schema: its fields
        :param changes: in their order
        :param report: receives the outcomes
        :param write_rejects: writes the rejected rows to a path or URI, and returns their number
        :param journal: of a stored plan, which is not compared with the target yet
        """
        options = arguments.parse_apply_options(self)
        options = options._replace(is_retry=context["ti"].try_number > 1, looks_first=journal is not None)
        try:
            applying.apply(self.hook.run, target, schema, changes, options, report, journal)
        finally:
            if self.outputs.rejects_uri:
                record_output(self.hook, self.outputs.rejects_uri, write_rejects(self.outputs.rejects_uri))
            if self.outputs.report_uri:
                record_output(self.hook, self.outputs.report_uri, report.write(self.outputs.report_uri))

    def finish(self, context: Context, report: Report, total: float) -> dict[str, Any]:
        """Emit the asset event and return the result; or fail, if too many rows failed.

        :param context: the context of the task
        :param report: the outcomes
        :param total: number of rows
        :raises InvalidRequestError: for failures that another attempt repeats
        :raises ServerError: for failures that it may not repeat
        """
        counts = {name: report.counts[name] for name in ApplyCounts.__annotations__}
        counts["failed"] += report.counts["forbidden"]
        given = self.target_arguments()
        uri = asset_uri(self.hook, *self.asset_path(given))
        emit_asset(context, self.hook, uri, counts, sum(counts[name] for name in WRITTEN))
        self._require_few_failures(report, total)
        return {
            **self.result_details(),
            **counts,
            "problems": report.problems,
            "url": self.target_url(given),
            "report_uri": self.outputs.report_uri,
            "rejects_uri": self.outputs.rejects_uri,
        }

    def _require_few_failures(self, report: Report, total: float) -> None:
        failed = sum(report.counts[name] for name in NOT_STORED)
        # removals of records without a row may fail, too: there can be more failures than rows
        if failed <= self.outputs.max_failed_share * total or self.outputs.max_failed_share >= 1:
            return
        first = next(problem for problem in report.problems if problem["result"] in NOT_STORED)
        message = (
            f"{failed} of {total:.0f} rows are not stored as planned, the first with the key {first['key']}: "
            f"{first['result']}: {first.get('message', '')}"
        )
        # errors that may pass are left to the task's retries
        raise (InvalidRequestError if report.are_failures_final else ServerError)(message)
