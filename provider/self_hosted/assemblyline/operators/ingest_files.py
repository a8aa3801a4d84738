"""Ingest many files with one task."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from self_hosted.assemblyline.operators.bulk_analysis import BulkAnalysisOperator
from self_hosted.assemblyline.operators.bulk_outcomes import FileReport, report_verdict
from self_hosted.assemblyline.operators.uploads import HashedUpload
from self_hosted.core.imports import lazy_import

if TYPE_CHECKING:
    from collections.abc import Mapping

    from self_hosted.assemblyline import waits
    from self_hosted.assemblyline.api.submissions import contents, ingests, submissions
    from self_hosted.assemblyline.operators.input_files import InputFile
    from self_hosted.core.wait.pending import Outcome
    from self_hosted.core.wait.spec import WaitSpec
else:
    contents = lazy_import("self_hosted.assemblyline.api.submissions.contents")
    ingests = lazy_import("self_hosted.assemblyline.api.submissions.ingests")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")
    waits = lazy_import("self_hosted.assemblyline.waits")


class AssemblylineIngestFilesOperator(BulkAnalysisOperator):
    """Ingests many files and, by default, waits for all verdicts; ``POST /api/v4/ingest/`` once per file.

    Ingestion is meant for volume. The server analyses the files when it has capacity, and limits their priority (to 250
    by default). Under heavy load it drops files, unless ``never_drop`` is set. A file that was ingested with the same
    params within a day gets no submission of its own: the earlier one is found by the SHA-256, a minute after the
    ingest.

    A retry ingests only the files that have no submission. Unless ``ignore_cache`` is set, the server recognizes files
    that it has. An ingest cannot be cancelled.

    :param files: paths or URIs, see `AssemblylineSubmitFileOperator`: a list, its text, or one of them
    :param folder: a folder, or a prefix of an object store (``s3://aws_default@incoming/today``); either this or
        ``files``
    :param fail_on_empty: whether an empty list or folder fails the task; default: False
    :param pattern: glob pattern of the file names in ``folder``, such as ``*.zip``
    :param recursive: whether to search the folders below, too; default: False
    :param max_concurrency: how many files are sent at a time, at most 8; default: 5
    :param max_items: how many files are allowed; with more, nothing is sent; default: 1000
    :param strict: whether an empty, too large or missing file fails the task before anything is sent. By default empty
        and large files are skipped, and reported
    :param report_uri: path or URI of a file for the report: one `FileReport` per line, as JSON
    :param fail_on_errors: whether files that failed, or were not analysed in time, fail the task at its end; default:
        True
    :param submission_params: Assemblyline's ``params`` of each ingest
    :param metadata: own keys and values of each ingest
    :param submission_profile: "static", ...; required without the role submission_customize
    :param fail_on_score: fail if the ``max_score`` of a file is at least this
    :param fail_on_verdict: fail if the verdict of a file is this or worse: info, suspicious, highly_suspicious,
        malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `BulkResult`; with ``wait_for_completion=False``, a list of the `FileReport` of the ingested files
    :raises AirflowFailException: for invalid arguments, a reached limit, and files with non-retryable errors
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.INGEST"

    def find_sent(self, files: Mapping[str, InputFile]) -> dict[str, str]:
        """Return the ingests of these files that have become submissions.

        :param files: by tag
        """
        found = self.find_many({tag: contents.Content(file.upload) for tag, file in files.items()})
        return {tag: submission["metadata"]["ingest_id"] for tag, submission in found.items()}

    def send(self, file: InputFile, tag: str) -> str:
        """Ingest a file, and return the wait key: the ingest and, if an earlier submission may be reused, the SHA-256.

        :param file: the file
        :param tag: see `AnalysisOperator.tag`
        """
        hashed = HashedUpload(file.upload)
        options = self.options()
        ingest_id = self.hook.run(ingests.create_fail_fast(hashed.upload, options, tag))
        ignores_cache = options.get("params", {}).get("ignore_cache")
        return waits.build_ingest_key(ingest_id, None if ignores_cache else hashed.sha256)

    def place_spec(self) -> WaitSpec | None:
        """Return None: an ingest holds its place only while it is sent."""
        return None

    def report_outcome(self, key: str, outcome: Outcome | None) -> FileReport:
        """Return the report line of an ingest.

        :param key: its wait key
        :param outcome: the outcome of its wait; None if the task does not wait
        """
        ingest_id, sha256 = waits.parse_ingest_key(key)
        row = FileReport(**{"ingest_id": ingest_id, "sha256": sha256 or None, **report_verdict(outcome)})
        if "verdict" in row:
            row["url"] = submissions.build_page_url(self.base_url, row["sid"])
        return row
