"""Submissions: documents, lists, deletion, and verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.alerts.store import AlertStore
from self_hosted.sandbox.assemblyline.alerts.verdicts import check_verdict, set_verdict
from self_hosted.sandbox.assemblyline.authentication import USERS, Session
from self_hosted.sandbox.assemblyline.errors import ApiError
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.search.engine import search
from self_hosted.sandbox.routing import route

VIEW = "submission_view"
DEFAULT_ROWS = 100


class Submissions(Resource):
    """The submissions. There is no state: submissions are in the store."""

    name: ClassVar[str] = "submission"

    def get_documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the submissions that searches find."""
        existing = self.server.store.list_existing()
        return {"submission": [submission.document for submission in existing if submission.is_indexed]}

    @route("GET", "/submission/is_completed/{sid}/", role=VIEW)
    async def is_completed(self, request: Request, session: Session) -> Any:
        """Return whether the analysis is completed."""
        return self.server.store.get(request.path_params["sid"]).is_completed

    @route("GET", "/submission/{sid}/", role=VIEW)
    async def get_submission(self, request: Request, session: Session) -> Any:
        """Return the document."""
        return self.server.store.get(request.path_params["sid"]).document

    @route("DELETE", "/submission/{sid}/", role="submission_delete")
    async def delete(self, request: Request, session: Session) -> Any:
        """Delete a completed submission, or cancel a running one."""
        sid = request.path_params["sid"]
        submission = self.server.store.find(sid)
        if submission is None or not submission.is_deletable_by(session):
            raise ApiError(404, f"There is no submission with sid: {sid}")
        if submission.is_completed:
            del self.server.store.submissions[sid]
        else:
            submission.cancel()
        return {"success": True}

    @route("GET", "/submission/list/user/{user}/", role=VIEW)
    async def list_of_user(self, request: Request, session: Session) -> Any:
        """Return the submissions of a user."""
        user = request.path_params["user"]
        if user != session.user and "administration" not in session.roles:
            raise ApiError(403, "Your username does not match requested username", {})
        if user not in USERS:
            raise ApiError(404, f"User {user} does not exists.")
        return self._search(request, f"params.submitter:{user}")

    @route("GET", "/submission/list/group/{group}/", role=VIEW)
    async def list_of_group(self, request: Request, session: Session) -> Any:
        """Return the submissions of a group."""
        group = request.path_params["group"]
        return self._search(request, "*" if group == "ALL" else f"params.groups:{group}")

    @route("PUT", "/submission/verdict/{sid}/{verdict}/", role="submission_manage")
    async def set_verdict(self, request: Request, session: Session) -> Any:
        """Set the verdict of the user on a submission and on its alerts."""
        sid, verdict = request.path_params["sid"], request.path_params["verdict"]
        check_verdict(verdict)
        submission = self.server.store.find(sid)
        if submission is None:
            raise ApiError(404, f"There are no submission with id: {sid}", {"success": False})
        alerts = [alert for alert in AlertStore(self.server).state["alerts"].values() if alert["sid"] == sid]
        for document in (submission.document, *alerts):
            set_verdict(document, session.user, verdict)
        return {"success": True}

    def _search(self, request: Request, query: str) -> Any:
        given = request.query_params
        params: dict[str, Any] = {
            "query": query,
            "filters": given.get("query") or [],
            "rows": DEFAULT_ROWS,
            **_read_window(given),
        }
        return search(self.server.get_documents("submission"), params)


def _read_window(query: Mapping[str, str]) -> dict[str, int]:
    return {name: int(query[name]) for name in ("offset", "rows") if name in query}
