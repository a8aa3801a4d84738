"""Reporting on a submission."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import check_id, checked_number
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link
from self_hosted.core.storage import check_output, note_written, write_json

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")


class AssemblylineReportOperator(ProductOperator):
    """Tells what was found in a submission: in short, and all in a file; ``GET /api/v4/submission/summary/<sid>/``.

    :param sid: the submission's id
    :param first: how many values of each type of IOC or attribution, and how many failed services, are named (20)
    :param output_file: path of a JSON file, local or in an object store, ``s3://aws_default@bucket/report.json``, for
        all that the server tells: {submission, summary}, the submission with all results in it, held in memory whole
    :param assemblyline_conn_id: the connection

    The result is ``{sid, max_score, verdict, bands, file_count, error_count, heuristics, attack, iocs, attribution,
    failed_services, partial, filtered, output_file, url}``. ``heuristics`` are names by malicious, suspicious, info,
    safe; ``attack`` are ids of ATT&CK techniques; ``iocs`` and ``attribution`` are ``{type: {count, first:
    [values]}}``, the worst first and without what is on the safelist; ``failed_services`` are ``{service, sha256,
    error, message, status}``; ``partial`` says that results are missing, ``filtered`` that the user may not see all.

    :raises AirflowFailException: for wrong arguments, a submission that does not exist, and one that was cancelled
    :raises Overdue: when the submission is not completed yet
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = ("sid", "first", "output_file", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        sid: str,
        first: int | str = 20,
        output_file: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.first, self.output_file = sid, first, output_file
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        check_id("sid", self.sid, "a submission")
        checked_number("first", self.first, least=0)
        check_output("output_file", self.output_file)

    def start(self, context: Context) -> dict[str, Any]:
        """Look at what was found."""
        url = api.submission_url(self.hook.settings.address.base_url, self.sid)
        publish_link(context, url)
        told = self.hook.run(api.submission_digest(self.sid, checked_number("first", self.first, least=0)))
        self._warn(told, url)
        if self.output_file:
            self._write(self.output_file)
        return {**told, "output_file": self.output_file, "url": url}

    def _write(self, path: str) -> None:
        full = self.hook.run(api.full_submission(self.sid))
        write_json(path, {"submission": full, "summary": self.hook.run(api.submission_summary(self.sid))})
        note_written(self.hook, path)

    def _warn(self, told: dict[str, Any], url: str) -> None:
        if told["error_count"]:
            which = ", ".join(sorted({f"{one['service']} ({one['error']})" for one in told["failed_services"]}))
            words = "%s services failed on submission %s, so that its verdict may be too good: %s; see %s"
            self.log.warning(words, told["error_count"], self.sid, which, url)
