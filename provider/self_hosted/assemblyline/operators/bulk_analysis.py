"""The base of the operators that send many files for analysis and wait for all verdicts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypedDict

from self_hosted.assemblyline.operators.analysis import AnalysisOperator
from self_hosted.assemblyline.operators.bulk_outcomes import BulkOutcomes, BulkResult, FileReport, abbreviate
from self_hosted.assemblyline.operators.input_files import (
    InputFile,
    find_input_files,
    find_unsendable,
    list_input_files,
)
from self_hosted.core.arguments import parse_bool, parse_int, require_one_of
from self_hosted.core.http.errors import PermanentError
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.job_state import build_fingerprint
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import record_input, record_output, validate_output_uri, write_json_lines
from self_hosted.core.wait.bulk_submit import BoundedSubmitter

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.submissions import intake, validation
    from self_hosted.core.wait.pending import Outcome
    from self_hosted.core.wait.spec import WaitSpec
else:
    intake = lazy_import("self_hosted.assemblyline.api.submissions.intake")
    validation = lazy_import("self_hosted.assemblyline.api.submissions.validation")


class SubmittedFiles(TypedDict):
    """The files that a bulk operator sent.

    :param files: the files' names, by remote id
    :param skipped: why files were not sent, by name
    :param errors: why files failed, by name
    :param is_permanent: whether a retry has the same errors
    :param duplicated: ids of submissions that may have a duplicate, because a response was lost; by tag
    """

    files: dict[str, str]
    skipped: dict[str, str]
    errors: dict[str, str]
    is_permanent: bool
    duplicated: dict[str, str]


class BulkAnalysisOperator(AnalysisOperator):
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

    def __init__(
        self,
        *,
        files: Sequence[str] | str | None = None,
        folder: str | None = None,
        pattern: str = "*",
        recursive: bool | str = False,
        max_concurrency: int | str = 5,
        max_items: int | str = 1000,
        strict: bool | str = False,
        report_uri: str | None = None,
        fail_on_errors: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.files, self.folder, self.pattern, self.recursive = files, folder, pattern, recursive
        self.max_concurrency, self.max_items, self.strict = max_concurrency, max_items, strict
        self.report_uri, self.fail_on_errors = report_uri, fail_on_errors
        self.duplicated: dict[str, str] = {}

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
        validate_output_uri("report_uri", self.report_uri)
        max_items = parse_int("max_items", self.max_items)
        if len(self.input_files) > max_items:
            raise ValueError(f"there are more files than max_items ({max_items}): raise it, or select fewer files")

    @cached_property
    def input_files(self) -> list[InputFile]:
        """The files that the arguments select."""
        recursive, max_items = parse_bool("recursive", self.recursive), parse_int("max_items", self.max_items)
        if require_one_of({"files": self.files or None, "folder": self.folder or None}) == "files":
            return list_input_files(self.files)
        return find_input_files(str(self.folder), self.pattern, recursive=recursive, max_files=max_items)

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
        max_bytes = self.hook.run(validation.get_size_limit(self.options()))
        missing, skipped = find_unsendable(self.input_files, max_bytes)
        if (missing or skipped) and parse_bool("strict", self.strict):
            problems = [f"{name}: {reason}" for name, reason in {**missing, **skipped}.items()]
            raise ValueError(f"strict: {len(problems)} files cannot be sent: {abbreviate(problems)}")
        sendable = [file for file in self.input_files if file.name not in {*missing, *skipped}]
        files = {self.tag(context, file.identity): file for file in sendable}
        for uri in [str(self.folder)] if self.folder else [str(file.path) for file in sendable]:
            record_input(self.hook, uri)
        submitter = self._send_all(context, files)
        errors = {files[tag].name: str(error) for tag, error in submitter.errors.items()}
        return SubmittedFiles(
            files={submitter.keys[tag]: file.name for tag, file in files.items() if tag in submitter.keys},
            skipped=skipped,
            errors={**missing, **errors},
            is_permanent=all(isinstance(error, (PermanentError, ValueError)) for error in submitter.errors.values()),
            duplicated=self.duplicated,
        )

    def _send_all(self, context: Context, files: Mapping[str, InputFile]) -> BoundedSubmitter:
        submitter = BoundedSubmitter(
            self.hook,
            parse_int("max_concurrency", self.max_concurrency),
            self._deadline(time.time()),
            self.place_spec(),
            self.poll_interval,
            quota_of=intake.parse_quota,
        )
        with self.cancelling_on_end(context, submitter.stop):
            sent = self.find_sent(files)
            submits = {tag: partial(self.send, file, tag) for tag, file in files.items() if tag not in sent}
            submitter.run(submits, sent)
        self.log.info("%s files are submitted, %s of them by an earlier try", len(submitter.keys), len(sent))
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
        return f"{self.base_url}/submissions"

    def build_combined_result(
        self, context: Context, submitted: SubmittedFiles, outcomes: Mapping[str, Outcome]
    ) -> BulkResult:
        """Write the report, and return the result.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param outcomes: by remote id
        :raises PermanentError: if a file reached a limit, or failed in a way that a retry cannot resolve
        :raises SelfHostedError: if files failed in another way
        """
        bulk = BulkOutcomes(self._report(submitted, outcomes))
        if self.report_uri:
            write_json_lines(self.report_uri, iter(bulk.rows))
            record_output(self.hook, self.report_uri)
        bulk.log_warnings(self.log)
        if bulk.worst:
            publish_link(context, bulk.worst["url"])
        bulk.check_limits(self.fail_on_score, self.fail_on_verdict)
        if bulk.failed and parse_bool("fail_on_errors", self.fail_on_errors):
            is_permanent = submitted["is_permanent"] and not any(map(_is_retryable, outcomes.values()))
            if not is_permanent:
                self._clear_job_state(context)  # a retry sends what is missing, and finds the rest by its tags
            raise bulk.error(is_permanent=is_permanent)
        for row in bulk.completed:
            emit_asset(context, self.hook, asset_uri(self.hook, "submission", row["sid"]), row)
        return bulk.build_result(self.report_uri)

    def _report(self, submitted: SubmittedFiles, outcomes: Mapping[str, Outcome]) -> list[FileReport]:
        sent = {name: self.report_outcome(key, outcomes.get(key)) for key, name in submitted["files"].items()}
        skipped = {name: FileReport(skipped=reason) for name, reason in submitted["skipped"].items()}
        failed = {name: FileReport(error=reason) for name, reason in submitted["errors"].items()}
        return [
            FileReport(file=self._uri(name), **row) for rows in (sent, skipped, failed) for name, row in rows.items()
        ]

    def _uri(self, name: str) -> str:
        return f"{str(self.folder).rstrip('/')}/{name}" if self.folder and "://" not in name else name


def _is_retryable(outcome: Outcome) -> bool:
    return isinstance(outcome, Exception) and not isinstance(outcome, PermanentError)
