"""Notification queues of the stand-in: who reads a message removes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.dates import moment
from self_hosted.sandbox.assemblyline.ingester import Decision


class Messages(Area):
    """It keeps nothing: messages are made of what the ingester decided, once the submissions are completed."""

    name: ClassVar[str] = "messages"

    def seed(self, data: Any) -> None:
        """Let the ingester drop what comes.

        :param data: ``dropping``: whether it is overloaded
        """
        self.product.ingester.dropping = data["dropping"]

    def rows(self) -> Sequence[Row]:
        """The routes of queues."""
        return [
            Row("GET", "/ingest/get_message/{queue}/", self.message, "submission_create", True),
            Row("GET", "/ingest/get_message_list/{queue}/", self.messages, "submission_create", True),
        ]

    async def message(self, request: Request, session: Session) -> Any:
        """One message, or None; an unknown queue is an empty one."""
        return next(self._taken(request.path_params["queue"], session.user), None)

    async def messages(self, request: Request, session: Session) -> Any:
        """Some messages, or all."""
        try:
            size = int(request.query_params.get("page_size", -1))
        except ValueError:
            raise Refusal(500, "Internal Server Error") from None
        found = []
        for message in self._taken(request.path_params["queue"], session.user) if size else ():
            found.append(message)
            if len(found) == size:
                break
        return found

    def _taken(self, queue: str, user: str) -> Iterator[dict[str, Any]]:
        """Take messages out of a queue, which each user has for himself."""
        decisions = self.product.ingester.decisions
        for one in list(decisions):
            ingest = one.ingest
            if ingest.options["notification_queue"] != queue or ingest.params["submitter"] != user or not one.is_final:
                continue
            decisions.remove(one)
            threshold = ingest.options.get("notification_threshold")
            if threshold is None or one.score is None or one.score >= threshold:
                yield _message(one)


def _message(decision: Decision) -> dict[str, Any]:
    ingest, document = decision.ingest, decision.ingest.document
    options = ingest.options
    return {
        "ingest_id": ingest.ingest_id,
        "ingest_time": document["metadata"]["ts"],
        "notify_time": moment("now"),
        "score": decision.score,
        "extended_scan": "skipped",
        "failure": decision.failure,
        "retries": 0,
        "to_ingest": False,
        "submission": {
            "sid": decision.by.sid if decision.by else ingest.ingest_id,
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
