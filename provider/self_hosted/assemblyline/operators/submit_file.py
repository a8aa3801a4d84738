"""Submit a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.analysis import SubmitOperator
from self_hosted.assemblyline.operators.input_files import read_input_file
from self_hosted.assemblyline.operators.references import parse_file
from self_hosted.assemblyline.operators.uploads import upload_content, upload_file
from self_hosted.core.arguments import require_one_of
from self_hosted.core.tasks.job_state import build_fingerprint
from self_hosted.core.tasks.lineage import record_input

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.operators.analysis import TaggedSubmission
    from self_hosted.core.http.flow import Upload


class AssemblylineSubmitFileOperator(SubmitOperator):
    """Submits a file for analysis and waits for its verdict; ``POST /api/v4/submit/``.

    The file is streamed, never held in memory. The task makes one submission, regardless of the number of tries: a tag,
    derived from its idempotency key, is stored in the submission's metadata (``airflow_task``), and each try searches
    for it first. Clearing the task makes a new submission, and so does a file that has changed. While the user's quota
    of running submissions is full, the task waits for a place, as part of ``wait_timeout``. A submission is cancelled,
    which deletes it, if the wait ends without a result or a user ends the task.

    :param file: path of a file, local or in an object store: ``s3://bucket/key``, with Airflow's connection as
        ``s3://aws_default@bucket/key``; or the result of a task that wrote a file. Either this or ``content``
    :param content: text or bytes to submit; needs a ``name``
    :param name: the file's name in Assemblyline; default: the name of ``file``
    :param submission_params: Assemblyline's ``params``, such as ``{"priority": 500, "generate_alert": True}``; the
        others come from the profile or the user's settings. (In Airflow, ``params`` has another meaning.)
    :param metadata: own keys and values; Assemblyline stores them as text, and finds them by
        ``metadata.<key>:"<value>"``
    :param submission_profile: "static", "static_with_dynamic", ...; required without the role submission_customize
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `AnalysisResult`. Failed services are counted in ``error_count`` and logged; they do not fail the task
    :raises AirflowFailException: for invalid arguments, a rejected submission, and a reached limit
    """

    template_fields: Sequence[str] = (*SubmitOperator.template_fields, "file", "content")
    template_fields_renderers: ClassVar[dict[str, str]] = {**SubmitOperator.template_fields_renderers, "file": "json"}

    def __init__(
        self, *, file: str | Path | Mapping[str, Any] | None = None, content: str | bytes | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.file, self.content = file, content

    def source(self) -> Upload:
        """Return the upload of the file or the content.

        :raises ValueError: naming the invalid argument
        """
        if require_one_of({"file": self.file, "content": self.content}) == "content":
            return upload_content(self.content, self.text("name"))
        return upload_file(parse_file("file", self.file), self.text("name"))

    def identify_content(self) -> Any:
        """Return the content, or path and size of the file; the hash tells submissions of other content apart."""
        return self.content if self.file is None else read_input_file(parse_file("file", self.file)).identity

    def fingerprint(self) -> str:
        """Return a digest that also differs if the file was replaced by one of the same size."""
        modified_at = 0 if self.file is None else read_input_file(parse_file("file", self.file)).modified_at
        return build_fingerprint([super().fingerprint(), modified_at])

    def submit(self, context: Context) -> TaggedSubmission:
        """Submit the file, or find the submission of an earlier try.

        :param context: the context of the task
        """
        if self.file is not None:
            record_input(self.hook, parse_file("file", self.file))
        return super().submit(context)
