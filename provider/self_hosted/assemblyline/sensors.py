"""What a DAG waits for in Assemblyline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.core.lazy import when_used
from self_hosted.core.sensor import ProductSensor
from self_hosted.core.wait import Seen

if TYPE_CHECKING:
    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")


class AssemblylineSubmissionSensor(ProductSensor):
    """Waits until a submission is completed, whoever made it; ``POST /api/v4/search/submission/``.

    :param sid: its id
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse: info, suspicious, highly_suspicious, malicious
    :param assemblyline_conn_id: the connection

    The result is ``{sid, state, max_score, verdict, file_count, error_count, url}``, as with the operator that submits.

    :raises AirflowFailException: for wrong arguments, a submission that does not exist, and a score or verdict to
        fail on
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.SUBMISSION"
    template_fields: Sequence[str] = ("sid", "fail_on_score", "fail_on_verdict", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        sid: str,
        fail_on_score: int | str | None = None,
        fail_on_verdict: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sid, self.assemblyline_conn_id = sid, assemblyline_conn_id
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict

    def check(self) -> None:
        """Validate the arguments."""
        if not self.sid or not isinstance(self.sid, str):
            raise ValueError(f"sid must be the id of a submission, not {self.sid!r}")
        api.check_limits(self.fail_on_score, self.fail_on_verdict)

    def key(self) -> str:
        """The submission's id."""
        return self.sid

    def finish(self, seen: Seen) -> dict[str, Any]:
        """The result, unless score or verdict are to fail the task."""
        found = {"sid": self.sid, "state": seen.state, **seen.facts}
        url = api.submission_url(self.hook.settings.address.base_url, self.sid)
        return self.hook.run(api.judged(found, url, self.fail_on_score, self.fail_on_verdict))
