"""Submit a URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.operators.analysis import SubmitOperator
from self_hosted.core.arguments import parse_text
from self_hosted.core.imports import lazy_import

if TYPE_CHECKING:
    from self_hosted.assemblyline.api.submissions import sources
    from self_hosted.assemblyline.api.submissions.sources import Source
else:
    sources = lazy_import("self_hosted.assemblyline.api.submissions.sources")


class AssemblylineSubmitUrlOperator(SubmitOperator):
    """Submits a URL for analysis and waits for its verdict; ``POST /api/v4/submit/``.

    The server fetches the content, if it has a service for that; the content never passes through Airflow. The task
    makes one submission, and cancels it under the same conditions as `AssemblylineSubmitFileOperator`.

    :param url: the URL with its scheme; may be defanged, as ``hxxps[:]//example[.]com``. It names the submission
    :param name: must be left out: the URL names the submission
    :param submission_params: Assemblyline's ``params``
    :param metadata: own keys and values
    :param submission_profile: "static_with_internet", ...; required without the role submission_customize
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `AnalysisResult`; its ``url`` is the submission's page
    :raises AirflowFailException: for invalid arguments, a rejected submission, and a reached limit
    """

    template_fields: Sequence[str] = (*SubmitOperator.template_fields, "url")

    def __init__(self, *, url: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.url = url

    def source(self) -> Source:
        """Return the URL.

        :raises ValueError: naming the invalid argument
        """
        if self.text("name"):
            raise ValueError("name cannot be set: Assemblyline names the submission after its url")
        return sources.parse({"url": parse_text("url", self.url).strip()})
