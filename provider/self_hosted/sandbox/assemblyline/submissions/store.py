"""All submissions and files of the server, and the components that process them."""

from __future__ import annotations

import copy
from typing import Any

from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.submissions.ingester import Ingester
from self_hosted.sandbox.assemblyline.submissions.submission import Submission

HASH_FIELDS = ("sha256", "sha1", "md5", "size")
PAUSABLE_COMPONENTS = ("ingester", "dispatcher")


class SubmissionStore:
    """Submissions by id, and submitted files by SHA-256.

    ``files`` are the records of submitted files, ``analyses`` their results. ``paused`` names the components that
    process nothing. ``delay`` is the duration of an analysis, and ``index_lag`` the delay of searches, both in seconds.
    """

    def __init__(self) -> None:
        self.submissions: dict[str, Submission] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.analyses: dict[str, AnalysisResult] = {}
        self.ingester, self.paused = Ingester(), set[str]()
        self.delay, self.index_lag = 0.1, 0.0

    def list_existing(self) -> list[Submission]:
        """Return the submissions that the API shows, oldest first."""
        return [submission for submission in self.submissions.values() if submission.exists]

    def find(self, sid: str) -> Submission | None:
        """Return a submission, or None if the API does not show it.

        :param sid: id of the submission
        """
        submission = self.submissions.get(sid)
        return submission if submission and submission.exists else None

    def get(self, sid: str) -> Submission:
        """Return a submission.

        :param sid: id of the submission
        :raises ApiError: if there is none
        """
        submission = self.find(sid)
        if submission is None:
            raise ApiError(404, f"Submission ID {sid} does not exists.")
        return submission

    def find_analysis(self, hash_type: str, value: str) -> AnalysisResult | None:
        """Return the result for a submitted file, or None.

        :param hash_type: type of the hash
        :param value: hash in lower case
        """
        analyses = self.analyses.values()
        return next((analysis for analysis in analyses if getattr(analysis, hash_type, None) == value), None)

    def submit(self, submission: Submission) -> dict[str, Any]:
        """Start a submission and return its initial document."""
        self._record_file(submission)
        self.start(submission)
        return submission.initial_document

    def ingest(self, submission: Submission) -> None:
        """Add an ingest to the queue of the ingester."""
        self._record_file(submission)
        self.ingester.queue.append(submission)
        self.process_queues()

    def start(self, submission: Submission) -> None:
        """Store a submission, and start it unless the dispatcher is paused."""
        self.submissions[submission.sid] = submission
        if "dispatcher" in self.paused:
            submission.queue(self.index_lag)
        else:
            submission.start(self.delay, self.index_lag)

    def process_queues(self) -> None:
        """Start queued ingests and submissions unless the responsible component is paused."""
        if "ingester" not in self.paused:
            for ingest in self.ingester.process_queue():
                self.start(ingest)
        if "dispatcher" not in self.paused:
            for submission in self.submissions.values():
                if submission.is_queued:
                    submission.start(self.delay, self.index_lag)

    def _record_file(self, submission: Submission) -> None:
        self.analyses[submission.sha256] = copy.deepcopy(submission.analysis)
        hashes = {name: getattr(submission.analysis, name) for name in HASH_FIELDS}
        record = self.files.setdefault(submission.sha256, {**hashes, "seen": {"first": get_current_time()}})
        record["seen"].update(last=get_current_time(), count=record["seen"].get("count", 0) + 1)
