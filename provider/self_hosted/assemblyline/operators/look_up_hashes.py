"""Look up files by their hashes, and submit the unknown ones."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from self_hosted.assemblyline.operators.analysis import AnalysisOperator
from self_hosted.assemblyline.operators.hash_reports import (
    HashesResult,
    HashReport,
    build_hashes_result,
    find_worst,
    is_unknown,
)
from self_hosted.assemblyline.operators.list_input import ListInputOperator
from self_hosted.assemblyline.operators.references import parse_hashes
from self_hosted.assemblyline.operators.service_failures import log_service_failures
from self_hosted.core.arguments import parse_bool, parse_str_list
from self_hosted.core.http.errors import NotFoundError, PermanentError
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_assets
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api.files import hash_kinds, reputation
    from self_hosted.assemblyline.api.submissions import contents, intake, verdicts
    from self_hosted.core.wait.pending import Outcome
else:
    hash_kinds = lazy_import("self_hosted.assemblyline.api.files.hash_kinds")
    reputation = lazy_import("self_hosted.assemblyline.api.files.reputation")
    contents = lazy_import("self_hosted.assemblyline.api.submissions.contents")
    intake = lazy_import("self_hosted.assemblyline.api.submissions.intake")
    verdicts = lazy_import("self_hosted.assemblyline.api.submissions.verdicts")

log = get_logger(__name__)

MAX_HASHES = 500


class AssemblylineLookUpHashesOperator(ListInputOperator, AnalysisOperator):
    """Looks up whether files are known, and how bad they are, by their hashes; ``POST /api/v4/search/<index>/``.

    A few searches look up all hashes in the indexes of files, submissions, results, badlist and safelist. An unknown
    file is a result, not a failure.

    With ``submit_if_unknown``, the files that have no recent result and are on no list are submitted by their hashes,
    if the server has them, or finds them in the external sources that ``submission_params`` name. The task waits for
    their verdicts. It makes one submission per file, and cancels it under the same conditions as
    `AssemblylineSubmitFileOperator`.

    :param hashes: a hash, or a list of up to 500: SHA-256, SHA-1, MD5, ssdeep or TLSH, in any case; duplicates count
        once. Results of other tasks with hashes are valid, too, such as that of a retrohunt
    :param fail_on_empty: whether an empty list fails the task; default: False
    :param max_age: the maximum age of a result, such as "12h" or "30d"; default: no limit
    :param sources: external sources to query, such as "x.virustotal"; one request per hash
    :param submit_if_unknown: whether to submit unknown files; default: False
    :param fail_on_unknown: whether a file that is still unknown at the end fails the task; default: False
    :param submission_params: Assemblyline's ``params`` of the submissions; ``default_external_sources`` names where the
        server looks for files that it does not have
    :param metadata: own keys and values of the submissions
    :param submission_profile: "static", ...; required without the role submission_customize
    :param fail_on_score: fail if the ``max_score`` of a file is at least this
    :param fail_on_verdict: fail if the verdict of a file is this or worse: info, suspicious, highly_suspicious,
        malicious; a file that is malicious by the badlist or a source counts as malicious
    :param assemblyline_conn_id: the Airflow connection
    :return: `HashesResult`
    :raises AirflowFailException: for invalid arguments, a rejected submission, a reached limit, and an unknown file
    """

    wait_spec: ClassVar[str] = "self_hosted.assemblyline.waits.SUBMISSION"
    template_fields: Sequence[str] = (
        *AnalysisOperator.template_fields,
        "fail_on_empty",
        "hashes",
        "max_age",
        "sources",
        "submit_if_unknown",
        "fail_on_unknown",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **AnalysisOperator.template_fields_renderers,
        "hashes": "json",
        "sources": "json",
    }

    def __init__(
        self,
        *,
        hashes: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]],
        max_age: str | None = None,
        sources: str | Sequence[str] | None = None,
        submit_if_unknown: bool | str = False,
        fail_on_unknown: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.hashes, self.max_age, self.sources = hashes, max_age, sources
        self.submit_if_unknown, self.fail_on_unknown = submit_if_unknown, fail_on_unknown

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        reputation.check_age(self.text("max_age"))
        parse_bool("submit_if_unknown", self.submit_if_unknown)
        parse_bool("fail_on_unknown", self.fail_on_unknown)
        hashes = self._unique_hashes()
        self.check_not_empty({"hashes": self.hashes}, hashes)
        if len(hashes) > MAX_HASHES:
            raise ValueError(f"hashes must be at most {MAX_HASHES}, not {len(hashes)}: map the task over more")

    def identify_content(self) -> Any:
        """Return the hashes, and how they are looked up."""
        hashes = sorted(map(_normalize, self._unique_hashes()))
        sources = parse_str_list("sources", self.sources)
        return hashes, self.text("max_age"), sources, parse_bool("submit_if_unknown", self.submit_if_unknown)

    def submit(self, context: Context) -> dict[str, Any]:
        """Look up all hashes, and submit the unknown files.

        :param context: the context of the task
        """
        publish_link(context, self.list_page())
        sources = parse_str_list("sources", self.sources)
        hashes = self._unique_hashes()
        findings = self.hook.run(reputation.look_up(hashes, self.text("max_age"), sources)) if hashes else []
        reports: list[dict[str, Any]] = [{**finding, "submitted": False} for finding in findings]
        if parse_bool("submit_if_unknown", self.submit_if_unknown):
            self._submit_unknown(context, [report for report in reports if is_unknown(report)])
        return {"hashes": reports}

    def _submit_unknown(self, context: Context, reports: Sequence[dict[str, Any]]) -> None:
        """Submit files one after the other, each as soon as the quota allows it, and update their reports."""
        tags = [self.tag(context, _normalize(report["hash"])) for report in reports]
        deadline = self._deadline(time.time())
        sids: list[str] = []
        with self.cancelling_on_end(context, lambda: sids):
            sent = self._find_sent({tag: report["hash"] for tag, report in zip(tags, reports, strict=True)})
            for report, tag in zip(reports, tags, strict=True):
                report["tag"] = tag
                if tag in sent:
                    report.update(sid=sent[tag], submitted=True, doubtful=True)
                else:
                    report.update(self._submit_hash(report["hash"], tag, deadline))
                if report["submitted"]:
                    sids.append(report["sid"])

    def _find_sent(self, hashes: Mapping[str, str]) -> dict[str, str]:
        """Return the submissions of an earlier try, by tag."""
        # to compare another kind of hash would cost a request each; the tag depends on the hash already
        sources = {tag: hash_kinds.identify(hash_) for tag, hash_ in hashes.items()}
        requests = {tag: contents.Content(source if "sha256" in source else None) for tag, source in sources.items()}
        return {tag: submission["sid"] for tag, submission in self.find_many(requests).items()}

    def _submit_hash(self, hash_: str, tag: str, deadline: float) -> dict[str, Any]:
        seconds_left = max(0.0, deadline - time.time())
        submit = intake.submit_once(hash_kinds.identify(hash_), self.options(), tag, quota_timeout=seconds_left)
        try:
            submitted = self.hook.run(submit)
            return {"sid": submitted["sid"], "doubtful": submitted["doubtful"], "submitted": True}
        except NotFoundError:
            log.info("Neither the server nor a source has the file of %s", hash_)
            return {}

    def external_ids(self, submitted: dict[str, Any]) -> list[str]:
        """Return the ids of the submissions.

        :param submitted: the result of `submit`
        """
        return [report["sid"] for report in submitted["hashes"] if report["submitted"]]

    def external_url(self, submitted: dict[str, Any]) -> str:
        """Return the page of the worst file so far.

        :param submitted: the result of `submit`
        """
        return self._page_url(find_worst(submitted["hashes"]))

    def build_combined_result(
        self, context: Context, submitted: dict[str, Any], outcomes: Mapping[str, Outcome]
    ) -> HashesResult:
        """Return the result.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :param outcomes: by submission id
        :raises PermanentError: if an analysis failed, a file reached a limit, or is unknown and must not be
        """
        for report in submitted["hashes"]:
            if report["submitted"]:
                self._add_outcome(report, outcomes[report["sid"]])
        return self.build_submitted_result(context, submitted)

    def build_submitted_result(self, context: Context, submitted: dict[str, Any]) -> HashesResult:
        """Return the result as far as it is known without a wait; ``pending`` lists the submissions.

        :param context: the context of the task
        :param submitted: the result of `submit`
        :raises PermanentError: if a file reached a limit, or is unknown and must not be
        """
        doubtful = [report for report in submitted["hashes"] if report.get("doubtful")]
        self.cancel_duplicates({report["tag"]: report["sid"] for report in doubtful})
        reports = [self._complete_report(report) for report in submitted["hashes"]]
        own = {report["sid"]: report for report in reports if report["submitted"]}
        assets = {asset_uri(self.hook, "submission", str(sid)): report for sid, report in own.items()}
        emit_assets(context, self.hook, assets, asset_uri(self.hook, "submission"), {"submitted": len(assets)})
        unknown = [report["hash"] for report in reports if is_unknown(report)]
        self._check_limits(reports, unknown)
        return build_hashes_result(reports, unknown, self.base_url)

    def _add_outcome(self, report: dict[str, Any], outcome: Outcome) -> None:
        """Update a report with the outcome of its submission."""
        if isinstance(outcome, Exception):
            raise outcome
        details, url = dict(outcome.details), self._page_url(report)
        log_service_failures(log, f"submission {report['sid']}", details.get("error_count"), url)
        if outcome.state != "completed":
            raise PermanentError(f"submission {report['sid']} ended as {outcome.state!r}: {url}")
        report.update({name: details[name] for name in ("verdict", "max_score", "error_count")}, known=True)
        report["sha256"] = report["sha256"] or details["sha256"]
        report["malicious"] |= details["verdict"] == "malicious"

    def _complete_report(self, report: Mapping[str, Any]) -> HashReport:
        own = {name: value for name, value in report.items() if name not in {"doubtful", "tag"}}
        return cast("HashReport", {**own, "url": self._page_url(report)})

    def _check_limits(self, reports: Sequence[HashReport], unknown: Sequence[str]) -> None:
        for report in reports:
            verdict = "malicious" if report["malicious"] else report["verdict"] or "safe"
            if verdicts.exceeds_limits(
                report["max_score"] or 0, verdict, self.fail_on_score, self.text("fail_on_verdict")
            ):
                score = report["max_score"]
                raise PermanentError(f"{report['hash']} is {verdict}, with a score of {score}: {report['url']}")
        if unknown and parse_bool("fail_on_unknown", self.fail_on_unknown):
            raise PermanentError(f"{len(unknown)} of {len(reports)} files are unknown, such as {unknown[0]}")

    def _unique_hashes(self) -> list[str]:
        """Return each hash once: a duplicate would make a second submission."""
        hashes = parse_hashes("hashes", self.hashes)
        try:
            return list({_normalize(hash_): hash_ for hash_ in hashes}.values())
        except ValueError as error:
            raise ValueError(f"hashes: {error}") from None

    def _page_url(self, report: Mapping[str, Any]) -> str:
        return reputation.build_page_url(self.base_url, report)


def _normalize(hash_: str) -> str:
    """Return a hash in the case that the server uses."""
    [value] = hash_kinds.identify(hash_).values()
    return value
