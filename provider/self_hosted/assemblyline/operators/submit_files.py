"""Submit many files with one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from self_hosted.assemblyline.operators.bulk_analysis import BulkAnalysisOperator
from self_hosted.assemblyline.operators.bulk_outcomes import FileReport, report_verdict
from self_hosted.core.imports import import_string, lazy_import

if TYPE_CHECKING:
    from collections.abc import Mapping

    from self_hosted.assemblyline.api.submissions import contents, intake, submissions
    from self_hosted.assemblyline.operators.input_files import InputFile
    from self_hosted.core.wait.pending import Outcome
    from self_hosted.core.wait.spec import WaitSpec
else:
    contents = lazy_import("self_hosted.assemblyline.api.submissions.contents")
    intake = lazy_import("self_hosted.assemblyline.api.submissions.intake")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")


class AssemblylineSubmitFilesOperator(BulkAnalysisOperator):
    """Submits many files and waits for all verdicts; ``POST /api/v4/submit/`` once per file.

    Each file makes one submission, regardless of the number of tries: a few searches find what an earlier try
    submitted. A file that has changed since counts as another file.

    At most ``max_concurrency`` submissions run at a time, or fewer if the server allows fewer. The next file is
    submitted when a poll shows that one is done, or occasionally when others of the same user occupy the quota. The
    worker does that, also when ``deferrable`` is set: only the wait for the last submissions is deferred.

    :param files: paths or URIs, see `AssemblylineSubmitFileOperator`: a list, its text, or one of them
    :param folder: a folder, or a prefix of an object store (``s3://aws_default@incoming/today``); either this or
        ``files``
    :param fail_on_empty: whether an empty list or folder fails the task; default: False
    :param pattern: glob pattern of the file names in ``folder``, such as ``*.zip``
    :param recursive: whether to search the folders below, too; default: False
    :param max_concurrency: how many submissions may run at a time; default: 5, the server's default quota
    :param max_items: how many files are allowed; with more, nothing is sent; default: 1000
    :param strict: whether an empty, too large or missing file fails the task before anything is sent. By default empty
        and large files are skipped, and reported
    :param report_uri: path or URI of a file for the report: one `FileReport` per line, as JSON
    :param fail_on_errors: whether failed files fail the task at its end; a retry submits only these, where that may
        help; default: True
    :param submission_params: Assemblyline's ``params`` of each submission
    :param metadata: own keys and values of each submission
    :param submission_profile: "static", ...; required without the role submission_customize
    :param fail_on_score: fail if the ``max_score`` of a file is at least this
    :param fail_on_verdict: fail if the verdict of a file is this or worse: info, suspicious, highly_suspicious,
        malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `BulkResult`; with ``wait_for_completion=False``, a list of the `FileReport` of the submitted files
    :raises AirflowFailException: for invalid arguments, a reached limit, and files with non-retryable errors
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.SUBMISSION"

    def find_sent(self, files: Mapping[str, InputFile]) -> dict[str, str]:
        """Return the submissions of these files.

        :param files: by tag
        """
        found = self.find_many({tag: contents.Content(file.upload) for tag, file in files.items()})
        sent = {tag: submission["sid"] for tag, submission in found.items()}
        self.sha256s.update({found[tag]["sid"]: submissions.get_sha256(found[tag]) for tag in found})
        self.duplicated.update(sent)  # the response to an earlier try may have been lost
        return sent

    def send(self, file: InputFile, tag: str) -> str:
        """Submit a file, and return the submission's id.

        :param file: the file
        :param tag: see `AnalysisOperator.tag`
        """
        submitted = self.hook.run(intake.submit_fail_fast(file.upload, self.options(), tag))
        if submitted["doubtful"] or self.previous_attempt_unknown:
            self.duplicated[tag] = submitted["sid"]
        self.sha256s[submitted["sid"]] = submitted["sha256"]
        return str(submitted["sid"])

    def place_spec(self) -> WaitSpec:
        """Return the wait spec: a submission holds its place until it is completed."""
        return import_string("self_hosted.assemblyline.waits.PLACE")  # type: ignore[no-any-return]

    def report_outcome(self, key: str, outcome: Outcome | None) -> FileReport:
        """Return the report line of a submission.

        :param key: its id
        :param outcome: the outcome of its wait
        """
        return FileReport(**{
            "sid": key,
            **report_verdict(outcome),
            "url": submissions.build_page_url(self.base_url, key),
        })
