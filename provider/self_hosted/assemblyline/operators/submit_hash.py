"""Submit a file by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.operators.analysis import SubmitOperator
from self_hosted.core.arguments import parse_text
from self_hosted.core.imports import lazy_import

if TYPE_CHECKING:
    from self_hosted.assemblyline.api.files import hash_kinds
    from self_hosted.assemblyline.api.submissions.sources import Source
else:
    hash_kinds = lazy_import("self_hosted.assemblyline.api.files.hash_kinds")


class AssemblylineSubmitHashOperator(SubmitOperator):
    """Submits a file that the server has, or finds in its external sources, by its hash; ``POST /api/v4/submit/``.

    The task makes one submission, and cancels it under the same conditions as `AssemblylineSubmitFileOperator`.

    :param hash: SHA-256, SHA-1, MD5, ssdeep or TLSH, in any case; its kind is detected
    :param name: the file's name in Assemblyline; default: the hash
    :param submission_params: Assemblyline's ``params``; ``default_external_sources`` names the external sources
    :param metadata: own keys and values
    :param submission_profile: "static", "static_with_dynamic", ...; required without the role submission_customize
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `AnalysisResult`
    :raises AirflowFailException: for invalid arguments, an unknown file, a rejected submission, and a reached limit
    """

    template_fields: Sequence[str] = (*SubmitOperator.template_fields, "hash")

    def __init__(self, *, hash: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hash = hash

    def source(self) -> Source:
        """Return the hash by its kind.

        :raises ValueError: if it is none
        """
        return hash_kinds.identify(parse_text("hash", self.hash).strip())
