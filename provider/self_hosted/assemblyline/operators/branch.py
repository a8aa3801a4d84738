"""Going on by a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.standard.operators.branch import BranchMixIn

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import checked_number, checked_texts
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

LIMITS = ("suspicious_from", "malicious_from")


class AssemblylineVerdictBranchOperator(ProductOperator, BranchMixIn):
    """Goes on with some of the tasks after it, by the verdict on a submission, and skips the others.

    Given the result of a task that submitted, waited, reported or looked up, it asks nobody. Given an id it asks for
    the submission, ``GET /api/v4/submission/<sid>/``, and for the bands the server is set to.

    :param submission: the result of a task, ``scan.output``, or the id of a submission that is completed
    :param malicious: task or task group to go on with, or a list of them; for the verdict malicious
    :param suspicious: the same for suspicious
    :param safe: the same for safe and info
    :param highly_suspicious: the same for highly_suspicious; by default what ``malicious`` says
    :param error_path: the same instead of ``safe`` when services failed, since they might have found something. By
        default failed services change nothing; a suspicious or malicious verdict stands whatever failed
    :param malicious_from: the least score that is malicious, instead of the server's bands
    :param suspicious_from: the least score that is suspicious; give both limits or none. By these nothing is
        highly_suspicious
    :param assemblyline_conn_id: the connection

    It has no result; as with every branch of Airflow's, its XCom ``skipmixin_key`` tells what was skipped.

    :raises AirflowFailException: for wrong arguments, and a submission that does not exist or was cancelled
    :raises Overdue: when it is not completed yet
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    inherits_from_skipmixin = True
    template_fields: Sequence[str] = (
        "submission",
        "malicious",
        "suspicious",
        "safe",
        "highly_suspicious",
        "error_path",
        *LIMITS,
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        submission: Mapping[str, Any] | str,
        malicious: str | Sequence[str],
        suspicious: str | Sequence[str],
        safe: str | Sequence[str],
        highly_suspicious: str | Sequence[str] | None = None,
        error_path: str | Sequence[str] | None = None,
        malicious_from: int | str | None = None,
        suspicious_from: int | str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.submission, self.malicious, self.suspicious, self.safe = submission, malicious, suspicious, safe
        self.highly_suspicious, self.error_path = highly_suspicious, error_path
        self.malicious_from, self.suspicious_from = malicious_from, suspicious_from
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        given = self.submission
        if not (isinstance(given, Mapping) and given.get("sid")) and (not isinstance(given, str) or not given):
            raise ValueError(f"submission must be the result of a task, such as scan.output, or an id, not {given!r}")
        if isinstance(given, str) and given.startswith("{"):
            raise ValueError("submission is the text of a result; pass the result itself, such as scan.output")
        for name in ("malicious", "suspicious", "safe"):
            if not checked_texts(name, getattr(self, name)):
                raise ValueError(f"{name} must be the id of a task after this one, or a list of them")
        self._limits()

    def start(self, context: Context) -> dict[str, Any]:
        """Choose, and skip the others."""
        found = self._judged()
        publish_link(context, api.submission_url(self.hook.settings.address.base_url, found["sid"]))
        chosen = self._path(found["verdict"], bool(found.get("error_count")))
        self.log.info("Submission %s is %s, with a score of %s", found["sid"], found["verdict"], found.get("max_score"))
        return self.do_branch(context, chosen)  # type: ignore[return-value]  # the ids of the tasks

    def _path(self, verdict: str, failed: bool) -> list[str]:
        if verdict in {"safe", "info"}:
            return checked_texts("error_path", self.error_path if failed and self.error_path else self.safe)
        if verdict == "highly_suspicious":
            return checked_texts("highly_suspicious", self.highly_suspicious or self.malicious)
        return checked_texts(verdict, getattr(self, verdict))

    def _judged(self) -> Mapping[str, Any]:
        """The submission with its verdict: by the limits given, else as the task before said, else by the server."""
        found: Mapping[str, Any] = self.submission if isinstance(self.submission, Mapping) else {"sid": self.submission}
        limits, judged = self._limits(), str(found.get("verdict")) in {"safe", *api.VERDICTS}
        if found.get("malicious"):  # what a look-up says of a file that is on the badlist, whatever its score
            return {**found, "verdict": "malicious"}
        if found.get("max_score") is None and (limits or not judged):
            found = self.hook.run(api.completed_submission(str(found["sid"])))
        if limits:
            return {**found, "verdict": self._by_limits(found["max_score"], limits)}
        if judged:
            return found
        return {**found, "verdict": api.verdict_of(found["max_score"], self.hook.run(api.verdict_bands()))}

    @staticmethod
    def _by_limits(score: int, limits: tuple[int, int]) -> str:
        suspicious_from, malicious_from = limits
        return "malicious" if score >= malicious_from else "suspicious" if score >= suspicious_from else "safe"

    def _limits(self) -> tuple[int, int] | None:
        given = [value for value in (getattr(self, name) for name in LIMITS) if value not in {None, ""}]
        if not given:
            return None
        if len(given) == 1:
            raise ValueError(f"give both {' and '.join(LIMITS)}, or none of them")
        suspicious, malicious = (checked_number(name, getattr(self, name), least=0) for name in LIMITS)
        if suspicious > malicious:
            raise ValueError(f"suspicious_from must not be more than malicious_from, and {suspicious} is")
        return suspicious, malicious
