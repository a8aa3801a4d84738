"""Ontologies of the stand-in: a line of JSON for each file that was analysed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.services import SERVICE
from self_hosted.sandbox.assemblyline.submissions import Submission


class Ontology(Area):
    """It keeps nothing."""

    name: ClassVar[str] = "ontology"

    def rows(self) -> Sequence[Row]:
        """The routes below ``/ontology``."""
        return [
            Row("GET", "/ontology/submission/{id}/", self.of_submission, "submission_view", True),
            Row("GET", "/ontology/file/{id}/", self.of_file, "submission_view", True),
            Row("GET", "/ontology/alert/{id}/", self.of_alert, "alert_view", True),
        ]

    async def of_submission(self, request: Request, session: Session) -> Any:
        """The files of a submission."""
        number = request.path_params["id"]
        return self._answer(request, [one for one in self._existing() if one.sid == number], "submission with sid")

    async def of_alert(self, request: Request, session: Session) -> Any:
        """The files of the submission that an alert is named after."""
        number = request.path_params["id"]
        found = [one for one in self._existing() if number in {one.sid, one.ingest_id}]
        return self._answer(request, found, "alert with this ID")

    async def of_file(self, request: Request, session: Session) -> Any:
        """One file, from the newest submission that it was in."""
        sha256 = request.path_params["id"]
        found = [one for one in self._existing() if sha256 in one.findings.scores]
        return self._answer(request, found[-1:], "file with this hash", [sha256])

    def _existing(self) -> Iterable[Submission]:
        return [one for one in self.product.submissions.values() if one.exists]

    @staticmethod
    def _answer(request: Request, found: Sequence[Submission], what: str, only: Sequence[str] = ()) -> Response:
        if not found:
            raise Refusal(404, f"There is no {what}: {request.path_params['id']}")
        wanted = only or request.query_params.getlist("sha256") or list(found[0].findings.scores)
        services = request.query_params.getlist("service") or [SERVICE]
        lines = [_line(found[0], sha256) for sha256 in found[0].findings.scores if sha256 in wanted]
        body = "".join(lines) if found[0].completed and SERVICE in services else ""
        return Response(body, media_type="application/octet-stream")


def _line(found: Submission, sha256: str) -> str:
    ontology = {
        "service": {"name": SERVICE},
        "file": {"sha256": sha256, "parent": found.sha256},
        "submission": {"sid": found.sid, "metadata": found.document["metadata"]},
        "results": {"score": found.findings.scores[sha256]},
    }
    return json.dumps(ontology, separators=(",", ":")) + "\n"
