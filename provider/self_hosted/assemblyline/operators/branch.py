"""Branch on the verdict of a submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.branch import BranchMixIn

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import (
    MISSING_RESULT,
    is_set,
    parse_bool,
    parse_id,
    parse_int,
    parse_object,
    parse_str_list,
)
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.submissions import submissions, verdicts
else:
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")

LIMITS = ("suspicious_from", "malicious_from")


class AssemblylineVerdictBranchOperator(AssemblylineOperator, BranchMixIn):
    """Continues with some of its downstream tasks, by the verdict of a submission, and skips the others.

    With the result of a task that submitted, waited, reported or looked up, it sends no request. With an id, it reads
    the submission, ``GET /api/v4/submission/<sid>/``, and the server's bands of scores.

    :param submission: the result of a task, ``scan.output``, or the id of a completed submission
    :param malicious: id of the task or task group to continue with, or a list of them, for the verdict malicious
    :param suspicious: the same for suspicious
    :param safe: the same for safe and info
    :param highly_suspicious: the same for highly_suspicious; default: as ``malicious``
    :param error_path: the same, instead of ``safe``, if services failed: they might have found something. Default:
        failed services change nothing. A suspicious or malicious verdict is valid with failed services, too
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
        "malicious",
        "suspicious",
        "safe",
        "highly_suspicious",
        "error_path",
        *LIMITS,
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.submission, self.malicious, self.suspicious, self.safe = submission, malicious, suspicious, safe
        self.highly_suspicious, self.error_path = highly_suspicious, error_path
        self.malicious_from, self.suspicious_from = malicious_from, suspicious_from

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        self._submission()
        for name in ("malicious", "suspicious", "safe"):
            if not self._parse_path(name):
                raise ValueError(f"{name} must be the id of a downstream task, or a list of them")
        for name in ("highly_suspicious", "error_path"):
            self._parse_path(name)
        self._limits()

    def submit(self, context: Context) -> Any:
        """Choose the tasks to continue with, and skip the others.

        :param context: the context of the task
        """
        rated = self._rate()
        publish_link(context, submissions.build_page_url(self.base_url, rated["sid"]))
        self.log.info("Submission %s is %s, with a score of %s", rated["sid"], rated["verdict"], rated.get("max_score"))
        return self.do_branch(context, self._choose(rated["verdict"], bool(rated.get("error_count"))))

    def _choose(self, verdict: str, has_errors: bool) -> list[str]:
        if verdict in {"safe", "info"}:
            return (self._parse_path("error_path") if has_errors else []) or self._parse_path("safe")
        if verdict == "highly_suspicious":
            return self._parse_path("highly_suspicious") or self._parse_path("malicious")
        return self._parse_path(verdict)

    def _parse_path(self, name: str) -> list[str]:
        return parse_str_list(name, getattr(self, name))

    def _submission(self) -> dict[str, Any]:
        """Return the submission as far as it is known: at least its id."""
        if isinstance(self.submission, str) and not self.submission.lstrip().startswith("{"):
            return {"sid": parse_id("submission", self.submission, "a submission, or the result of a task")}
        submission = _parse_result(parse_object("submission", self.submission))
        if not submission.get("sid"):
            raise ValueError("submission must be an id, or the result of a task with a sid, such as scan.output")
        return submission

    def _rate(self) -> Mapping[str, Any]:
        """Return the submission with its verdict: by the limits, by the earlier task's result, or by the server."""
        submission, limits = self._submission(), self._limits()
        is_rated = str(submission.get("verdict")) in {"safe", *verdicts.VERDICTS}
        if submission.get("malicious"):  # a look-up found the file on the badlist; that outweighs its score
            return {**submission, "verdict": "malicious"}
        if submission.get("max_score") is None and (limits or not is_rated):
            submission = self.hook.run(submissions.get_completed(str(submission["sid"])))
        if limits:
            return {**submission, "verdict": _rate_by_limits(submission["max_score"], *limits)}
        if is_rated:
            return submission
        return {
            **submission,
            "verdict": verdicts.classify(submission["max_score"], self.hook.run(verdicts.get_bands())),
        }

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


def _parse_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's result; in a mapping of templates, its values are text."""
    present = {name: value for name, value in result.items() if is_set(value) and value != MISSING_RESULT}
    parsers = {"max_score": _parse_number, "error_count": _parse_number, "malicious": _parse_malicious}
    return {**present, **{name: parse(name, present[name]) for name, parse in parsers.items() if name in present}}


def _parse_number(name: str, value: Any) -> int:
    return parse_int(f"submission: {name}", value, minimum=verdicts.MIN_SCORE)


def _parse_malicious(name: str, value: Any) -> bool:
    """Return whether a look-up found a malicious file: its result has their number, a report of one file a boolean."""
    is_number = str(value).strip().isdigit()
    return _parse_number(name, value) > 0 if is_number else parse_bool(f"submission: {name}", value)


def _rate_by_limits(score: int, suspicious_from: int, malicious_from: int) -> str:
    return "malicious" if score >= malicious_from else "suspicious" if score >= suspicious_from else "safe"
