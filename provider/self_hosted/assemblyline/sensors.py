"""Sensors: wait for submissions, ingests, alerts, and an idle server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from self_hosted.assemblyline.api.alerts.types import AlertPayload
from self_hosted.assemblyline.api.retrohunts.types import FinishedRetrohunt
from self_hosted.assemblyline.api.submissions.types import AnalysisResult, IdleResult, IngestResult
from self_hosted.assemblyline.operators.base import AssemblylineLink
from self_hosted.core.arguments import is_set, parse_id, parse_int, parse_optional_text, parse_text
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.sensor import SelfHostedSensor

if TYPE_CHECKING:
    from self_hosted.assemblyline import waits
    from self_hosted.assemblyline.api.alerts import alerts, queries
    from self_hosted.assemblyline.api.files import files
    from self_hosted.assemblyline.api.retrohunts import retrohunts
    from self_hosted.assemblyline.api.search import checks, lucene, search
    from self_hosted.assemblyline.api.submissions import submissions, verdicts
    from self_hosted.assemblyline.operators import references, service_failures
    from self_hosted.core.wait.observation import Observation
else:
    alerts = lazy_import("self_hosted.assemblyline.api.alerts.alerts")
    checks = lazy_import("self_hosted.assemblyline.api.search.checks")
    lucene = lazy_import("self_hosted.assemblyline.api.search.lucene")
    queries = lazy_import("self_hosted.assemblyline.api.alerts.queries")
    search = lazy_import("self_hosted.assemblyline.api.search.search")
    files = lazy_import("self_hosted.assemblyline.api.files.files")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")
    waits = lazy_import("self_hosted.assemblyline.waits")
    references = lazy_import("self_hosted.assemblyline.operators.references")
    retrohunts = lazy_import("self_hosted.assemblyline.api.retrohunts.retrohunts")
    service_failures = lazy_import("self_hosted.assemblyline.operators.service_failures")


log = get_logger(__name__)


class RaisedAlert(AlertPayload):
    """An alert that was raised: an `AlertPayload`, and this key.

    :param url: page of the alert
    """

    url: str


class AssemblylineSensor(SelfHostedSensor):
    """The base of every Assemblyline sensor.

    :param assemblyline_conn_id: the Airflow connection
    """

    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (*SelfHostedSensor.template_fields, "assemblyline_conn_id")

    def __init__(self, *, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.assemblyline_conn_id = assemblyline_conn_id

    def text(self, name: str) -> str | None:
        """Return an optional argument as text; None if it is not set.

        :param name: name of the argument
        :raises ValueError: if its value is no text
        """
        return parse_optional_text(name, getattr(self, name))


class _AnalysisSensor(AssemblylineSensor):
    """Waits for a verdict.

    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse
    """

    template_fields: Sequence[str] = (*AssemblylineSensor.template_fields, "fail_on_score", "fail_on_verdict")

    def __init__(
        self, *, fail_on_score: int | str | None = None, fail_on_verdict: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        verdicts.check_limits(self.fail_on_score, self.text("fail_on_verdict"))

    def judge(self, outcome: dict[str, Any], base_url: str) -> AnalysisResult:
        """Log failed services, and return the result of a submission.

        :param outcome: the submission's id, state and details
        :param base_url: the server's address
        :raises PermanentError: if the analysis failed, or the score or verdict reached a limit
        """
        url = submissions.build_page_url(base_url, outcome["sid"])
        service_failures.log_service_failures(log, f"submission {outcome['sid']}", outcome.get("error_count"), url)
        return verdicts.judge(outcome, url, self.fail_on_score, self.text("fail_on_verdict"))


class AssemblylineSubmissionSensor(_AnalysisSensor):
    """Waits until a submission is completed; ``POST /api/v4/search/submission/``.

    :param sid: id of the submission, or the result of a task that has one
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `AnalysisResult`, as that of the submit operators
    :raises AirflowFailException: for invalid arguments, an unknown submission, and a reached limit
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.SUBMISSION"
    template_fields: Sequence[str] = (*_AnalysisSensor.template_fields, "sid")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sid": "json"}

    def __init__(self, *, sid: str | Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sid = sid

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        self.external_id()

    def external_id(self) -> str:
        """Return the submission's id."""
        return references.parse_sid("sid", self.sid)

    def external_url(self, base_url: str) -> str:
        """Return the submission's page.

        :param base_url: the server's address
        """
        return submissions.build_page_url(base_url, self.external_id())

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the submission."""
        return "submission", self.external_id()

    def build_result(self, observation: Observation, base_url: str) -> AnalysisResult:
        """Return the result.

        :param observation: the last observation
        :param base_url: the server's address
        :raises PermanentError: if the analysis failed, or the score or verdict reached a limit
        """
        return self.judge({"sid": self.external_id(), "state": observation.state, **observation.details}, base_url)


class AssemblylineIngestSensor(_AnalysisSensor):
    """Waits until an ingest is analysed; ``POST /api/v4/search/submission/``.

    :param ingest_id: id of the ingest; or a line of the result of a task that ingested, which also has the ``sha256``
    :param sha256: hash of the file, in hex digits. A file that was ingested before, with the same params, gets no
        submission of its own: with the hash, the sensor finds the submission that Assemblyline reuses, a minute after
        the ingest. Leave it out for an ingest with ``ignore_cache``
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `IngestResult`. A file that the server drops, under load or because it is too large, gets no submission:
        the sensor's ``timeout`` ends the wait
    :raises AirflowFailException: for invalid arguments, and a reached limit
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.INGEST"
    template_fields: Sequence[str] = (*_AnalysisSensor.template_fields, "ingest_id", "sha256")
    template_fields_renderers: ClassVar[dict[str, str]] = {"ingest_id": "json"}

    def __init__(self, *, ingest_id: str | Mapping[str, Any], sha256: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ingest_id, self.sha256 = ingest_id, sha256

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        self.external_id()

    def external_id(self) -> str:
        """Return the wait key: the ingest's id and the file's SHA-256."""
        sha256 = self.sha256 if is_set(self.sha256) else self._parse_row().get("sha256")
        return waits.build_ingest_key(self._ingest_id(), files.parse_sha256(sha256) if sha256 else None)

    def external_url(self, base_url: str) -> str:
        """Return the page that lists the ingest's submission.

        :param base_url: the server's address
        """
        query = f"metadata.ingest_id:{lucene.quote(self._ingest_id())}"
        return search.build_page_url(base_url, "submission", query)

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the ingest."""
        return "ingest", self._ingest_id()

    def build_result(self, observation: Observation, base_url: str) -> IngestResult:
        """Return the result.

        :param observation: the last observation
        :param base_url: the server's address
        :raises PermanentError: if the analysis failed, or the score or verdict reached a limit
        """
        details = observation.details
        result = self.judge({"state": observation.state, **details}, base_url)
        return IngestResult(ingest_id=self._ingest_id(), deduplicated=details["deduplicated"], **result)

    def _ingest_id(self) -> str:
        return parse_id("ingest_id", self._parse_row().get("ingest_id", self.ingest_id), "an ingest")

    def _parse_row(self) -> Mapping[str, Any]:
        return references.parse_result("ingest_id", self.ingest_id) or {}


class AssemblylineIdleSensor(AssemblylineSensor):
    """Waits until no submission is being analysed (state submitted); ``POST /api/v4/search/submission/``.

    An ingest counts once it has become a submission; the API does not show how many are queued before that.

    :param query: a Lucene query of the submissions that count, such as ``params.submitter:"airflow"``; default: all
        that the user may see
    :param idle_seconds: for how many seconds no submission may have been analysed; default: 0
    :param assemblyline_conn_id: the Airflow connection
    :return: `IdleResult`
    :raises AirflowFailException: for invalid arguments, and a rejected query
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.IDLE"
    template_fields: Sequence[str] = (*AssemblylineSensor.template_fields, "query", "idle_seconds")

    def __init__(self, *, query: str = "*", idle_seconds: int | str = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query, self.idle_seconds = query, idle_seconds

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        checks.check_query("query", self._query())
        self._idle_seconds()

    def external_id(self) -> str:
        """Return the wait key: the query and the seconds."""
        return waits.build_idle_key(self._query(), self._idle_seconds())

    def external_url(self, base_url: str) -> str:
        """Return the page that lists the running submissions.

        :param base_url: the server's address
        """
        return search.build_page_url(base_url, "submission", f"state:submitted AND ({self._query()})")

    def build_result(self, observation: Observation, base_url: str) -> IdleResult:
        """Return the result.

        :param observation: the last observation
        :param base_url: not used
        :raises ValueError: if the server rejected the query
        """
        if observation.state == "rejected":
            raise ValueError(f"query: Assemblyline cannot read {self.query!r}: {observation.details['message']}")
        return IdleResult(query=self._query(), idle_seconds=self._idle_seconds())

    def _query(self) -> str:
        return parse_text("query", self.query)

    def _idle_seconds(self) -> int:
        return parse_int("idle_seconds", self.idle_seconds, minimum=0)


class AssemblylineAlertSensor(AssemblylineSensor):
    """Waits until an alert that matches a query is raised; ``POST /api/v4/search/alert/``.

    The alert of an ingest has the ingest's id, so that the query is ``alert_id:"<ingest id>"``; the alert of a
    submission has the submission's id. Alerts are raised only if ``generate_alert`` is among the params.

    :param query: a Lucene query, such as ``metadata.case:"7" AND priority:(HIGH OR CRITICAL)``
    :param assemblyline_conn_id: the Airflow connection
    :return: `RaisedAlert`, the oldest one that matches
    :raises AirflowFailException: for invalid arguments, and a rejected query
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.ALERT"
    template_fields: Sequence[str] = (*AssemblylineSensor.template_fields, "query")

    def __init__(self, *, query: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query = query

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        checks.check_query("query", self._query())

    def external_id(self) -> str:
        """Return the query."""
        return self._query()

    def external_url(self, base_url: str) -> str:
        """Return the page that lists the alerts.

        :param base_url: the server's address
        """
        return queries.build_page_url(base_url, queries.AlertQuery(self._query()))

    def build_result(self, observation: Observation, base_url: str) -> RaisedAlert:
        """Return the alert.

        :param observation: the last observation
        :param base_url: the server's address
        """
        url = alerts.build_page_url(base_url, observation.details["alert_id"])
        return cast("RaisedAlert", {**observation.details, "url": url})

    def _query(self) -> str:
        return parse_text("query", self.query)


class AssemblylineRetrohuntSensor(AssemblylineSensor):
    """Waits until a retrohunt has searched all files; ``POST /api/v4/retrohunt/``.

    :param key: key of the retrohunt, or the result of the task that started it
    :param assemblyline_conn_id: the Airflow connection
    :return: `FinishedRetrohunt`
    :raises AirflowFailException: for invalid arguments, and an unknown retrohunt
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.RETROHUNT"
    template_fields: Sequence[str] = (*AssemblylineSensor.template_fields, "key")
    template_fields_renderers: ClassVar[dict[str, str]] = {"key": "json"}

    def __init__(self, *, key: str | Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key = key

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self.external_id()

    def external_id(self) -> str:
        """Return the retrohunt's key."""
        return references.parse_key("key", self.key)

    def external_url(self, base_url: str) -> str:
        """Return the retrohunt's page.

        :param base_url: the server's address
        """
        return retrohunts.build_page_url(base_url, self.external_id())

    def external_asset(self) -> Sequence[str]:
        """Return type and id of the retrohunt."""
        return "retrohunt", self.external_id()

    def build_result(self, observation: Observation, base_url: str) -> FinishedRetrohunt:
        """Return the result.

        :param observation: the last observation
        :param base_url: the server's address
        """
        details = observation.details
        return FinishedRetrohunt(
            key=self.external_id(),
            finished=True,
            total_hits=details["total_hits"],
            truncated=details["truncated"],
            url=self.external_url(base_url),
        )
