"""Ontologies: a line of JSON for each analyzed file, without the envelope."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.service_data import SERVICE_NAME
from self_hosted.sandbox.assemblyline.submissions.submission import Submission
from self_hosted.sandbox.routing import route


class Ontology(Resource):
    """The ontologies. There is no state."""

    name: ClassVar[str] = "ontology"

    @route("GET", "/ontology/submission/{id}/", role="submission_view")
    async def get_of_submission(self, request: Request, session: Session) -> Any:
        """Return the ontologies of a submission."""
        submission = self.server.store.find(request.path_params["id"])
        return _respond(request, submission, "submission with sid")

    @route("GET", "/ontology/alert/{id}/", role="alert_view")
    async def get_of_alert(self, request: Request, session: Session) -> Any:
        """Return the ontologies of the submission that raised an alert."""
        id_ = request.path_params["id"]
        existing = self.server.store.list_existing()
        found = (submission for submission in existing if id_ in {submission.sid, submission.ingest_id})
        return _respond(request, next(found, None), "alert with this ID")

    @route("GET", "/ontology/file/{id}/", role="submission_view")
    async def get_of_file(self, request: Request, session: Session) -> Any:
        """Return the ontology of a file from its newest submission."""
        sha256 = request.path_params["id"]
        newest_first = reversed(self.server.store.list_existing())
        found = (submission for submission in newest_first if sha256 in submission.analysis.scores)
        return _respond(request, next(found, None), "file with this hash", [sha256])


def _respond(request: Request, submission: Submission | None, kind: str, hashes: Sequence[str] = ()) -> Response:
    if submission is None:
        raise ApiError(404, f"There is no {kind}: {request.path_params['id']}")
    scores = submission.analysis.scores
    selected = hashes or request.query_params.getlist("sha256") or list(scores)
    services = request.query_params.getlist("service") or [SERVICE_NAME]
    has_results = submission.is_completed and SERVICE_NAME in services
    lines = [_build_line(submission, sha256) for sha256 in scores if sha256 in selected] if has_results else []
    return Response("".join(lines), media_type="application/octet-stream")


def _build_line(submission: Submission, sha256: str) -> str:
    ontology = {
        "service": {"name": SERVICE_NAME},
        "file": {"sha256": sha256, "parent": submission.sha256},
        "submission": {"sid": submission.sid, "metadata": submission.document["metadata"]},
        "results": {"score": submission.analysis.scores[sha256]},
    }
    return json.dumps(ontology, separators=(",", ":")) + "\n"
