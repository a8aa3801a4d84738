"""The archive. Archived submissions are only marked."""

from __future__ import annotations

import copy
import json
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.request_parsing import get_path, has_flag
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.submission import Submission
from self_hosted.sandbox.routing import route


class Archive(Resource):
    """The archive. The state is described in `seed`."""

    name: ClassVar[str] = "archive"

    @classmethod
    def create_state(cls) -> Any:
        """Return a disabled archive."""
        return {"enabled": False, "minimum": [], "hook": None}

    def seed(self, data: Any) -> None:
        """Change the configuration.

        :param data: any of these keys:

            - ``enabled``: whether the server has an archive
            - ``minimum``: [service without which a submission is resubmitted before it is archived]
            - ``hook``: whether the webhook succeeds; None for no webhook
        """
        self.state.update(data)

    def check_available(self, request: Request) -> None:
        """Raise an error if the archive is disabled."""
        if not self.state["enabled"]:
            raise ApiError(404, f"Api does not exist ({get_path(request)})")

    @route("PUT", "/archive/{sid}/", role="archive_trigger")
    async def archive(self, request: Request, session: Session) -> Any:
        """Archive a submission, or resubmit it first."""
        sid = request.path_params["sid"]
        submission = self.server.store.find(sid)
        if submission is None:
            raise ApiError(404, f"The submission '{sid}' was not found in the system", {"success": False})
        metadata = json.loads(await request.body() or b"{}")
        if not set(self.state["minimum"]) <= set(submission.params["services"]["selected"]):
            return self._resubmit(submission, session.user)
        if self.state["hook"] is not None and not has_flag(request, "skip_hook"):
            return {"action": "hooked", "success": self.state["hook"]}
        submission.document["archived"] = True
        submission.document["metadata"] = {**metadata, **submission.document["metadata"]}
        if has_flag(request, "delete_after"):
            submission.document["from_archive"] = True
        return {"action": "archive", "success": True}

    def _resubmit(self, earlier: Submission, user: str) -> dict[str, Any]:
        selected = sorted({*earlier.params["services"]["selected"], *self.state["minimum"]})
        params = {**earlier.params, "services": {"selected": selected}}
        options = {"metadata": earlier.document["metadata"], "params": params}
        submission = Submission(earlier.name, options, user, copy.deepcopy(earlier.analysis))
        store = self.server.store
        submission.start(store.delay, store.index_lag)
        store.submissions[submission.sid] = submission
        earlier.document["archived"] = True
        return {"action": "resubmit", "sid": submission.sid, "success": True}
