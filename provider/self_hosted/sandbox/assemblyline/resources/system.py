"""The state of the components, and watch queues."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.store import PAUSABLE_COMPONENTS
from self_hosted.sandbox.routing import route


class System(Resource):
    """The components. There is no state."""

    name: ClassVar[str] = "system"

    @route("GET", "/system/status/{component}/", counted=False)
    async def get_status(self, request: Request, session: Session) -> Any:
        """Return whether a component is active; an unknown one is not."""
        active = {name: name not in self.server.store.paused for name in PAUSABLE_COMPONENTS}
        component = request.path_params["component"]
        return active if component == "ALL" else {component: active.get(component, False)}

    @route("GET", "/live/setup_watch_queue/{sid}/", role="submission_view")
    async def create_watch_queue(self, request: Request, session: Session) -> Any:
        """Return the name of a queue with the progress of a submission that a dispatcher processes."""
        sid = request.path_params["sid"]
        submission = self.server.store.find(sid)
        if submission is None:
            raise ApiError(403, "You are not allowed to access this submissions.", {})
        if submission.is_completed or submission.is_queued:
            raise ApiError(404, "No dispatchers are processing this submission.", {})
        return {"wq_id": f"D-{sid}-WQ"}
