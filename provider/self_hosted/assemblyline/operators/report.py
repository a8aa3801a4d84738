"""Get the report of a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.api.submissions.types import Digest
from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.references import parse_sid
from self_hosted.core.arguments import parse_int
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import record_input, record_output
from self_hosted.core.tasks.operator import publish_link
from self_hosted.core.tasks.storage import write_json

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.submissions import digests, reports, submissions
else:
    digests = lazy_import("self_hosted.assemblyline.api.submissions.digests")
    reports = lazy_import("self_hosted.assemblyline.api.submissions.reports")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")


log = get_logger(__name__)


class SubmissionReport(Digest):
    """The report of a submission: a `Digest`, and these keys.

    :param output_uri: path or URI of the full report, or None
    :param url: page of the submission
    """

    output_uri: str | None
    url: str


class AssemblylineGetReportOperator(AssemblylineOperator):
    """Gets the report of a submission, and its full version as a file; ``GET /api/v4/submission/summary/<sid>/``.

    Each key of the result is also an XCom, such as ``report.output["iocs"]``, unless ``multiple_outputs=False`` is set.

    :param sid: id of the submission, or the result of a task that has one
    :param max_values: how many values of each type of IOC or attribution, and how many failed services, are listed;
        default: 20
    :param output_uri: path or URI of a JSON file for the full report, ``s3://aws_default@bucket/report.json``:
        ``{submission, summary}``, where the submission includes all results. It is held in memory as a whole
    :param assemblyline_conn_id: the Airflow connection
    :return: `SubmissionReport`
    :raises AirflowFailException: for invalid arguments, an unknown submission, and a cancelled one
    :raises NotReadyError: if the submission is not completed yet
    """

    template_fields: Sequence[str] = (*AssemblylineOperator.template_fields, "sid", "max_values", "output_uri")
    template_fields_renderers: ClassVar[dict[str, str]] = {"sid": "json"}

    def __init__(
        self,
        *,
        sid: str | Mapping[str, Any],
        max_values: int | str = 20,
        output_uri: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"multiple_outputs": True, **kwargs})
        self.sid, self.max_values, self.output_uri = sid, max_values, output_uri

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        parse_sid("sid", self.sid)
        parse_int("max_values", self.max_values, minimum=0)
        self.uri("output_uri")

    def submit(self, context: Context) -> SubmissionReport:
        """Read the report.

        :param context: the context of the task
        """
        sid = parse_sid("sid", self.sid)
        url = submissions.build_page_url(self.base_url, sid)
        publish_link(context, url)
        record_input(self.hook, asset_uri(self.hook, "submission", sid))
        digest = self.hook.run(digests.get(sid, parse_int("max_values", self.max_values, minimum=0)))
        self._log_failed_services(digest, url)
        output_uri = self.uri("output_uri")
        if output_uri:
            self._write(sid, output_uri)
        return SubmissionReport(**digest, output_uri=output_uri, url=url)

    def _write(self, sid: str, uri: str) -> None:
        full, summary = self.hook.run(reports.get_full(sid)), self.hook.run(reports.get_summary(sid))
        write_json(uri, {"submission": full, "summary": summary})
        record_output(self.hook, uri)

    def _log_failed_services(self, digest: Digest, url: str) -> None:
        if digest["error_count"]:
            failed = {f"{service['service']} ({service['error']})" for service in digest["failed_services"]}
            message = "%s services failed on submission %s; its verdict may be too low: %s; see %s"
            log.warning(message, digest["error_count"], digest["sid"], ", ".join(sorted(failed)), url)
