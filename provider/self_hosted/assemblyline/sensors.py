"""What a DAG waits for in Assemblyline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.core.arguments import check_id, checked_number
from self_hosted.core.lazy import when_used
from self_hosted.core.sensor import ProductSensor

if TYPE_CHECKING:
    from self_hosted.assemblyline import api
    from self_hosted.assemblyline.operators import submitting
    from self_hosted.core.question import Seen
else:
    api = when_used("self_hosted.assemblyline.api")
    submitting = when_used("self_hosted.assemblyline.operators.submitting")


class AssemblylineSubmissionSensor(ProductSensor):
    """Waits until a submission is completed, whoever made it; ``POST /api/v4/search/submission/``.

    :param sid: its id
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, state, max_score, verdict, file_count, error_count, url}``, as with the operator that submits.

    :raises AirflowFailException: for wrong arguments, a submission that does not exist, and a score or verdict to
        fail on
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.SUBMISSION"
    template_fields: Sequence[str] = ("sid", "fail_on_score", "fail_on_verdict", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        sid: str,
        fail_on_score: int | str | None = None,
        fail_on_verdict: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.assemblyline_conn_id = sid, assemblyline_conn_id
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict

    def check(self) -> None:
        """Validate the arguments."""
        check_id("sid", self.sid, "a submission")
        api.check_limits(self.fail_on_score, self.fail_on_verdict)

    def key(self) -> str:
        """The submission's id."""
        return self.sid

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result, unless score or verdict are to fail the task."""
        found = {"sid": self.sid, "state": seen.state, **seen.facts}
        url = api.submission_url(base_url, self.sid)
        submitting.warn_of_failed_services(self.log, f"submission {self.sid}", found, url)
        return api.judged(found, url, self.fail_on_score, self.fail_on_verdict)


class AssemblylineIngestSensor(ProductSensor):
    """Waits until what was ingested is analysed; ``POST /api/v4/search/submission/``.

    :param ingest_id: what the ingest was answered with
    :param sha256: of the file, in hex digits. A file that was ingested before, with the same params, makes no
        submission of its own: with this, the submission that Assemblyline reuses is found, a minute after the ingest.
        Leave it out for what was ingested with ``ignore_cache``
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{ingest_id, sid, state, max_score, verdict, file_count, error_count, deduplicated, url}``;
    ``deduplicated`` says that the submission is an earlier one. What the server drops under load, or since it is too
    large, never becomes a submission, so that the sensor's ``timeout`` ends the wait for it.

    :raises AirflowFailException: for wrong arguments, and a score or verdict to fail on
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.INGEST"
    template_fields: Sequence[str] = (
        "ingest_id",
        "sha256",
        "fail_on_score",
        "fail_on_verdict",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        ingest_id: str,
        sha256: str | None = None,
        fail_on_score: int | str | None = None,
        fail_on_verdict: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ingest_id, self.sha256, self.assemblyline_conn_id = ingest_id, sha256, assemblyline_conn_id
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict

    def check(self) -> None:
        """Validate the arguments."""
        check_id("ingest_id", self.ingest_id, "an ingest")
        if "/" in self.ingest_id:
            raise ValueError(f"ingest_id must be the id of an ingest, not {self.ingest_id!r}")
        if self.sha256:
            api.checked_sha256(self.sha256)
        api.check_limits(self.fail_on_score, self.fail_on_verdict)

    def key(self) -> str:
        """The ingest's id, with the file's SHA-256."""
        return api.ingest_key(self.ingest_id, self.sha256)

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result, unless score or verdict are to fail the task."""
        found = {"state": seen.state, **seen.facts}
        url = api.submission_url(base_url, found["sid"])
        submitting.warn_of_failed_services(self.log, f"submission {found['sid']}", found, url)
        judged = api.judged(found, url, self.fail_on_score, self.fail_on_verdict)
        return {"ingest_id": self.ingest_id, **judged, "deduplicated": found["deduplicated"]}


class AssemblylineQuietSensor(ProductSensor):
    """Waits until nothing is analysed: no submission is in the state submitted; ``POST /api/v4/search/submission/``.

    What was ingested counts once it has become a submission: nothing tells a client how much waits before that.

    :param query: a Lucene query of the submissions that count, such as ``params.submitter:"airflow"``; by default all
        that the user may see
    :param quiet_for: for how many seconds nothing must have been analysed; digits, which is what a template gives, too
    :param assemblyline_conn_id: the connection

    The result is ``{query, quiet_for}``.

    :raises AirflowFailException: for wrong arguments, and a query that the server cannot read
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.QUIET"
    template_fields: Sequence[str] = ("query", "quiet_for", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        query: str = "*",
        quiet_for: int | str = 0,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.query, self.quiet_for, self.assemblyline_conn_id = query, quiet_for, assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        if not isinstance(self.query, str) or not self.query.strip():
            raise ValueError(f"query must be a Lucene query, such as '*', not {self.query!r}")
        checked_number("quiet_for", self.quiet_for, least=0)

    def key(self) -> str:
        """Seconds and query."""
        return api.quiet_key(self.query, int(self.quiet_for))

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The result, unless the server cannot read the query."""
        if seen.state == "refused":
            raise ValueError(f"query: Assemblyline cannot read {self.query!r}: {seen.facts['words']}")
        return {"query": self.query, "quiet_for": int(self.quiet_for)}


class AssemblylineAlertSensor(ProductSensor):
    """Waits until an alert is raised that a query finds; ``POST /api/v4/search/alert/``.

    The alert of an ingest has the ingest's id, which makes the query ``alert_id:"<ingest id>"``; that of a submission
    has the submission's. Alerts are raised only for what was handed in with ``generate_alert`` among its params.

    :param query: a Lucene query, such as ``metadata.case:"7" AND priority:(HIGH OR CRITICAL)``
    :param assemblyline_conn_id: the connection

    The result is the oldest alert that the query finds: ``{alert_id, sid, type, priority, status, extended_scan,
    reporting_ts, name, sha256, score, labels, url}``, name and sha256 being those of the file.

    :raises AirflowFailException: for wrong arguments, and a query that the server cannot read
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.ALERT"
    template_fields: Sequence[str] = ("query", "assemblyline_conn_id")

    def __init__(self, *, query: str, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query, self.assemblyline_conn_id = query, assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        if not isinstance(self.query, str) or not self.query.strip():
            raise ValueError(f'query must be a Lucene query, such as alert_id:"...", not {self.query!r}')

    def key(self) -> str:
        """The query."""
        return self.query

    def finish(self, seen: Seen, base_url: str) -> dict[str, Any]:
        """The alert, with its page."""
        return {**seen.facts, "url": api.alert_url(base_url, seen.facts["alert_id"])}
