"""The base of the operators that send many files for analysis and wait for all verdicts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.analysis import AnalysisOperator
from self_hosted.assemblyline.operators.bulk_outcomes import BulkOutcomes, BulkResult, FileReport, abbreviate
from self_hosted.assemblyline.operators.input_files import (
    InputFile,
    find_input_files,
    find_unsendable,
    list_input_files,
)
from self_hosted.assemblyline.operators.list_input import ListInputOperator
from self_hosted.core.arguments import is_set, parse_bool, parse_int, require_one_of
from self_hosted.core.http.errors import PermanentError
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_assets
from self_hosted.core.tasks.job_state import build_fingerprint
from self_hosted.core.tasks.lineage import record_inputs, record_output
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import parse_uri, write_json_lines
from self_hosted.core.wait.bulk_submit import BoundedSubmitter

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.submissions import intake, validation
    from self_hosted.core.wait.pending import Outcome
    from self_hosted.core.wait.spec import WaitSpec
else:
    intake = lazy_import("self_hosted.assemblyline.api.submissions.intake")
    validation = lazy_import("self_hosted.assemblyline.api.submissions.validation")


log = get_logger(__name__)


class SubmittedFiles(TypedDict):
    """The files that a bulk operator sent.

    :param files: the files' names, by remote id
    :param skipped: why files were not sent, by name
    :param errors: why files failed, by name
    :param is_permanent: whether a retry has the same errors
    :param duplicated: ids of submissions that may have a duplicate, because a response was lost; by tag
    :param sha256s: SHA-256 of the files by remote id, if the task does not wait
    """

    files: dict[str, str]
    skipped: dict[str, str]
    errors: dict[str, str]
    is_permanent: bool
    duplicated: dict[str, str]
    sha256s: dict[str, str | None]


class BulkAnalysisOperator(ListInputOperator, AnalysisOperator):
    """Sends many files, each exactly once over all tries, and waits for all. A subclass sends one, and finds many.

    :param files: paths or URIs
    :param folder: a folder or prefix; either this or ``files``
    :param pattern: glob pattern of the file names in ``folder``
    :param recursive: whether to search the folders below, too
    :param max_concurrency: how many files at a time
    :param max_items: how many files are allowed
    :param strict: whether a file that cannot be sent fails the task before anything is sent
    :param report_uri: path or URI of the report
    :param fail_on_errors: whether failed files fail the task
    """

    template_fields: Sequence[str] = (
        *AnalysisOperator.template_fields,
        "fail_on_empty",
        "files",
        "folder",
        "pattern",
        "recursive",
        "max_concurrency",
        "max_items",
        "strict",
        "report_uri",
        "fail_on_errors",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **AnalysisOperator.template_fields_renderers,
        "files": "json",
    }

    def __init__(
        self,
        *,
        files: Sequence[str | Path] | str | Path | None = None,
        folder: str | Path | None = None,
        pattern: str = "*",
        recursive: bool | str = False,
        max_concurrency: int | str = 5,
        max_items: int | str = 1000,
        strict: bool | str = False,
        report_uri: str | Path | None = None,
        fail_on_errors: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.files, self.folder, self.pattern, self.recursive = files, folder, pattern, recursive
        self.max_concurrency, self.max_items, self.strict = max_concurrency, max_items, strict
        self.report_uri, self.fail_on_errors = report_uri, fail_on_errors
        self.duplicated: dict[str, str] = {}
        self.sha256s: dict[str, str | None] = {}

    def find_sent(self, files: Mapping[str, InputFile]) -> dict[str, str]:
        """Return the remote ids of files that an earlier try sent, by tag.

        :param files: by tag
        """
        raise NotImplementedError

    def send(self, file: InputFile, tag: str) -> str:
        """Send one file, and return its remote id. It runs in a thread.

        :param file: the file
        :param tag: see `AnalysisOperator.tag`
        """
        raise NotImplementedError

    def place_spec(self) -> WaitSpec | None:
        """Return the wait spec that observes when a file's place is free; None if it is free once the file is sent."""
        raise NotImplementedError

    def report_outcome(self, key: str, outcome: Outcome | None) -> FileReport:
        """Return the report line of a file that was sent, without the file.

        :param key: its remote id
        :param outcome: the outcome of its wait; None if the task does not wait
        """
        raise NotImplementedError

    def validate(self) -> None:
        """Check the arguments, and find the files.

        :raises ValueError: naming the argument
        """
        super().validate()
        for name in ("strict", "fail_on_errors"):
            parse_bool(name, getattr(self, name))
        parse_int("max_concurrency", self.max_concurrency)
        self.uri("report_uri")
        max_items = parse_int("max_items", self.max_items)
        if len(self.input_files) > max_items:
            raise ValueError(f"there are more files than max_items ({max_items}): raise it, or select fewer files")
        self.check_not_empty({"files": self.files, "folder": self.folder}, self.input_files)

    @cached_property
    def input_files(self) -> list[InputFile]:
        """The files that the arguments select."""
        recursive, max_items = parse_bool("recursive", self.recursive), parse_int("max_items", self.max_items)
        selections = {name: getattr(self, name) for name in ("files", "folder")}
        if require_one_of({name: value if is_set(value) else None for name, value in selections.items()}) == "files":
            return list_input_files(self.files)
        return find_input_files(self._folder(), self.pattern, recursive=recursive, max_files=max_items)

    def identify_content(self) -> Any:
        """Return path and size of all files."""
        return sorted(file.identity for file in self.input_files)

    def fingerprint(self) -> str:
        """Return a digest that also differs if a file was replaced by one of the same size."""
        times = sorted((file.name, file.modified_at) for file in self.input_files)
        return build_fingerprint([super().fingerprint(), times])

    def submit(self, context: Context) -> SubmittedFiles:
        """Send all valid files that no earlier try has sent.

        :param context: the context of the task
        :raises ValueError: if ``strict`` is set and a file cannot be sent
        """
        publish_link(context, self.list_page())
        max_bytes = self.hook.run(validation.get_size_limit(self.options())) if self.input_files else None
        missing, skipped = find_unsendable(self.input_files, max_bytes)
        if (missing or skipped) and parse_bool("strict", self.strict):
            problems = [f"{name}: {reason}" for name, reason in {**missing, **skipped}.items()]
            raise ValueError(f"strict: {len(problems)} files cannot be sent: {abbreviate(problems)}")
        sendable = [file for file in self.input_files if file.name not in {*missing, *skipped}]
        files = {self.tag(context, file.identity): file for file in sendable}
        folder = self._folder() if is_set(self.folder) else None
        record_inputs(self.hook, [str(file.path) for file in sendable], folder)
        submitter = self._send_all(context, files)
        errors = {files[tag].name: str(error) for tag, error in submitter.errors.items()}
        return SubmittedFiles(
            files={submitter.keys[tag]: file.name for tag, file in files.items() if tag in submitter.keys},
            skipped=skipped,
            errors={**missing, **errors},
            is_permanent=all(isinstance(error, (PermanentError, ValueError)) for error in submitter.errors.values()),
            duplicated=self.duplicated,
            sha256s={} if self.wait_options.wait_for_completion else self.sha256s,
        )

    def _send_all(self, context: Context, files: Mapping[str, InputFile]) -> BoundedSubmitter:
        submitter = BoundedSubmitter(
            self.hook,
            parse_int("max_concurrency", self.max_concurrency),
            self._deadline(time.time()),
            self.place_spec(),
            self.wait_options.poll_interval,
            quota_of=intake.parse_quota,
        )
        with self.cancelling_on_end(context, submitter.stop):
            sent = self.find_sent(files)
            submits = {tag: partial(self.send, file, tag) for tag, file in files.items() if tag not in sent}
            submitter.run(submits, sent)
        log.info("%s files are submitted, %s of them by an earlier try", len(submitter.keys), len(sent))
        return submitter

    def external_ids(self, submitted: SubmittedFiles) -> list[str]:
        """Return the remote ids of all files that were sent.

        :param submitted: the result of `submit`
        """
        return list(submitted["files"])

    def external_url(self, submitted: SubmittedFiles) -> str:
        """Return the page of all submissions; at its end, the task publishes the page of the worst one.

        :param submitted: not used
        """
        return self.list_page()

    def build_submitted_result(self, context: Context, submitted: SubmittedFiles) -> list[FileReport]:
        """Write the report, and return the report lines of the files that were sent: a task can be mapped over them.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :raises SelfHostedError: see `build_combined_result`
        """
        bulk = self._conclude(context, submitted, {})
        return [row for row in bulk.rows if "state" in row]

    def build_combined_result(
        self, context: Context, submitted: SubmittedFiles, outcomes: Mapping[str, Outcome]
    ) -> BulkResult | list[FileReport]:
        """Write the report, and return the result.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param outcomes: by remote id
        :raises PermanentError: if a file reached a limit, or failed in a way that a retry cannot resolve
        :raises SelfHostedError: if files failed in another way
        """
        if not self.wait_options.wait_for_completion:  # no file was sent
            return self.build_submitted_result(context, submitted)
        bulk = self._conclude(context, submitted, outcomes)
        return bulk.build_result(self.uri("report_uri"))

    def _conclude(self, context: Context, submitted: SubmittedFiles, outcomes: Mapping[str, Outcome]) -> BulkOutcomes:
        """Cancel duplicates, write the report, and return the outcomes of all files.

        :raises SelfHostedError: if files failed or reached a limit
        """
        self.cancel_duplicates(submitted["duplicated"])
        bulk = BulkOutcomes(self._report(submitted, outcomes))
        report_uri = self.uri("report_uri")
        if report_uri:
            write_json_lines(report_uri, iter(bulk.rows))
            record_output(self.hook, report_uri, len(bulk.rows))
        self._emit(context, bulk)
        bulk.log_warnings(log)
        if bulk.worst:
            publish_link(context, bulk.worst["url"])
        bulk.check_limits(self.fail_on_score, self.text("fail_on_verdict"))
        if bulk.failed and parse_bool("fail_on_errors", self.fail_on_errors):
            is_permanent = submitted["is_permanent"] and not any(map(_is_retryable, outcomes.values()))
            if not is_permanent:
                self._clear_job_state(context)  # a retry sends what is missing, and finds the rest by its tags
            raise bulk.error(is_permanent=is_permanent)
        return bulk

    def _emit(self, context: Context, bulk: BulkOutcomes) -> None:
        """Emit the submissions, or the ingests without one, as assets; the lineage of failed tasks has them, too."""
        rows: list[Mapping[str, Any]] = [row for row in bulk.rows if {"sid", "ingest_id"} & set(row)]
        segments = [("submission", row["sid"]) if "sid" in row else ("ingest", row["ingest_id"]) for row in rows]
        uris = [asset_uri(self.hook, *names) for names in segments]
        summary = bulk.build_result(self.uri("report_uri"))
        emit_assets(context, self.hook, dict(zip(uris, rows, strict=True)), asset_uri(self.hook, "submission"), summary)

    def _report(self, submitted: SubmittedFiles, outcomes: Mapping[str, Outcome]) -> list[FileReport]:
        sent = {name: self._report_sent(submitted, key, outcomes.get(key)) for key, name in submitted["files"].items()}
        skipped = {name: FileReport(skipped=reason) for name, reason in submitted["skipped"].items()}
        failed = {name: FileReport(error=reason) for name, reason in submitted["errors"].items()}
        return [
            FileReport(file=self._uri(name), **row) for rows in (sent, skipped, failed) for name, row in rows.items()
        ]

    def _report_sent(self, submitted: SubmittedFiles, key: str, outcome: Outcome | None) -> FileReport:
        row = self.report_outcome(key, outcome)
        return row if "sha256" in row else {**row, "sha256": submitted["sha256s"].get(key)}

    def _uri(self, name: str) -> str:
        return f"{self._folder().rstrip('/')}/{name}" if is_set(self.folder) and "://" not in name else name

    def _folder(self) -> str:
        return parse_uri("folder", self.folder, is_folder=True)


def _is_retryable(outcome: Outcome) -> bool:
    return isinstance(outcome, Exception) and not isinstance(outcome, PermanentError)
