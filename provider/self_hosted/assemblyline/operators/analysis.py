"""The base of every operator that sends something for analysis and waits for the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.assemblyline.operators.service_failures import log_service_failures
from self_hosted.core.arguments import is_set, parse_object
from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Upload
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.back_link import BackLinkingOperator
from self_hosted.core.tasks.job_state import build_fingerprint
from self_hosted.core.tasks.operator import idempotency_key, publish_link
from self_hosted.core.tasks.waiting_operator import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.search import lucene, search
    from self_hosted.assemblyline.api.submissions import (
        contents,
        idempotency,
        intake,
        submissions,
        validation,
        verdicts,
    )
    from self_hosted.assemblyline.api.submissions.contents import Content
    from self_hosted.assemblyline.api.submissions.idempotency import TaggedSubmission as TaggedDocument
    from self_hosted.assemblyline.api.submissions.sources import Source
    from self_hosted.assemblyline.api.submissions.types import AnalysisResult
    from self_hosted.core.wait.observation import Observation
else:
    lucene = lazy_import("self_hosted.assemblyline.api.search.lucene")
    search = lazy_import("self_hosted.assemblyline.api.search.search")
    contents = lazy_import("self_hosted.assemblyline.api.submissions.contents")
    idempotency = lazy_import("self_hosted.assemblyline.api.submissions.idempotency")
    intake = lazy_import("self_hosted.assemblyline.api.submissions.intake")
    submissions = lazy_import("self_hosted.assemblyline.api.submissions.submissions")
    validation = lazy_import("self_hosted.assemblyline.api.submissions.validation")
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")


log = get_logger(__name__)


class TaggedSubmission(TypedDict):
    """A submission that a task started, or found.

    :param sid: id of the submission
    :param sha256: see `intake.Submitted`
    :param doubtful: see `intake.Submitted`
    :param tag: see `AnalysisOperator.tag`
    """

    sid: str
    sha256: str | None
    doubtful: bool
    tag: str


class SubmittedResult(TypedDict):
    """The result of a task that does not wait; as an argument ``sid`` it fits the sensor and other operators.

    :param sid: id of the submission
    :param sha256: SHA-256 of the submitted file; None if the server does not show it
    :param state: "submitted"
    :param tag: the value of ``airflow_task`` in the submission's metadata
    :param url: page of the submission
    """

    sid: str
    sha256: str | None
    state: str
    tag: str
    url: str


class AnalysisOperator(BackLinkingOperator, AssemblylineOperator, WaitingOperator):
    """Sends something for analysis and waits for the verdict. The metadata of submissions name the task.

    :param submission_params: Assemblyline's ``params``
    :param metadata: own keys and values
    :param submission_profile: "static", "static_with_dynamic", ...
    :param fail_on_score: fail if ``max_score`` is at least this
    :param fail_on_verdict: fail if the verdict is this or worse
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        *WaitingOperator.template_fields,
        *BackLinkingOperator.template_fields,
        "submission_params",
        "metadata",
        "submission_profile",
        "fail_on_score",
        "fail_on_verdict",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"submission_params": "json", "metadata": "json"}

    def __init__(
        self,
        *,
        submission_params: Mapping[str, Any] | str | None = None,
        metadata: Mapping[str, Any] | str | None = None,
        submission_profile: str | None = None,
        fail_on_score: int | str | None = None,
        fail_on_verdict: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.submission_params, self.metadata = submission_params, metadata
        self.submission_profile = submission_profile
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        verdicts.check_limits(self.fail_on_score, self.text("fail_on_verdict"))
        if not self.wait_options.wait_for_completion and (is_set(self.fail_on_score) or self.text("fail_on_verdict")):
            raise ValueError(
                "fail_on_score and fail_on_verdict need wait_for_completion=True: without a wait there is no verdict"
            )
        metadata = self._metadata()
        if idempotency.METADATA_KEY in metadata:
            raise ValueError(
                f"metadata must not hold {idempotency.METADATA_KEY!r}: the operator finds its submission by this key"
            )
        self._params()
        self.text("submission_profile")

    def list_page(self) -> str:
        """Return the page that lists the submissions of this task; without ``back_link``, of all tasks."""
        if self.origin is None:
            return f"{self.base_url}/submissions"
        names = ("airflow_dag_id", "airflow_run_id", "airflow_task_id")
        metadata = self.origin.as_metadata()
        query = " AND ".join(f"metadata.{name}:{lucene.quote(metadata[name])}" for name in names)
        return search.build_page_url(self.base_url, "submission", query)

    def options(self) -> dict[str, Any]:
        """Return the options of the request: ``{metadata, params, submission_profile}``, without empty ones."""
        options = {
            "metadata": {**(self.origin.as_metadata() if self.origin else {}), **self._metadata()},
            "params": self._params(),
            "submission_profile": self.text("submission_profile"),
        }
        return {name: value for name, value in options.items() if value}

    def identify_content(self) -> Any:
        """Return JSON that differs if what is sent differs. It sends no request, and reads no file."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        """Return a digest of what affects the verdicts: the content, and the options of its analysis."""
        return build_fingerprint([self.identify_content(), self._analysis_options()])

    def tag(self, context: Context, content: Any) -> str:
        """Return the tag of a submission: another one if a user clears the task, or if the content or options differ.

        :param context: the context of the task
        :param content: identifies what is sent, as JSON
        """
        return build_fingerprint([idempotency_key(context), content, self._analysis_options()])

    def find_many(self, requests: Mapping[str, Content]) -> dict[str, TaggedDocument]:
        """Return the submissions of an earlier try, by tag, see `idempotency.get_many`.

        :param requests: the content of each submission, by tag
        """
        flow = idempotency.get_many(requests, previous_attempt_unknown=self.previous_attempt_unknown)
        found = self.hook.run(flow) if requests else {}
        for reason in (reason for content in requests.values() for reason in content.left_alone.values()):
            log.warning("%s", reason)
        return found

    def cancel_duplicates(self, sids: Mapping[str, str]) -> None:
        """Cancel the duplicates that a lost response caused. A failure is logged, and does not affect the result.

        :param sids: the submissions to keep, by tag
        """
        has_waited = self.wait_options.wait_for_completion  # so long that all duplicates have appeared
        end = idempotency.end_all_duplicates if has_waited else idempotency.end_late_duplicates
        try:
            if sids:
                self.hook.run(end(sids))
        except SelfHostedError as error:
            log.warning("Duplicate submissions could not be cancelled: %s", error)

    def _analysis_options(self) -> Any:
        params = self._params()
        return self.text("submission_profile"), {
            name: params[name] for name in contents.VERDICT_PARAMS if name in params
        }

    def _metadata(self) -> dict[str, Any]:
        return parse_object("metadata", self.metadata)

    def _params(self) -> dict[str, Any]:
        return validation.parse_params("submission_params", parse_object("submission_params", self.submission_params))


class SubmitOperator(AnalysisOperator):
    """Submits something, exactly once over all tries, and waits for its verdict. A subclass returns its `source`.

    :param name: the file's name in Assemblyline
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.SUBMISSION"
    template_fields: Sequence[str] = (*AnalysisOperator.template_fields, "name")

    def __init__(self, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name

    def source(self) -> Source:
        """Return the object to submit. It sends no request.

        :raises ValueError: naming the invalid argument
        """
        raise NotImplementedError

    def identify_content(self) -> Any:
        """Return the object to submit; of a file its name and size: a submission of another content is recognized."""
        source = self.source()
        return [source.filename, source.size] if isinstance(source, Upload) else source

    def options(self) -> dict[str, Any]:
        """Return the options of the submit: ``{name, metadata, params, submission_profile}``, without empty ones."""
        name = self.text("name")
        return {**({"name": name} if name else {}), **super().options()}

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        self.text("name")
        self.source()

    def submit(self, context: Context) -> TaggedSubmission:
        """Submit it, or find the submission of an earlier try.

        :param context: the context of the task
        :raises ConcurrencyQuotaError: if the quota on running submissions stays full for ``wait_timeout`` seconds
        """
        publish_link(context, self.list_page())
        tag = self.tag(context, self.identify_content())
        submitted = self.hook.run(
            intake.submit_once(
                self.source(),
                self.options(),
                tag,
                quota_timeout=self.wait_options.wait_timeout,
                previous_attempt_unknown=self.previous_attempt_unknown,
            )
        )
        for reason in submitted["left_alone"]:
            log.warning("%s; this task uses %s", reason, submitted["sid"])
        return TaggedSubmission(
            sid=submitted["sid"], sha256=submitted["sha256"], doubtful=submitted["doubtful"], tag=tag
        )

    def external_id(self, submitted: TaggedSubmission) -> str | None:
        """Return the submission's id.

        :param submitted: the result of `submit`
        """
        return str(submitted["sid"])

    def external_url(self, submitted: TaggedSubmission) -> str:
        """Return the submission's page.

        :param submitted: the result of `submit`
        """
        return submissions.build_page_url(self.base_url, submitted["sid"])

    def external_asset(self, submitted: TaggedSubmission) -> Sequence[str]:
        """Return type and id of the submission.

        :param submitted: the result of `submit`
        """
        return "submission", submitted["sid"]

    def build_submitted_result(self, context: Context, submitted: TaggedSubmission) -> SubmittedResult:
        """Return the result without a wait, and emit it as an asset.

        :param context: the context of the task
        :param submitted: the result of `submit`
        """
        sid, sha256, tag = submitted["sid"], submitted["sha256"], submitted["tag"]
        self._cancel_own_duplicates(submitted)
        url = self.external_url(submitted)
        result = SubmittedResult(sid=sid, sha256=sha256, state="submitted", tag=tag, url=url)
        emit_asset(context, self.hook, asset_uri(self.hook, "submission", sid), result)
        return result

    def build_result(self, context: Context, submitted: TaggedSubmission, observation: Observation) -> AnalysisResult:
        """Return the result, and emit it as an asset.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param observation: the last observation
        :raises PermanentError: if the analysis failed, or the score or verdict reached a limit
        """
        self._cancel_own_duplicates(submitted)
        sid, url = submitted["sid"], self.external_url(submitted)
        outcome = {"sid": sid, "state": observation.state, **observation.details}
        log_service_failures(log, f"submission {sid}", outcome.get("error_count"), url)
        result = verdicts.judge(outcome, url, self.fail_on_score, self.text("fail_on_verdict"))
        emit_asset(context, self.hook, asset_uri(self.hook, "submission", sid), result)
        return result

    def _cancel_own_duplicates(self, submitted: TaggedSubmission) -> None:
        if submitted["doubtful"]:
            self.cancel_duplicates({submitted["tag"]: submitted["sid"]})
