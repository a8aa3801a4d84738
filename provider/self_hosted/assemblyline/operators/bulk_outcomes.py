"""The outcomes of many files: the report lines, the counts, the worst file, and whether the task fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from self_hosted.core.http.errors import PermanentError, SelfHostedError
from self_hosted.core.imports import lazy_import

if TYPE_CHECKING:
    from self_hosted.assemblyline.api.submissions import verdicts
    from self_hosted.core.wait.pending import Outcome
else:
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")

MAX_NAMED_FILES = 10  # in a result, a log line or an error; the report names all


class FileReport(TypedDict, total=False):
    """One line of a report. Each has ``file``, and either ``skipped``, ``error`` or the outcome of its submission.

    :param file: path or URI
    :param skipped: why the file was not sent
    :param error: why the file failed
    :param ingest_id: id of the ingest, for an ingested file
    :param sha256: hash of the file; None for a file that was ingested with ``ignore_cache`` and not analysed yet, as
        the argument of the sensor requires
    :param sid: id of the submission
    :param state: "submitted", if the task did not wait for a verdict
    :param verdict: safe, info, suspicious, highly_suspicious or malicious
    :param max_score: the highest score of its files
    :param file_count: how many files were analysed, extracted ones included
    :param error_count: how many services failed
    :param deduplicated: whether the submission is of an earlier ingest, for an ingested file
    :param url: page of the submission
    """

    file: str
    skipped: str
    error: str
    ingest_id: str
    sha256: str | None
    sid: str
    state: str
    verdict: str
    max_score: int
    file_count: int
    error_count: int
    deduplicated: bool
    url: str


class FailedFile(TypedDict):
    """A file that failed.

    :param file: path or URI
    :param error: why
    """

    file: str
    error: str


class BulkResult(TypedDict):
    """The result of a task that analysed many files.

    :param total: how many files there are
    :param completed: how many have a verdict
    :param skipped: how many were not sent: they are empty or too large, or links that point outside of the folder
    :param failed: how many failed
    :param failures: the first 10 of them
    :param verdicts: how many files have each verdict, such as ``{"safe": 7, ..., "malicious": 1}``
    :param with_failed_services: how many were analysed while services failed
    :param worst: report line of the file with the highest score, or None
    :param report_uri: path or URI of the report, or None
    """

    total: int
    completed: int
    skipped: int
    failed: int
    failures: list[FailedFile]
    verdicts: dict[str, int]
    with_failed_services: int
    worst: FileReport | None
    report_uri: str | None


class BulkOutcomes:
    """The outcomes of many files.

    :param rows: the report lines
    """

    def __init__(self, rows: Sequence[FileReport]) -> None:
        self.rows = rows
        self.failed = [row for row in rows if "error" in row]
        self.completed = [row for row in rows if "verdict" in row]
        self.worst = max(self.completed, key=lambda row: row["max_score"], default=None)

    def build_result(self, report_uri: str | None) -> BulkResult:
        """Return the task's result, which stays small for any number of files.

        :param report_uri: path or URI of the report, or None
        """
        counts = Counter(row["verdict"] for row in self.completed)
        return BulkResult(
            total=len(self.rows),
            completed=len(self.completed),
            skipped=sum("skipped" in row for row in self.rows),
            failed=len(self.failed),
            failures=[FailedFile(file=row["file"], error=row["error"]) for row in self.failed[:MAX_NAMED_FILES]],
            verdicts={name: counts[name] for name in ("safe", *verdicts.VERDICTS)},
            with_failed_services=sum(bool(row["error_count"]) for row in self.completed),
            worst=self.worst,
            report_uri=report_uri,
        )

    def log_warnings(self, log: Any) -> None:
        """Log the files that were skipped, that failed, or whose verdict may be too low.

        :param log: the task's logger
        """
        groups = {
            "Skipped": [f"{row['file']}: {row['skipped']}" for row in self.rows if "skipped" in row],
            "Failed": [f"{row['file']}: {row['error']}" for row in self.failed],
            "Analysed while services failed": [
                f"{row['file']}: {row['url']}" for row in self.completed if row["error_count"]
            ],
        }
        for title, files in groups.items():
            if files:
                log.warning("%s, %s files: %s", title, len(files), abbreviate(files))

    def check_limits(self, fail_on_score: int | str | None, fail_on_verdict: str | None) -> None:
        """Compare the worst file with the limits.

        :param fail_on_score: the lowest score to fail on
        :param fail_on_verdict: the mildest verdict to fail on
        :raises PermanentError: if the file reached one
        """
        if self.worst is None:
            return
        completed = {"state": "completed", **self.worst}
        try:
            verdicts.judge(completed, self.worst["url"], fail_on_score, fail_on_verdict)
        except PermanentError as error:
            raise PermanentError(f"{self.worst['file']}, the worst of {len(self.completed)} files: {error}") from None

    def error(self, *, is_permanent: bool) -> SelfHostedError:
        """Return the error that some files failed.

        :param is_permanent: whether a retry has the same result
        """
        files = abbreviate([f"{row['file']}: {row['error']}" for row in self.failed])
        message = f"{len(self.failed)} of {len(self.rows)} files failed: {files}"
        return PermanentError(message) if is_permanent else SelfHostedError(message)


def abbreviate(files: Sequence[str]) -> str:
    """Return the first texts of a list, and the number of the others.

    :param files: one text per file
    """
    rest = len(files) - MAX_NAMED_FILES
    return "; ".join(files[:MAX_NAMED_FILES]) + (f"; and {rest} more" if rest > 0 else "")


def report_verdict(outcome: Outcome | None) -> FileReport:
    """Return the part of a report line that the outcome of a wait gives: the verdict, the error, or the state.

    :param outcome: the outcome of a submission or an ingest; None if the task does not wait
    """
    if outcome is None:
        return FileReport(state="submitted")
    if isinstance(outcome, Exception):
        return FileReport(error=str(outcome))
    if outcome.state != "completed":
        return FileReport(error=f"the submission ended as {outcome.state!r}")
    names = ("sid", "sha256", "deduplicated", "verdict", "max_score", "file_count", "error_count")
    return cast("FileReport", {name: outcome.details[name] for name in names if name in outcome.details})
