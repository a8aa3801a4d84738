"""Views of the results of a submission: full document, summary, tree, report, and single files."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.analysis.reports import build_report, build_tree, collect_names
from self_hosted.sandbox.assemblyline.analysis.result_documents import CLASSIFICATION
from self_hosted.sandbox.assemblyline.analysis.store import ResultStore
from self_hosted.sandbox.assemblyline.analysis.summaries import build_file_summary, build_submission_summary
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.configuration import get_thresholds
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.submission import Submission
from self_hosted.sandbox.routing import route

VIEW = "submission_view"


class SubmissionViews(Resource):
    """The views. There is no state."""

    name: ClassVar[str] = "submission_views"

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.store = ResultStore(server)

    @route("GET", "/submission/full/{sid}/", role=VIEW)
    async def get_full(self, request: Request, session: Session) -> Any:
        """Return the document with all results, errors and files."""
        submission = self._get(request)
        files = submission.analysis.iterate_files()
        return {
            **submission.document,
            "errors": self.store.list_errors(submission.sid),
            "file_infos": {file.sha256: self._get_record(file.sha256) for file in files},
            "file_tree": _build_tree(submission),
            "missing_error_keys": [],
            "missing_file_keys": [],
            "missing_result_keys": [],
            "results": self.store.list_results(submission.sid),
        }

    @route("GET", "/submission/summary/{sid}/", role=VIEW)
    async def get_summary(self, request: Request, session: Session) -> Any:
        """Return the summary, which is empty until the submission is completed."""
        submission = self._get(request)
        files = submission.analysis.iterate_files() if submission.is_completed else ()
        return build_submission_summary(files, self._thresholds)

    @route("GET", "/submission/tree/{sid}/", role=VIEW)
    async def get_tree(self, request: Request, session: Session) -> Any:
        """Return the files."""
        tree = _build_tree(self._get(request))
        return {
            "classification": CLASSIFICATION,
            "filtered": False,
            "partial": False,
            "supplementary": [],
            "tree": tree,
        }

    @route("GET", "/submission/report/{sid}/", role=VIEW)
    async def get_report(self, request: Request, session: Session) -> Any:
        """Return the report of a completed submission."""
        submission = self._get(request)
        if not submission.is_completed:
            message = f"It is too early to generate the report. Submission ID {submission.sid} is incomplete."
            raise ApiError(425, message)
        document = copy.deepcopy(submission.document)
        del document["results"]
        document["params"]["services"]["errors"] = sorted({key.split(".")[1] for key in document.pop("errors")})
        names = collect_names(submission.analysis, submission.name)
        report = build_report(list(submission.analysis.iterate_files()), names, self._thresholds)
        record, tree = self._get_record(submission.sha256), _build_tree(submission)
        return {**document, **report, "file_info": record, "file_tree": tree}

    @route(["GET", "POST"], "/submission/{sid}/file/{sha256}/", role=VIEW)
    async def get_file(self, request: Request, session: Session) -> Any:
        """Return the results of a file of a submission."""
        submission, sha256 = self._get(request), request.path_params["sha256"]
        if sha256 not in submission.analysis.files:
            missing = {"file_info": {"sha256": sha256}, "missing": True}
            raise ApiError(404, "The file you are trying to view is missing from the system", missing)
        score = submission.analysis.files[sha256].score if submission.is_completed else None
        results, errors = self.store.list_results(submission.sid), self.store.list_errors(submission.sid)
        return {
            **build_file_summary(score, self._thresholds),
            "classification": CLASSIFICATION,
            "errors": [error for error in errors.values() if error["sha256"] == sha256],
            "file_info": self._get_record(sha256),
            "metadata": {},
            "results": [result for result in results.values() if result["sha256"] == sha256],
        }

    @property
    def _thresholds(self) -> dict[str, int]:
        return get_thresholds(self.server.configuration)

    def _get(self, request: Request) -> Submission:
        return self.server.store.get(request.path_params["sid"])

    def _get_record(self, sha256: str) -> dict[str, Any]:
        return next(record for record in self.server.get_documents("file") if record["sha256"] == sha256)


def _build_tree(submission: Submission) -> dict[str, Any]:
    if submission.sha256 not in submission.analysis.files:
        return {}
    return {submission.sha256: build_tree(submission.analysis, [submission.name], submission.sha256)}
