"""Looking files up by their hashes, and submitting those that nothing is known of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.operators.submitting import (
    LIMITS,
    OPTIONS,
    SubmittingTask,
    check_options,
    warn_of_failed_services,
)
from self_hosted.core.arguments import checked_flag, checked_texts
from self_hosted.core.errors import Final, NotFound
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import round_key

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.core.wait import Outcome
else:
    api = when_used("self_hosted.assemblyline.api")

MOST = 500


class AssemblylineHashLookupOperator(SubmittingTask):
    """Looks files up by their hashes: are they known, and how bad were they? ``POST /api/v4/search/<index>/``.

    All hashes are looked for by a few searches of the indexes of files, submissions, results, badlist and safelist.
    That nothing is known of a file is a result, and no failure.

    With ``submit_if_unknown``, files without a result that counts, and in neither list, are submitted by their hash and
    their verdicts waited for: what the server has, or gets from the external sources that ``submission_params`` name.
    Of a file that nobody has, nothing is known then either. Each submission is made once however often the task is
    tried, and cancelled as that of `AssemblylineSubmitFileOperator` is.

    :param hashes: a hash, or a list of up to 500: SHA-256, SHA-1, MD5, ssdeep or TLSH, in any case; one that is there
        twice counts once
    :param max_age: how old a result may be to count, such as "12h" or "30d"; by default any age
    :param sources: sources to ask besides, such as "x.virustotal"; one request for each hash
    :param submit_if_unknown: whether to submit what nothing is known of
    :param fail_on_unknown: fail when nothing is known of a file in the end
    :param submission_params: Assemblyline's ``params`` of what is submitted; ``default_external_sources`` names where
        the server looks for files that it does not have
    :param metadata: own keys and values of what is submitted
    :param submission_profile: "static", ...; mandatory without the role submission_customize
    :param fail_on_score: fail when ``max_score`` of one is this much or more
    :param fail_on_verdict: fail when the verdict of one is this or worse: info, suspicious, highly_suspicious,
        malicious; what the badlist or a source calls malicious counts as such
    :param assemblyline_conn_id: the connection

    The result is ``{count, known, malicious, unknown, verdict, max_score, sid, url, hashes}``: how many hashes, how
    many of the files are known and how many malicious, the hashes that nothing is known of, then the worst file's, and
    all of them: ``{hash, known, malicious, verdict, max_score, error_count, sid, sha256, analysed, last_seen,
    badlisted, safelisted, sources, submitted, url}``, see `self_hosted.assemblyline.api.look_up_hashes`.

    :raises AirflowFailException: for wrong arguments, what Assemblyline refuses, and a score, a verdict or an unknown
        file to fail on
    """

    template_fields: Sequence[str] = (
        "hashes",
        "max_age",
        "sources",
        "submit_if_unknown",
        "fail_on_unknown",
        *OPTIONS,
        *LIMITS,
    )

    def __init__(
        self,
        *,
        hashes: str | list[str],
        max_age: str | None = None,
        sources: str | list[str] | None = None,
        submit_if_unknown: bool | str = False,
        fail_on_unknown: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.hashes, self.max_age, self.sources = hashes, max_age, sources
        self.submit_if_unknown, self.fail_on_unknown = submit_if_unknown, fail_on_unknown

    def check(self) -> None:
        """Validate the arguments."""
        api.check_limits(self.fail_on_score, self.fail_on_verdict)
        api.check_age(self.max_age or None)
        check_options(self.metadata, self.submission_params)
        checked_flag("submit_if_unknown", self.submit_if_unknown)
        checked_flag("fail_on_unknown", self.fail_on_unknown)
        if self.name:
            raise ValueError("name is of no use: what is submitted by its hash is called after it")
        if not 1 <= len(self._hashes()) <= MOST:
            raise ValueError(f"hashes must be 1 to {MOST}, not {len(self._hashes())}: map the task over more")

    def start(self, context: Context) -> dict[str, Any]:
        """Look all of them up, and submit what is unknown."""
        sources = checked_texts("sources", self.sources)
        found = self.hook.run(api.look_up_hashes(self._hashes(), self.max_age or None, sources))
        submitted: list[str] = []
        if checked_flag("submit_if_unknown", self.submit_if_unknown):
            with self.running(context, lambda: submitted):
                for finding, started in self._submitted(context, [one for one in found if _is_unknown(one)]):
                    finding.update(started)
                    submitted.append(started["sid"])
        return {"hashes": [{"submitted": False, **one} for one in found]}

    def _submitted(
        self, context: Context, unknown: Sequence[dict[str, Any]]
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        tags, deadline = [_tag(context, one) for one in unknown], self._deadline(time.time())
        earlier = self.hook.run(api.submissions_by_tag(tags, interrupted=self.interrupted)) if tags else {}
        for finding, tag in zip(unknown, tags, strict=True):
            if tag in earlier:
                yield finding, {"sid": earlier[tag]["sid"], "submitted": True, "doubtful": True}
                continue
            left = max(0.0, deadline - time.time())  # they wait for places one after the other
            submit = api.submit_once(api.hash_source(finding["hash"]), self.options(), tag, patience=left)
            try:
                yield finding, {**self.hook.run(submit), "submitted": True}
            except NotFound:
                self.log.info("Nobody has the file of %s", finding["hash"])

    def keys_of(self, started: dict[str, Any]) -> list[str]:
        """The submissions that are waited for."""
        return [one["sid"] for one in started["hashes"] if one["submitted"]]

    def page_of(self, started: dict[str, Any]) -> str:
        """The page of the worst file so far."""
        return self._url(_worst(started["hashes"]))

    def finish_all(self, context: Context, started: dict[str, Any], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        """The result, unless something is to fail the task."""
        for one in started["hashes"]:
            if one["submitted"]:
                self._add(context, one, outcomes[one["sid"]])
        found = [{**_without_doubt(one), "url": self._url(one)} for one in started["hashes"]]
        self._judge(found)
        worst = _worst(found)
        return {
            "count": len(found),
            "known": sum(one["known"] for one in found),
            "malicious": sum(one["malicious"] for one in found),
            "unknown": [one["hash"] for one in found if _is_unknown(one)],
            **{name: worst[name] for name in ("verdict", "max_score", "sid", "url")},
            "hashes": found,
        }

    def _add(self, context: Context, finding: dict[str, Any], outcome: Outcome) -> None:
        """What the wait for a file's submission came to."""
        if isinstance(outcome, Exception):
            raise outcome
        if finding.get("doubtful"):
            self.end_duplicates(_tag(context, finding), finding["sid"])
        facts, url = dict(outcome.facts), self._url(finding)
        warn_of_failed_services(self.log, f"submission {finding['sid']}", facts, url)
        if outcome.state != "completed":
            raise Final(f"submission {finding['sid']} ended as {outcome.state!r}: {url}")
        finding.update({name: facts[name] for name in ("verdict", "max_score", "error_count")}, known=True)
        finding["malicious"] |= facts["verdict"] == "malicious"

    def _judge(self, found: Sequence[Mapping[str, Any]]) -> None:
        for one in found:
            verdict = "malicious" if one["malicious"] else one["verdict"] or "safe"
            if api.reached(one["max_score"] or 0, verdict, self.fail_on_score, self.fail_on_verdict):
                raise Final(f"{one['hash']} is {verdict}, with a score of {one['max_score']}: {one['url']}")
        unknown = [one["hash"] for one in found if _is_unknown(one)]
        if unknown and checked_flag("fail_on_unknown", self.fail_on_unknown):
            raise Final(f"nothing is known of {len(unknown)} of {len(found)} files, such as that of {unknown[0]}")

    def _hashes(self) -> list[str]:
        """Those that are given, each once: of one that is there twice, two submissions could come."""
        return list({_value(one): one for one in checked_texts("hashes", self.hashes)}.values())

    def _url(self, finding: Mapping[str, Any]) -> str:
        return api.finding_url(self.hook.settings.address.base_url, finding)


def _is_unknown(finding: Mapping[str, Any]) -> bool:
    """Whether there is no result, and neither list nor source that says what to think of it."""
    return finding["verdict"] is None and not finding["malicious"] and not finding["safelisted"]


def _worst(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return max(found, key=lambda one: (one["malicious"], -1 if one["max_score"] is None else one["max_score"]))


def _tag(context: Context, finding: Mapping[str, Any]) -> str:
    """What tells the submission of a file from those of the task's other files."""
    return f"{round_key(context)} {_value(finding['hash'])}"


def _value(given: str) -> str:
    """A hash in the case that the server has it in."""
    [value] = api.hash_source(given).values()
    return value


def _without_doubt(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in finding.items() if name != "doubtful"}
