"""Event triggers: a DAG can be scheduled on raised alerts and on completed submissions."""

from __future__ import annotations

from typing import Any

from self_hosted.assemblyline.api.alerts import alerts, feed as alert_feed
from self_hosted.assemblyline.api.search.checks import check_query
from self_hosted.assemblyline.api.submissions import feed as submission_feed, submissions
from self_hosted.core.events.feed import Feed, Item
from self_hosted.core.events.trigger import FeedTrigger

HOOK_CLASS = "self_hosted.assemblyline.hook.AssemblylineHook"


class AssemblylineAlertTrigger(FeedTrigger):
    """Delivers each alert that is raised or updated; ``POST /api/v4/search/alert/``.

    The payload of an event is ``{items: [...]}``. Each item has the keys of
    `self_hosted.assemblyline.api.alerts.feed.AlertPayload`, ``url``, ``id`` and ``redelivered``: whether it may have
    been delivered before (see docs/events.md).

    :param query: a Lucene query that the alert must match, such as ``priority:(HIGH OR CRITICAL)``
    :param poll_interval: seconds between two polls
    :param since: timestamp in ISO 8601 of the first alerts to deliver; None = those after the first poll
    :param assemblyline_conn_id: the connection
    :raises ValueError: if an argument is invalid, when the DAG is parsed
    """

    feed = Feed(hook_class=HOOK_CLASS, label="alert", read=alert_feed.read_page, newest=alert_feed.get_newest_time)

    def __init__(
        self,
        *,
        query: str = "*",
        poll_interval: float = 60,
        since: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
    ) -> None:
        super().__init__()
        self.query, self.poll_interval, self.since = query, poll_interval, since
        self.assemblyline_conn_id = assemblyline_conn_id

    def validate(self) -> None:
        """Check the arguments."""
        super().validate()
        check_query("query", self.query)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the feed."""
        return {"query": self.query}

    def build_payload(self, item: Item, base_url: str) -> dict[str, Any]:
        """Return the alert, with the URL of its page."""
        payload = super().build_payload(item, base_url)
        return {**payload, "url": alerts.build_page_url(base_url, payload["alert_id"])}


class AssemblylineSubmissionTrigger(FeedTrigger):
    """Delivers each completed submission of any user; ``POST /api/v4/search/submission/``.

    The payload of an event is ``{items: [...]}``. Each item has the keys of
    `self_hosted.assemblyline.api.submissions.feed.SubmissionPayload`, ``url``, ``id`` and ``redelivered``: whether it
    may have been delivered before (see docs/events.md).

    :param query: a Lucene query that the submission must match, such as ``params.submitter:"mail-gateway"``
    :param verdict: the mildest verdict to deliver: info, suspicious, highly_suspicious or malicious, by the server's
        bands; None = any
    :param min_score: the lowest ``max_score`` to deliver; None = any
    :param poll_interval: seconds between two polls
    :param since: timestamp in ISO 8601 of the first submissions to deliver; None = those after the first poll
    :param assemblyline_conn_id: the connection
    :raises ValueError: if an argument is invalid, when the DAG is parsed
    """

    feed = Feed(
        hook_class=HOOK_CLASS,
        label="submission",
        read=submission_feed.read_page,
        newest=submission_feed.get_newest_time,
    )

    def __init__(
        self,
        *,
        query: str = "*",
        verdict: str | None = None,
        min_score: int | None = None,
        poll_interval: float = 60,
        since: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
    ) -> None:
        super().__init__()
        self.query, self.verdict, self.min_score = query, verdict, min_score
        self.poll_interval, self.since, self.assemblyline_conn_id = poll_interval, since, assemblyline_conn_id

    def validate(self) -> None:
        """Check the arguments."""
        super().validate()
        submission_feed.check_arguments(self.query, self.verdict, self.min_score)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the feed."""
        return {"query": self.query, "verdict": self.verdict, "min_score": self.min_score}

    def build_payload(self, item: Item, base_url: str) -> dict[str, Any]:
        """Return the submission, with its files and the URL of its page."""
        payload = super().build_payload(item, base_url)
        return {**payload, "url": submissions.build_page_url(base_url, payload["sid"])}
