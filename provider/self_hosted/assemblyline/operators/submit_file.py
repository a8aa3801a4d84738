"""Submitting a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.operators.submitting import LIMITS, OPTIONS, SubmittingTask
from self_hosted.assemblyline.operators.values import upload_of_content, upload_of_file
from self_hosted.core.storage import note_read

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.core.flow import Upload


class AssemblylineSubmitFileOperator(SubmittingTask):
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
    ``error_count`` and told in the log; they don't fail the task.

    :raises AirflowFailException: for wrong arguments, what Assemblyline refuses, and a score or verdict to fail on
    """

    template_fields: Sequence[str] = ("file", "content", "name", *OPTIONS, *LIMITS)

    def __init__(
        self,
        *,
        file: str | None = None,
        content: str | bytes | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.file, self.content = file, content

    def source(self) -> Upload:
        """The file or the text."""
        if (self.file is None) == (self.content is None):
            raise ValueError("give either file or content, exactly one of them")
        if self.file is None:
            return upload_of_content(self.content, self.name)
        return upload_of_file(str(self.file), self.name)

    def start(self, context: Context) -> dict[str, Any]:
        """Submit the file, or find it submitted."""
        if self.file is not None:
            note_read(self.hook, str(self.file))
        return super().start(context)
