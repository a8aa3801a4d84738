"""Notification queues. Reading a message removes it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.authentication import Session
from self_hosted.sandbox.assemblyline.dates import get_current_time
from self_hosted.sandbox.assemblyline.errors import internal_error
from self_hosted.sandbox.assemblyline.resource import Resource
from self_hosted.sandbox.assemblyline.submissions.ingester import Decision
from self_hosted.sandbox.assemblyline.submissions.submission import Submission
from self_hosted.sandbox.routing import route


class Notifications(Resource):
    """The queues. There is no state: messages are built from the decisions of the ingester."""

    name: ClassVar[str] = "messages"

    def seed(self, data: Any) -> None:
        """Change the behaviour of the ingester.

        :param data: ``dropping``: whether the ingester is overloaded and drops ingests
        """
        self.server.store.ingester.is_dropping = data["dropping"]

    @route("GET", "/ingest/get_message/{queue}/", role="submission_create")
    async def get_message(self, request: Request, session: Session) -> Any:
        """Return a message, or None; an unknown queue is empty."""
        return next(self._take_messages(request.path_params["queue"], session.user), None)

    @route("GET", "/ingest/get_message_list/{queue}/", role="submission_create")
    async def list_messages(self, request: Request, session: Session) -> Any:
        """Return at most ``page_size`` messages, all if it is negative."""
        try:
            size = int(request.query_params.get("page_size", -1))
        except ValueError:
            raise internal_error() from None
        messages = self._take_messages(request.path_params["queue"], session.user)
        return list(islice(messages, size if size >= 0 else None))

    def _take_messages(self, queue: str, user: str) -> Iterator[dict[str, Any]]:
        """Remove messages from a queue of the user and yield them."""
        decisions = self.server.store.ingester.notifications
        for decision in list(decisions):
            if decision.is_final and _belongs_to(decision.ingest, queue, user):
                decisions.remove(decision)
                if _reaches_threshold(decision):
                    yield _build_message(decision)


def _belongs_to(ingest: Submission, queue: str, user: str) -> bool:
    return ingest.options["notification_queue"] == queue and ingest.params["submitter"] == user  # type: ignore[no-any-return]


def _reaches_threshold(decision: Decision) -> bool:
    threshold = decision.ingest.options.get("notification_threshold")
    return threshold is None or decision.score is None or decision.score >= threshold


def _build_message(decision: Decision) -> dict[str, Any]:
    ingest, document = decision.ingest, decision.ingest.document
    options = ingest.options
    return {
        "ingest_id": ingest.ingest_id,
        "ingest_time": document["metadata"]["ts"],
        "notify_time": get_current_time(),
        "score": decision.score,
        "extended_scan": "skipped",
        "failure": decision.failure,
        "retries": 0,
        "to_ingest": False,
        "submission": {
            "sid": decision.submission.sid if decision.submission else ingest.ingest_id,
            "files": document["files"],
            "metadata": document["metadata"],
            "params": ingest.params,
            "notification": {
                "queue": options["notification_queue"],
                "threshold": options.get("notification_threshold"),
            },
            "time": document["times"]["submitted"],
            "errors": [],
            "results": {},
            "file_infos": {},
            "file_tree": {},
        },
    }
