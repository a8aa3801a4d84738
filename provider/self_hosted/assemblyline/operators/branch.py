"""Branch on the verdict of a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from airflow.providers.standard.operators.branch import BranchMixIn

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.rated_results import UNKNOWN, list_results
from self_hosted.core.arguments import is_set, parse_id, parse_int, parse_str_list
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri
from self_hosted.core.tasks.lineage import record_input
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import waits
    from self_hosted.assemblyline.api.submissions import submissions, verdicts
else:
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")
    waits = lazy_import("self_hosted.assemblyline.waits")

log = get_logger(__name__)

RANKS = ("safe", "info", UNKNOWN, "suspicious", "highly_suspicious", "malicious")
"""The verdicts, the worst one last. A file without a verdict outweighs a safe one."""

REQUIRED_PATHS = ("malicious", "suspicious", "safe")
PATHS = (*REQUIRED_PATHS, "highly_suspicious", "error_path", "unknown")
LIMITS = ("suspicious_from", "malicious_from")


class AssemblylineVerdictBranchOperator(AssemblylineOperator, BranchMixIn):
    """Continues with some of its downstream tasks, by the verdict of a submission, and skips the others.

    With the result of a task that waited, reported or looked up, it sends no request. With an id, or the result of a
    task that did not wait, it reads the submission, ``GET /api/v4/submission/<sid>/``, and the server's score bands.

    :param submission: the result of a task, ``scan.output``, or of all instances of a mapped task; or the id of a
        completed submission. Of several submissions, the worst one counts
    :param malicious: id of the task or task group to continue with, or a list of them, for the verdict malicious
    :param suspicious: the same for suspicious
    :param safe: the same for safe and info
    :param highly_suspicious: the same for highly_suspicious; default: as ``malicious``
    :param error_path: the same, instead of ``safe``, if services failed: they might have found something. Default:
        failed services change nothing. A suspicious or malicious verdict is valid with failed services, too
    :param unknown: the same, instead of ``safe``, if a file has no verdict: no one knows the hash, an ingest has no
        submission, a file of many was skipped or failed, or there is no file. Default: the task fails
    :param malicious_from: the lowest malicious score, instead of the server's bands
    :param suspicious_from: the lowest suspicious score; set both limits or none. With them, no verdict is
        highly_suspicious
    :param assemblyline_conn_id: the Airflow connection
    :return: ids of the tasks that it continues with
    :raises AirflowFailException: for invalid arguments, and an unknown or cancelled submission
    :raises NotReadyError: if the submission is not completed yet
    """

    inherits_from_skipmixin = True
    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "submission",
        *PATHS,
        *LIMITS,
    )
    template_fields_renderers: ClassVar[dict[str, str]] = dict.fromkeys(("submission", *PATHS), "json")

    def __init__(
        self,
        *,
        submission: Mapping[str, Any] | Sequence[Any] | str | None,
        malicious: str | Sequence[str],
        suspicious: str | Sequence[str],
        safe: str | Sequence[str],
        highly_suspicious: str | Sequence[str] | None = None,
        error_path: str | Sequence[str] | None = None,
        unknown: str | Sequence[str] | None = None,
        malicious_from: int | str | None = None,
        suspicious_from: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.submission, self.malicious, self.suspicious, self.safe = submission, malicious, suspicious, safe
        self.highly_suspicious, self.error_path, self.unknown = highly_suspicious, error_path, unknown
        self.malicious_from, self.suspicious_from = malicious_from, suspicious_from

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        if not list_results(self.submission) and not self._parse_path("unknown"):
            raise ValueError(f"submission is missing or empty: {self.submission!r}; set unknown, the path of this case")
        for name in PATHS:
            if not self._parse_path(name) and name in REQUIRED_PATHS:
                raise ValueError(f"{name} must be the id of a downstream task, or a list of them")
        self._limits()

    def submit(self, context: Context) -> Any:
        """Choose the tasks to continue with, and skip the others.

        :param context: the context of the task
        """
        publish_link(context, self.base_url)
        rated = self._find_worst()
        sid, verdict = rated.get("sid"), rated["verdict"]
        if sid:
            publish_link(context, submissions.build_page_url(self.base_url, sid))
            record_input(self.hook, asset_uri(self.hook, "submission", str(sid)))
        chosen = self._choose(verdict, bool(rated["error_count"]))
        message = "Submission %s is %s, with a score of %s: continuing with %s"
        log.info(message, sid, verdict, rated.get("max_score"), ", ".join(chosen) or "no task")
        return self.do_branch(context, chosen)

    def _choose(self, verdict: str, has_errors: bool) -> list[str]:
        if verdict == UNKNOWN:
            return self._parse_path("unknown") or self._fail_without_path()
        if verdict in {"safe", "info"}:
            return (self._parse_path("error_path") if has_errors else []) or self._parse_path("safe")
        if verdict == "highly_suspicious":
            return self._parse_path("highly_suspicious") or self._parse_path("malicious")
        return self._parse_path(verdict)

    def _fail_without_path(self) -> NoReturn:
        raise ValueError("submission: a file has no verdict; set unknown, the path of this case")

    def _parse_path(self, name: str) -> list[str]:
        return parse_str_list(name, getattr(self, name))

    def _find_worst(self) -> dict[str, Any]:
        """Return the worst submission, with the errors of all."""
        rated = [self._rate(submission) for submission in list_results(self.submission)]
        worst = max(rated, key=lambda result: RANKS.index(result["verdict"]), default={"verdict": UNKNOWN})
        return {**worst, "error_count": sum(result.get("error_count") or 0 for result in rated)}

    def _rate(self, submission: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a submission with its verdict: by the limits, by the earlier task's result, or by the server."""
        limits, sid = self._limits(), submission.get("sid")
        if submission.get("malicious"):  # a look-up found the file on the badlist; that outweighs its score
            return {**submission, "verdict": "malicious"}
        is_rated = submission.get("verdict") in RANKS
        if submission.get("max_score") is None and (limits or not is_rated):
            sid = sid or self._find_sid(submission)
            if not sid:
                return {**submission, "verdict": "safe" if submission.get("verdict") == "safe" else UNKNOWN}
            submission = self.hook.run(submissions.get_completed(str(sid)))
        if limits:
            return {**submission, "verdict": _rate_by_limits(submission["max_score"], *limits)}
        if is_rated:
            return submission
        return {
            **submission,
            "verdict": verdicts.classify(submission["max_score"], self.hook.run(verdicts.get_bands())),
        }

    def _find_sid(self, submission: Mapping[str, Any]) -> str | None:
        """Return the submission of an ingest that the earlier task did not wait for; None if there is none."""
        if "ingest_id" not in submission:
            return None
        ingest_id = parse_id("submission: ingest_id", submission["ingest_id"], "an ingest")
        key = waits.build_ingest_key(ingest_id, submission.get("sha256"))
        observation = self.hook.run(waits.refresh_ingests([key])).get(key)
        return observation.details.get("sid") if observation else None

    def _limits(self) -> tuple[int, int] | None:
        """Return the lowest suspicious and the lowest malicious score, if they are set."""
        missing = [not is_set(getattr(self, name)) for name in LIMITS]
        if all(missing):
            return None
        if any(missing):
            raise ValueError(f"set both {' and '.join(LIMITS)}, or none of them")
        suspicious, malicious = (parse_int(name, getattr(self, name), minimum=0) for name in LIMITS)
        if suspicious > malicious:
            raise ValueError(f"suspicious_from ({suspicious}) must not be more than malicious_from ({malicious})")
        return suspicious, malicious


def _rate_by_limits(score: int, suspicious_from: int, malicious_from: int) -> str:
    return "malicious" if score >= malicious_from else "suspicious" if score >= suspicious_from else "safe"
