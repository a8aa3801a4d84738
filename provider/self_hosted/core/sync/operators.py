"""The base operators of a sync: plan and apply in one task, or in two with an approval between them.

A product adds its target: which records, in which connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

from self_hosted.core.arguments import parse_bool, parse_int
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.sync.applying_operator import ApplyingOperator
from self_hosted.core.sync.planning_operator import TARGET, PlanningOperator
from self_hosted.core.sync.results import ApplyResult, DryRunResult, PlannedChange, PlanResult, SyncResult
from self_hosted.core.tasks.lineage import record_input
from self_hosted.core.tasks.storage import parse_optional_uri, parse_uri, resolve_path

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.sync import (
        arguments,
        journal,
        limits,
        plan_file,
        plan_lines,
        rejects,
        report,
        summary,
        workspace,
    )
    from self_hosted.core.sync.planning import Comparison
    from self_hosted.core.sync.target import Change, Target
else:
    arguments = lazy_import("self_hosted.core.sync.arguments")
    journal = lazy_import("self_hosted.core.sync.journal")
    limits = lazy_import("self_hosted.core.sync.limits")
    plan_file = lazy_import("self_hosted.core.sync.plan_file")
    plan_lines = lazy_import("self_hosted.core.sync.plan_lines")
    rejects = lazy_import("self_hosted.core.sync.rejects")
    report = lazy_import("self_hosted.core.sync.report")
    summary = lazy_import("self_hosted.core.sync.summary")
    workspace = lazy_import("self_hosted.core.sync.workspace")

log = get_logger(__name__)

MAX_SHARDS = 1000
MAX_CHANGES = 20  # in the result of a dry run


class SyncOperator(PlanningOperator, ApplyingOperator):
    """Plans and applies in one task: `PlanningOperator` and `ApplyingOperator`.

    A retry compares again, so that it continues where a killed try ended.

    :param dry_run: plan only, and send nothing
    :return: `results.SyncResult`; of a dry run, `results.DryRunResult`
    :raises AirflowFailException: for invalid arguments, a malformed source, an exceeded limit, and more failed rows
        than allowed
    :raises ServerError: if a retry of the failed rows may succeed
    """

    template_fields: Sequence[str] = (
        *PlanningOperator.template_fields,
        *ApplyingOperator.template_fields,
        "plan_only",
    )

    def __init__(self, *, dry_run: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan_only = dry_run  # Airflow's operators have a method `dry_run`

    @cached_property
    def is_dry_run(self) -> bool:
        """Whether nothing is sent.

        :raises ValueError: naming the argument
        """
        return parse_bool("dry_run", self.plan_only)

    def validate(self) -> None:
        """Check the arguments; the source is checked when it is read.

        :raises ValueError: naming the argument
        """
        _ = self.is_dry_run
        super().validate()

    def submit(self, context: Context) -> SyncResult | DryRunResult:
        """Compare, check the limits, and apply.

        :param context: the context of the task
        """
        self.publish_target(context)
        plan_uri = parse_optional_uri("plan_uri", self.plan_uri)
        with workspace.Workspace() as space:
            comparison = self.compare(space)
            if plan_uri:
                resolve_path(plan_uri).unlink(missing_ok=True)  # of an earlier try, which may have applied some of it
                self.write_plan(comparison, plan_uri)
            comparison.check_limits()
            if self.is_dry_run:
                changed = [_describe_change(change) for change in islice(comparison.changes(), MAX_CHANGES)]
                common = self.describe_comparison(comparison)
                return cast("DryRunResult", {**common, "dry_run": True, "changes": changed, "plan_uri": plan_uri})
            return self._apply_all(context, comparison, plan_uri)

    def _apply_all(self, context: Context, comparison: Comparison, plan_uri: str | None) -> SyncResult:
        report = self.start_report(comparison.workspace, comparison.settled(), comparison.counts.to_json())
        self.apply(
            context,
            comparison.target,
            comparison.schema,
            comparison.changes(),
            report,
            lambda uri: rejects.write_rejects(uri, report, comparison.snapshot, comparison.schema),
        )
        total, missing = comparison.snapshot.total, comparison.counts.missing
        result = {**self.finish(context, report, total), "total": total, "missing": missing}
        return cast("SyncResult", {**result, "dry_run": False, "plan_uri": plan_uri})


class PlanOperator(PlanningOperator):
    """Writes the plan of a sync, and sends nothing; an `ApplyOperator` applies it, perhaps after an approval.

    Each key of the result is also an XCom, such as ``plan.output["plan_uri"]``.

    A plan is written once per run: ``plan_uri`` must be another one in each run. A retry accepts the plan of an earlier
    try if it is the same; otherwise the task fails, since people may have seen and approved the earlier one.

    :param shards: into how many plans the changes are divided, by key; a record and its parents stay together. The key
        "shards" of the result holds the arguments of an `ApplyOperator` for each: return it from a small task, and map
        the operator with ``expand_kwargs``. Default 1
    :return: `results.PlanResult`
    :raises AirflowFailException: for invalid arguments, a malformed source, an exceeded limit, and another plan of the
        same run
    """

    template_fields: Sequence[str] = (*PlanningOperator.template_fields, "shards")

    def __init__(self, *, plan_uri: str | Path, shards: int | str = 1, **kwargs: Any) -> None:
        super().__init__(**{"multiple_outputs": True, "plan_uri": plan_uri, **kwargs})
        self.shards = shards

    @cached_property
    def number_of_shards(self) -> int:
        """The parsed argument.

        :raises ValueError: naming the argument
        """
        return parse_int("shards", self.shards, maximum=MAX_SHARDS)

    def validate(self) -> None:
        """Check the arguments; the source is checked when it is read.

        :raises ValueError: naming the argument
        """
        _ = self.number_of_shards
        parse_uri("plan_uri", self.plan_uri)
        super().validate()

    def submit(self, context: Context) -> PlanResult:
        """Compare, write the plan, and check the limits.

        :param context: the context of the task
        """
        self.publish_target(context)
        with workspace.Workspace() as space:
            comparison = self.compare(space)
            plans = self.write_plan(comparison, parse_uri("plan_uri", self.plan_uri), self.number_of_shards)
            comparison.check_limits()
            result = {
                **self.describe_comparison(comparison),
                "plan_uri": plans[0].uri,
                "sha256": plans[0].sha256,
                "changes": sum(plan.changes for plan in plans),
                "shards": [{"plan_uri": plan.uri, "sha256": plan.sha256} for plan in plans],
                "summary": summary.summarize(plans[0], comparison.changes(), comparison.settled()),
            }
            return cast("PlanResult", result)


class ApplyOperator(ApplyingOperator):
    """Applies a plan that a `PlanOperator` has written.

    Each record is read first: one that is already as planned is unchanged, one that still has the old values is
    changed, and anything else is a conflict. So a plan can be applied twice without harm. A retry continues behind the
    last batch of the killed try.

    :param plan_uri: path or object storage URI of the plan
    :param sha256: SHA-256 of the plan, from the result of the `PlanOperator`; another file is rejected
    :param approval: the result of the `ApprovalOperator` before this task: a plan that nobody approved is rejected.
        Default: no approval is needed
    :return: `results.ApplyResult`
    :raises AirflowFailException: for invalid arguments, another plan or target, a missing approval, and more failed
        rows than allowed
    :raises ServerError: if a retry of the failed rows may succeed
    """

    template_fields: Sequence[str] = (*ApplyingOperator.template_fields, "plan_uri", "sha256", "approval")
    template_fields_renderers: ClassVar[dict[str, str]] = {"approval": "json"}

    def __init__(
        self,
        *,
        plan_uri: str | Path,
        sha256: str | None = None,
        approval: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.plan_uri, self.sha256, self.approval = plan_uri, sha256, approval
        # what a template renders for a missing result must not become "any plan" or "no approval is needed"
        self.needs_sha256, self.needs_approval = sha256 is not None, approval is not None

    @cached_property
    def stored_plan(self) -> arguments.StoredPlan:
        """The arguments about the plan, after templating.

        :raises ValueError: naming the argument
        """
        return arguments.StoredPlan.parse(self)

    def validate(self) -> None:
        """Check the arguments; the plan is checked when it is read.

        :raises ValueError: naming the argument
        """
        _ = self.stored_plan
        super().validate()

    def submit(self, context: Context) -> ApplyResult:
        """Check the plan, and apply it.

        :param context: the context of the task
        """
        self.publish_target(context)
        stored = self.stored_plan
        if stored.approver:
            log.info("%s approved the plan", stored.approver)
        record_input(self.hook, stored.uri)
        with workspace.Workspace() as space, plan_file.open_plan(stored.uri, stored.sha256) as plan:
            target, counts = self._build_target(plan), plan.header.counts
            limits.check_stored_limits(plan.header.limits, counts)
            schema = self.hook.run(target.describe(plan.header.fields))
            done = journal.Journal(stored.uri, plan.info.sha256, space.connection)
            number, shards = plan.header.shard
            report = self.start_report(space, plan.settled(), counts if number == 1 else {})  # they are of all shards
            self.apply(
                context,
                target,
                schema,
                plan.changes(),
                report,
                lambda uri: rejects.write_rejected_changes(uri, report, plan),
                done,
            )
            if report.are_failures_final:
                done.remove()
            result = self.finish(context, report, counts["total"] / shards)
            return cast("ApplyResult", {**result, "plan_uri": stored.uri})

    def _build_target(self, plan: plan_file.Plan) -> Target:
        """Return the target of a plan.

        :raises ValueError: if it is about another target than the operator
        """
        planned: Mapping[str, Any] = plan.header.options[TARGET]
        for name, value in self.target_arguments().items():
            if planned.get(name) != value:
                raise ValueError(f"{name}: the plan is about {planned.get(name)!r}, not {value!r}")
        target = self.build_target(planned)
        plan.header.require_target(target)
        return target


def _describe_change(change: Change) -> PlannedChange:
    """Return a change as a result shows it."""
    pairs = plan_lines.change_to_json(1, change)["fields"]
    fields = {name: [report.show_value(value) for value in pair] for name, pair in pairs.items()}
    return {"do": change.do, "key": report.show_text(change.key), "fields": fields}
