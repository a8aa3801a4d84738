"""The alerts of the server: those that completed submissions raise, and those that are seeded."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from self_hosted.sandbox.assemblyline.alerts.documents import build_alert, build_empty_alert, get_alert_id
from self_hosted.sandbox.assemblyline.ports import Server
from self_hosted.sandbox.assemblyline.search.engine import Index, build_index
from self_hosted.sandbox.assemblyline.submissions.submission import Submission

MIN_SCORE = 500
DEFAULT_DELAY_SECONDS = 300
STATE_NAME = "alerts"


class AlertStore:
    """Access to the alerts, which are in the state of the server.

    :param server: owner of the state
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def state(self) -> dict[str, Any]:
        """Alerts by id, the time at which searches find each of them, and the delay of lists in seconds."""
        return self.server.state[STATE_NAME]  # type: ignore[no-any-return]

    def list_all(self) -> dict[str, dict[str, Any]]:
        """Return all alerts by id, after raising those of submissions that are completed by now."""
        alerts: dict[str, dict[str, Any]] = self.state["alerts"]
        for submission, source in self._iterate_completed():
            is_alerting = source.params["generate_alert"] and submission.analysis.max_score >= MIN_SCORE
            if is_alerting and get_alert_id(submission, source) not in alerts:
                self.add(build_alert(submission, source))
        return alerts

    def list_indexed(self) -> list[dict[str, Any]]:
        """Return the alerts that searches find."""
        alerts, now = self.list_all(), time.time()
        return [alert for alert_id, alert in alerts.items() if now >= self.state["indexed_at"][alert_id]]

    def build_index(self) -> Index:
        """Return the index of the alerts."""
        return build_index("alert", self.list_indexed())

    def add(self, alert: dict[str, Any]) -> None:
        """Add an alert.

        :param alert: the document
        """
        self.state["alerts"][alert["alert_id"]] = alert
        self.state["indexed_at"][alert["alert_id"]] = time.time() + self.server.store.index_lag

    def seed(self, data: Mapping[str, Any]) -> None:
        """Add alerts, and change the delay.

        :param data: ``alerts``: [{fields that differ from an empty alert}]; ``delay``: seconds
        """
        self.state["delay"] = data.get("delay", self.state["delay"])
        for alert in data.get("alerts", []):
            self.add({**build_empty_alert(alert.get("alert_id") or secrets.token_hex(11)), **alert})

    def _iterate_completed(self) -> Iterator[tuple[Submission, Submission]]:
        """Yield completed submissions with themselves, and with each ingest that reuses them."""
        for submission in self.server.store.list_existing():
            if submission.is_completed:
                yield submission, submission
        for decision in self.server.store.ingester.reused:
            if decision.submission and decision.is_final:
                yield decision.submission, decision.ingest
