"""What all operators share that hand something in and wait for its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import check_object
from self_hosted.core.assets import announce, asset_uri
from self_hosted.core.errors import ProductError
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import round_key
from self_hosted.core.waiting import WaitingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.assemblyline.api.sources import Source
    from self_hosted.core.question import Seen
else:
    api = when_used("self_hosted.assemblyline.api")

OPTIONS = ("submission_params", "metadata", "submission_profile")
LIMITS = ("fail_on_score", "fail_on_verdict", "assemblyline_conn_id")


class HandingInTask(WaitingOperator):
    """Hands something in, and waits for its verdict.

    :param submission_params: Assemblyline's ``params``
    :param metadata: own keys and values
    :param submission_profile: "static", "static_with_dynamic", ...
    :param fail_on_score: fail when ``max_score`` is this much or more
    :param fail_on_verdict: fail when the verdict is this or worse
    :param assemblyline_conn_id: the connection
    """

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)

    def __init__(
        self,
        *,
        submission_params: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        submission_profile: str | None = None,
        fail_on_score: int | str | None = None,
        fail_on_verdict: str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.submission_params, self.metadata = submission_params, metadata
        self.submission_profile = submission_profile
        self.fail_on_score, self.fail_on_verdict = fail_on_score, fail_on_verdict
        self.assemblyline_conn_id = assemblyline_conn_id


class SubmittingTask(HandingInTask):
    """Submits something, once over all tries, and waits for its verdict. A subclass has its `source`.

    :param name: the file's name in Assemblyline
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.SUBMISSION"

    def __init__(self, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name

    def source(self) -> Source:
        """What is submitted; `ValueError` names the argument that is wrong. Asks the server nothing."""
        raise NotImplementedError

    def check(self) -> None:
        """Validate the arguments."""
        api.check_limits(self.fail_on_score, self.fail_on_verdict)
        check_options(self.metadata, self.submission_params)
        self.source()

    def start(self, context: Context) -> dict[str, Any]:
        """Submit it, or find it submitted."""
        started = self.hook.run(
            api.submit_once(
                self.source(),
                self.options(),
                round_key(context),
                patience=float(self.wait_timeout),
                interrupted=self.interrupted,
            )
        )
        self.log.info("Waiting for submission %s", started["sid"])
        return started

    def options(self) -> dict[str, Any]:
        """What goes with it: name, metadata, params, submission_profile."""
        return given_options(self.name, self.metadata, self.submission_params, self.submission_profile)

    def key_of(self, started: dict[str, Any]) -> str | None:
        """The submission's id."""
        return str(started["sid"])

    def page_of(self, started: dict[str, Any]) -> str:
        """The submission's page."""
        return api.submission_url(self.hook.settings.address.base_url, started["sid"])

    def finish(self, context: Context, started: dict[str, Any], seen: Seen) -> dict[str, Any]:
        """The result, unless score or verdict are to fail the task."""
        if started.get("doubtful"):
            self.end_duplicates(round_key(context), started["sid"])
        found, url = {**started, "state": seen.state, **seen.facts}, self.page_of(started)
        warn_of_failed_services(self.log, f"submission {started['sid']}", found, url)
        result = api.judged(found, url, self.fail_on_score, self.fail_on_verdict)
        announce(context, self.hook, asset_uri(self.hook, "submission", started["sid"]), result)
        return result

    def end_duplicates(self, tag: str, sid: str) -> None:
        """End what else came of the submit whose answer was lost; that it cannot be ended does not spoil the result."""
        try:
            for other in self.hook.run(api.end_duplicates(tag, sid)):
                self.log.info("Ended submission %s, which was made twice: an answer had been lost", other)
        except ProductError as error:
            self.log.warning("Submissions made twice could not be ended: %s", error)


def check_options(metadata: Any, submission_params: Any) -> None:
    """Validate what goes with a submit or an ingest.

    :param metadata: own keys and values
    :param submission_params: Assemblyline's ``params``
    :raises ValueError: naming the argument
    """
    check_object("metadata", metadata)
    check_object("submission_params", submission_params)
    if api.TAG in (metadata or {}):
        raise ValueError(f"metadata must not hold {api.TAG!r}, by which the operator finds its submission again")
    api.check_params("submission_params", submission_params or {})


def given_options(
    name: str | None,
    metadata: dict[str, Any] | None,
    submission_params: dict[str, Any] | None,
    submission_profile: str | None,
) -> dict[str, Any]:
    """The options of a submit or an ingest, without those that are not given.

    :param name: the file's name in Assemblyline
    :param metadata: own keys and values
    :param submission_params: Assemblyline's ``params``
    :param submission_profile: its name
    """
    options = {
        "name": name,
        "metadata": metadata,
        "params": submission_params,
        "submission_profile": submission_profile,
    }
    return {key: value for key, value in options.items() if value}


def warn_of_failed_services(log: Any, what: str, found: dict[str, Any], url: str) -> None:
    """Say in the task's log that a verdict may be too good, since services failed. One line, or none.

    :param log: of the task
    :param what: such as "submission 5eD6BO"
    :param found: with ``error_count``
    :param url: of the submission's page, which tells which services
    """
    if found.get("error_count"):
        log.warning(
            "%s services failed on %s, so that its verdict may be too good: %s", found["error_count"], what, url
        )
