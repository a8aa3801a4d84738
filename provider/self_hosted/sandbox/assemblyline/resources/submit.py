"""Submission of files, ingestion, and resubmission."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError, internal_error
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.parameters import DEFAULT_PARAMS, DYNAMIC_ANALYSIS
from self_hosted.sandbox.assemblyline.submissions.requests import read_submission
from self_hosted.sandbox.assemblyline.submissions.submission import Submission
from self_hosted.sandbox.routing import route

CREATE = "submission_create"
DEFAULT_DYNAMIC_PRIORITY = 500
PROFILE_TITLES = {
    "static": "Static Analysis [OFFLINE]",
    "static_with_dynamic": "Static + Dynamic Analysis [OFFLINE]",
    "static_with_internet": "Static Analysis [ONLINE]",
    "static_and_dynamic_with_internet": "Static + Dynamic Analysis [ONLINE]",
}


class Submit(Resource):
    """Creation of submissions. There is no state: submissions are in the store."""

    name: ClassVar[str] = "submit"

    @route("POST", "/submit/", role=CREATE, counted=False)
    async def submit(self, request: Request, session: Session) -> Any:
        """Start the analysis of a file. Unknown parameters and profiles are ignored."""
        return self._start(await self._read(request, session))

    @route("POST", "/ingest/", role=CREATE, counted=False)
    async def ingest(self, request: Request, session: Session) -> Any:
        """Queue a file for the ingester."""
        ingest, store = await self._read(request, session), self.server.store
        if not isinstance(ingest.options.get("notification_threshold") or 0, int):
            raise ApiError(400, "notification_threshold should be and int", {})
        running = sum(bool(other.ingest_id) and not other.is_completed for other in store.list_existing())
        self.server.quotas.count_ingest(running + len(store.ingester.queue))
        ingest.convert_to_ingest()
        store.ingest(ingest)
        return {"ingest_id": ingest.ingest_id}

    @route("GET", "/submit/resubmit/{sid}/", role=CREATE, counted=False)
    async def resubmit(self, request: Request, session: Session) -> Any:
        """Start a submission with the file, the parameters and the metadata of an earlier one."""
        sid = request.path_params["sid"]
        earlier = self.server.store.find(sid)
        if earlier is None:
            raise ApiError(404, f"Submission {sid} does not exists.", {})
        params = {**earlier.params, "description": f"Resubmit {earlier.name} for analysis"}
        options = {"metadata": earlier.document["metadata"], "params": params}
        return self._start(Submission(earlier.name, options, session.user, copy.deepcopy(earlier.analysis)))

    @route("GET", "/submit/dynamic/{sha256}/", role=CREATE, counted=False)
    async def resubmit_for_dynamic_analysis(self, request: Request, session: Session) -> Any:
        """Start a submission of an existing file with dynamic analysis.

        The query parameter ``copy_sid`` names a submission whose parameters and metadata are copied, ``name`` the file.
        """
        earlier = self._find_copied(request)
        services = earlier.params["services"]["selected"] if earlier else []
        selected = services if DYNAMIC_ANALYSIS in services else [*services, DYNAMIC_ANALYSIS]
        priority = earlier.params["priority"] if earlier else DEFAULT_DYNAMIC_PRIORITY
        params = {"services": {"selected": selected}, "priority": priority}
        return self._resubmit_file(request, session, params, f"for {DYNAMIC_ANALYSIS}")

    @route("PUT", "/submit/{profile}/{sha256}/", role=CREATE, counted=False)
    async def resubmit_with_profile(self, request: Request, session: Session) -> Any:
        """Start a submission of an existing file with a profile. The query parameters are those of dynamic analysis.

        For an unknown profile, the real server has an unhandled exception.
        """
        profile = request.path_params["profile"]
        if request.path_params["sha256"] in self.server.store.analyses and profile not in PROFILE_TITLES:
            raise internal_error()
        params = {"services": DEFAULT_PARAMS["services"]}
        return self._resubmit_file(request, session, params, f"with {PROFILE_TITLES.get(profile)}")

    async def _read(self, request: Request, session: Session) -> Submission:
        max_size = self.server.configuration["submission.max_file_size"]
        return await read_submission(request, session.user, max_size, self.server.store.find_analysis)

    def _start(self, submission: Submission) -> dict[str, Any]:
        store = self.server.store
        running = sum(not (other.is_completed or other.ingest_id) for other in store.list_existing())
        self.server.quotas.count_submission(running)
        return store.submit(submission)

    def _find_copied(self, request: Request) -> Submission | None:
        return self.server.store.find(request.query_params.get("copy_sid", ""))

    def _resubmit_file(self, request: Request, session: Session, params: dict[str, Any], purpose: str) -> Any:
        sha256 = request.path_params["sha256"]
        if sha256 not in self.server.store.analyses:
            message = f"File {sha256} cannot be found on the server therefore it cannot be resubmitted."
            raise ApiError(404, message, {})
        earlier, name = self._find_copied(request), request.query_params.get("name", sha256)
        copied_params, metadata = (earlier.params, earlier.document["metadata"]) if earlier else ({}, {})
        params = {**copied_params, **params, "description": f"Resubmit {name} {purpose}"}
        options = {"metadata": metadata, "params": params}
        return self._start(Submission(name, options, session.user, copy.deepcopy(self.server.store.analyses[sha256])))
