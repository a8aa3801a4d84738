"""Bundles: CaRTs with the document of a submission and of an alert, without files and results."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.assemblyline.analysis.results import AnalysisResult
from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.request_parsing import has_flag
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.bundle_files import pack_bundle, read_body, unpack_bundle
from self_hosted.sandbox.assemblyline.submissions.submission import Submission
from self_hosted.sandbox.routing import route


class Bundles(Resource):
    """The bundles. There is no state: an imported submission is like any other."""

    name: ClassVar[str] = "bundles"

    @route("GET", "/bundle/{sid}/", role="bundle_download")
    async def export(self, request: Request, session: Session) -> Any:
        """Return a submission as a bundle; with ``use_alert``, an alert and its submission."""
        sid, use_alert = request.path_params["sid"], has_flag(request, "use_alert")
        alert = self._find("alert", "alert_id", sid) if use_alert else None
        submission = self._find("submission", "sid", alert["sid"] if alert else sid)
        if submission is None or (use_alert and alert is None):
            kind = "alert" if use_alert else "submission"
            raise ApiError(403, f"You are not allowed create a bundle for this {kind}...")
        metadata = {"bundle.source": "localhost", "bundle.created": get_current_time(), **submission["metadata"]}
        documents = {"submission": {**submission, "metadata": metadata}, **({"alert": alert} if alert else {})}
        content = pack_bundle(json.dumps(documents).encode(), f"{submission['sid']}.tgz")
        disposition = f"attachment; filename=file.bin; filename*=UTF-8''{sid}.al_bundle"
        headers = {"Content-Disposition": disposition}
        return Response(content, headers=headers, media_type="application/octet-stream")

    @route("POST", "/bundle/", role="submission_create")
    async def import_bundle(self, request: Request, session: Session) -> Any:
        """Import a submission; with ``rescan_services``, its files are analyzed again under the same id."""
        document = unpack_bundle(await read_body(request))["submission"]
        if self._find("submission", "sid", document["sid"]) is None:
            self._restore(document, session.user, rescan=bool(request.query_params.get("rescan_services")))
        elif not has_flag(request, "exist_ok"):
            raise ApiError(409, f"Submission {document['sid']} already exists.", {"success": False})
        return {"success": True}

    def _find(self, index: str, field: str, value: str) -> dict[str, Any] | None:
        documents = self.server.get_documents(index)
        return next((document for document in documents if document[field] == value), None)

    def _restore(self, document: dict[str, Any], user: str, *, rescan: bool) -> None:
        store = self.server.store
        submission = Submission(document["files"][0]["name"], {}, user, _build_analysis(document))
        submission.sid = document["sid"]
        submission.start(store.delay if rescan else 0, store.index_lag)
        metadata = {"bundle.loaded": get_current_time(), "bundle.classification": document["classification"]}
        state = {"state": "submitted"} if rescan else {}
        submission.document.update(document, metadata={**document["metadata"], **metadata}, **state)
        store.submissions[submission.sid] = submission


def _build_analysis(document: dict[str, Any]) -> AnalysisResult:
    """Return a result with the size, the score and the number of files of a document; the files are unknown."""
    [file, *_] = document["files"]
    analysis = AnalysisResult(sha256=file["sha256"], size=file["size"], error_count=document["error_count"])
    placeholders = {f"{number:064x}": 0 for number in range(1, document["file_count"])}
    analysis.scores = {file["sha256"]: document["max_score"], **placeholders}
    return analysis
