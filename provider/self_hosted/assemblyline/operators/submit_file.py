"""Submitting a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.assemblyline.operators.values import check_object, upload_of_content, upload_of_file
from self_hosted.core.errors import ProductError
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import round_key
from self_hosted.core.storage import note_read
from self_hosted.core.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.core.flow import Upload
    from self_hosted.core.question import Seen
else:
    api = when_used("self_hosted.assemblyline.api")


class AssemblylineSubmitFileOperator(WaitingOperator):
    """Submits a file for analysis and waits for its verdict; ``POST /api/v4/submit/``.

    A file is streamed, never held in memory. However often the task is tried, it makes one submission: the task's key
    is stored in the submission's metadata (``airflow_task``) and looked for first. Clearing the task submits anew.
    While as many submissions of the user run as may at once, it waits for a place, as part of ``wait_timeout``.
    When the wait ends without a result, or the task is killed, the submission is cancelled, which deletes it.

    :param file: path of a file, local or in an object store: ``s3://bucket/key``, with Airflow's connection as
        ``s3://aws_default@bucket/key``; either this or ``content``
    :param content: text or bytes to submit; needs a ``name``
    :param name: the file's name in Assemblyline; by default that of ``file``
    :param submission_params: Assemblyline's ``params``, such as ``{"priority": 500, "generate_alert": True}``; what is
        absent comes from the profile or the user's settings. (``params`` itself is Airflow's word for something else.)
    :param metadata: own keys and values, which Assemblyline stores as text and finds by ``metadata.<key>:"<value>"``
    :param submission_profile: "static", "static_with_dynamic", ...; mandatory without the role submission_customize
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, state, max_score, verdict, file_count, error_count, url}``; ``verdict`` is safe, info,
    suspicious, highly_suspicious or malicious, by the bands the server is set to. Services that failed are counted in
    ``error_count`` and don't fail the task.

    :raises AirflowFailException: for wrong arguments, what Assemblyline refuses, and a score or verdict to fail on
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    question: ClassVar[str] = "self_hosted.assemblyline.triggers.SUBMISSION"
    operator_extra_links = (AssemblylineLink(),)
    template_fields: Sequence[str] = (
        "file",
        "content",
        "name",
        "submission_params",
        "metadata",
        "submission_profile",
        "fail_on_score",
        "fail_on_verdict",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        file: str | None = None,
        content: str | bytes | None = None,
        name: str | None = None,
        submission_params: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        submission_profile: str | None = None,
        fail_on_score: int | str | None = None,
        fail_on_verdict: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.file, self.content, self.name = file, content, name
        self.submission_params, self.metadata = submission_params, metadata
        self.submission_profile = submission_profile
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments, look at the file."""
        api.check_limits(self.fail_on_score, self.fail_on_verdict)
        check_object("metadata", self.metadata)
        check_object("submission_params", self.submission_params)
        if api.TAG in (self.metadata or {}):
            raise ValueError(f"metadata must not hold {api.TAG!r}, by which the operator finds its submission again")
        api.check_params("submission_params", self.submission_params or {})
        self._upload()

    def start(self, context: Context) -> dict[str, Any]:
        """Submit the file, or find it submitted."""
        if self.file is not None:
            note_read(self.hook, str(self.file))
        started = self.hook.run(
            api.submit_once(
                self._upload(),
                self._options(),
                round_key(context),
                patience=float(self.wait_timeout),
                interrupted=self.interrupted,
            )
        )
        self.log.info("Waiting for submission %s", started["sid"])
        return started

    def key_of(self, started: dict[str, Any]) -> str | None:
        """The submission's id."""
        return str(started["sid"])

    def page_of(self, started: dict[str, Any]) -> str:
        """The submission's page."""
        return api.submission_url(self.hook.settings.address.base_url, started["sid"])

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        """The result, unless score or verdict are to fail the task."""
        if started.get("doubtful"):
            self._end_duplicates(round_key(context), started["sid"])
        found = {**started, "state": seen.state, **seen.facts}
        return api.judged(found, self.page_of(started), self.fail_on_score, self.fail_on_verdict)

    def _end_duplicates(self, tag: str, sid: str) -> None:
        """End what else came of the submit whose answer was lost; that it cannot be ended does not spoil the result."""
        try:
            for other in self.hook.run(api.end_duplicates(tag, sid)):
                self.log.info("Ended submission %s, which was made twice: an answer had been lost", other)
        except ProductError as error:
            self.log.warning("Submissions made twice could not be ended: %s", error)

    def _upload(self) -> Upload:
        if (self.file is None) == (self.content is None):
            raise ValueError("give either file or content, exactly one of them")
        if self.file is None:
            return upload_of_content(self.content, self.name)
        return upload_of_file(str(self.file), self.name)

    def _options(self) -> dict[str, Any]:
        options = {
            "name": self.name,
            "metadata": self.metadata,
            "params": self.submission_params,
            "submission_profile": self.submission_profile,
        }
        return {key: value for key, value in options.items() if value}
