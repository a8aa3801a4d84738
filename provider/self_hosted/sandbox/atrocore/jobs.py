"""The state of background jobs, and of the processing of the queue."""

from __future__ import annotations

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.job_queue import UNFINISHED_STATES
from self_hosted.sandbox.atrocore.record_store import get_record
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.versions import QUEUE_SINCE, V2_3
from self_hosted.sandbox.routing import route

BACKGROUND_CHECK_SINCE = (2, 3, 14)


class Jobs(Resource):
    """Background jobs."""

    @route("GET", "/api/Job/{id}/massActionStatus", since=V2_3)
    def get_status(self, call: Call) -> Response:
        """Return whether a job has ended."""
        return self._get_status(call.id)

    @route("GET", "/api/v1/Job/action/massActionStatus", since=QUEUE_SINCE, until=V2_3)
    def get_old_status(self, call: Call) -> Response:
        """Return whether a job has ended."""
        return self._get_status(call.parameter("id"))

    @route("GET", "/api/checkBackgroundProcessing", since=BACKGROUND_CHECK_SINCE)
    def check_background_processing(self, call: Call) -> Response:
        """Return whether workers process the queue."""
        return build_response(self.state.cron)

    def _get_status(self, job_id: str) -> Response:
        job = get_record(self.state, "Job", job_id)
        return build_response({"done": job["status"] not in UNFINISHED_STATES, "errors": "", "message": ""})
