"""Resubmit a file that the server has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators import references
from self_hosted.assemblyline.operators.analysis import SubmitOperator
from self_hosted.core.arguments import parse_bool, require_one_of
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import record_input
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.submissions import resubmissions, submissions
    from self_hosted.assemblyline.api.submissions.sources import Source
    from self_hosted.assemblyline.operators.analysis import TaggedSubmission
else:
    resubmissions = lazy_import("self_hosted.assemblyline.api.submissions.resubmissions")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")


class AssemblylineResubmitOperator(SubmitOperator):
    """Submits a file that the server has again: as before, for dynamic analysis, or with a profile.

    It uses ``POST /api/v4/submit/`` with the file's SHA-256. The submissions of ``submit/resubmit`` cannot be
    identified, so that a retry would make another one; this task makes one submission, regardless of the number of
    tries.

    :param sid: id of a submission, or the result of a task that has one; name, metadata and params are copied. Either
        this or ``sha256``
    :param sha256: hash of a file that the server has, or the result of a task that has one
    :param dynamic: whether to add dynamic analysis to the services; default: False
    :param submission_profile: analyse with this profile instead of the services of the earlier submission
    :param name: the file's name in Assemblyline; default: the name in the earlier submission, or the SHA-256
    :param submission_params: Assemblyline's ``params``; they take precedence over those of the earlier submission
    :param metadata: own keys and values; they take precedence over those of the earlier submission
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `AnalysisResult` of the new submission
    :raises AirflowFailException: for invalid arguments, an unknown submission or file, a rejected submission, and a
        reached limit
    """

    template_fields: Sequence[str] = (*SubmitOperator.template_fields, "sid", "sha256", "dynamic")
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **SubmitOperator.template_fields_renderers,
        "sid": "json",
        "sha256": "json",
    }

    def __init__(
        self,
        *,
        sid: str | Mapping[str, Any] | None = None,
        sha256: str | Mapping[str, Any] | None = None,
        dynamic: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.sha256, self.dynamic = sid, sha256, dynamic
        self._copied_source: Source = {}
        self._copied_options: dict[str, Any] = {}

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        parse_bool("dynamic", self.dynamic)

    def source(self) -> Source:
        """Return the SHA-256; `submit` reads it from the submission, if ``sid`` is set.

        :raises ValueError: naming the invalid argument
        """
        if require_one_of({"sid": self.sid or None, "sha256": self.sha256 or None}) == "sha256":
            return {"sha256": references.parse_sha256(self.sha256)}
        references.parse_sid("sid", self.sid)
        return self._copied_source

    def identify_content(self) -> Any:
        """Return the submission or the SHA-256, and whether dynamic analysis is added."""
        content = references.parse_sid("sid", self.sid) if self.sid else self.source()
        return content, parse_bool("dynamic", self.dynamic)

    def submit(self, context: Context) -> TaggedSubmission:
        """Read the earlier submission, and submit its file.

        :param context: the context of the task
        """
        if self.sid:
            sid = references.parse_sid("sid", self.sid)
            publish_link(context, submissions.build_page_url(self.base_url, sid))
            record_input(self.hook, asset_uri(self.hook, "submission", sid))
            document = self.hook.run(resubmissions.get_original(sid))
            self._copied_options = dict(resubmissions.copy_options(document))
            self._copied_source = {"sha256": document["files"][0]["sha256"]}
        return super().submit(context)

    def options(self) -> dict[str, Any]:
        """Return the options of the earlier submission, with the task's own in front of them."""
        own, copied = super().options(), self._copied_options
        params = {**copied.get("params", {}), **own.get("params", {})}
        if "submission_profile" in own and "services" not in own.get("params", {}):
            params.pop("services", None)
        if parse_bool("dynamic", self.dynamic):
            params = resubmissions.add_dynamic_analysis(params)
        metadata = {**copied.get("metadata", {}), **own.get("metadata", {})}
        options = {**copied, **own, "metadata": metadata, "params": params}
        return {name: value for name, value in options.items() if value}
