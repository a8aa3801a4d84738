"""Submitting what the server fetches or has: a URL, the file of a hash, what was submitted before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.operators.submitting import LIMITS, OPTIONS, SubmittingTask
from self_hosted.core.arguments import check_id, checked_flag
from self_hosted.core.lazy import when_used

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.assemblyline.api.sources import Source
else:
    api = when_used("self_hosted.assemblyline.api")


class AssemblylineSubmitUrlOperator(SubmittingTask):
    """Submits a URL for analysis and waits for its verdict; ``POST /api/v4/submit/``.

    The server fetches what is there, if it has a service for that; it never passes through Airflow. One submission is
    made however often the task is tried, and it is cancelled as that of `AssemblylineSubmitFileOperator` is.

    :param url: with its scheme; also made harmless, as ``hxxps[:]//example[.]com``. It names the submission
    :param submission_params: Assemblyline's ``params``
    :param metadata: own keys and values
    :param submission_profile: "static_with_internet", ...; mandatory without the role submission_customize
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, state, max_score, verdict, file_count, error_count, url}``, where ``url`` is the submission's
    page.

    :raises AirflowFailException: for wrong arguments, what Assemblyline refuses, and a score or verdict to fail on
    """

    template_fields: Sequence[str] = ("url", *OPTIONS, *LIMITS)

    def __init__(self, *, url: str, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.url = url

    def source(self) -> Source:
        """The URL."""
        if self.name:
            raise ValueError("name is of no use: Assemblyline calls the submission after its url")
        return api.checked_source({"url": self.url})


class AssemblylineSubmitHashOperator(SubmittingTask):
    """Submits a file that the server has, or finds in its sources, by its hash; ``POST /api/v4/submit/``.

    :param hash: SHA-256, SHA-1, MD5, ssdeep or TLSH, in any case; the kind is told by its form
    :param name: the file's name in Assemblyline; by default the hash
    :param submission_params: Assemblyline's ``params``; ``default_external_sources`` names where else to look
    :param metadata: own keys and values
    :param submission_profile: "static", "static_with_dynamic", ...; mandatory without the role submission_customize
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, state, max_score, verdict, file_count, error_count, url}``. One submission is made however
    often the task is tried, and it is cancelled as that of `AssemblylineSubmitFileOperator` is.

    :raises AirflowFailException: for wrong arguments, a file that is not there, what else Assemblyline refuses, and a
        score or verdict to fail on
    """

    template_fields: Sequence[str] = ("hash", "name", *OPTIONS, *LIMITS)

    def __init__(self, *, hash: str, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.hash = hash

    def source(self) -> Source:
        """The hash, by its kind."""
        return api.hash_source(self.hash)


class AssemblylineResubmitOperator(SubmittingTask):
    """Submits anew what the server has: as it was submitted before, for dynamic analysis, or with a profile.

    It rests on ``POST /api/v4/submit/`` with the file's SHA-256, and not on ``submit/resubmit``: what that makes cannot
    be told from others, so that a retry would make one more. Here one is made however often the task is tried.

    :param sid: id of a submission, whose name, metadata and params are taken over; either this or ``sha256``
    :param sha256: of a file that the server has
    :param dynamic: add dynamic analysis to the services
    :param submission_profile: analyse with this profile, and not with the services of the submission before
    :param name: the file's name in Assemblyline; by default that of the submission, or the SHA-256
    :param submission_params: Assemblyline's ``params``; each goes before that of the submission
    :param metadata: own keys and values; each goes before that of the submission
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, state, max_score, verdict, file_count, error_count, url}`` of the new submission.

    :raises AirflowFailException: for wrong arguments, a submission or file that is not there, what else Assemblyline
        refuses, and a score or verdict to fail on
    """

    template_fields: Sequence[str] = ("sid", "sha256", "dynamic", "name", *OPTIONS, *LIMITS)

    def __init__(
        self,
        *,
        sid: str | None = None,
        sha256: str | None = None,
        dynamic: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.sid, self.sha256, self.dynamic = sid, sha256, dynamic
        self.copied: dict[str, Any] = {"params": {}, "metadata": {}}

    def source(self) -> Source:
        """The SHA-256, which the submission tells where that is given."""
        if bool(self.sid) == bool(self.sha256):
            raise ValueError("give either sid or sha256, exactly one of them")
        if self.sid:
            check_id("sid", self.sid, "a submission")
        checked_flag("dynamic", self.dynamic)
        return api.checked_source({"sha256": self.sha256}) if self.sha256 else self.copied.get("source", {})

    def start(self, context: Context) -> dict[str, Any]:
        """Look at the earlier submission, and submit its file."""
        if self.sid:
            document = self.hook.run(api.submission(self.sid))
            self.copied = {**api.copied_options(document), "source": {"sha256": document["files"][0]["sha256"]}}
        return super().start(context)

    def options(self) -> dict[str, Any]:
        """What was given, before what is taken over."""
        params = {**self.copied["params"], **(self.submission_params or {})}
        if self.submission_profile and "services" not in (self.submission_params or {}):
            params.pop("services", None)
        given = {
            "name": self.name or self.copied.get("name"),
            "metadata": {**self.copied["metadata"], **(self.metadata or {})},
            "params": api.for_dynamic_analysis(params) if checked_flag("dynamic", self.dynamic) else params,
            "submission_profile": self.submission_profile,
        }
        return {key: value for key, value in given.items() if value}
