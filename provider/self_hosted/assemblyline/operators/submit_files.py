"""Handing in many files with one task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.batch import FILES, BatchTask
from self_hosted.assemblyline.operators.submitting import LIMITS, OPTIONS
from self_hosted.assemblyline.operators.values import Digest
from self_hosted.core.arguments import checked_flag
from self_hosted.core.errors import ProductError
from self_hosted.core.lazy import when_used
from self_hosted.core.question import imported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.assemblyline.operators.found_files import FoundFile
    from self_hosted.core.question import Question
    from self_hosted.core.wait import Outcome
else:
    api = when_used("self_hosted.assemblyline.api")

FACTS = ("verdict", "max_score", "file_count", "error_count")


class AssemblylineSubmitFilesOperator(BatchTask):
    """Submits many files and waits for the verdicts of all; ``POST /api/v4/submit/`` once for each.

    Each file makes one submission, however often the task is tried: what an earlier try submitted is found by few
    searches. A file that was changed meanwhile is another one. As many run at once as ``at_once`` says and the server
    allows; the next is submitted when a look shows that one of them is done, or now and then when others of the same
    user hold the places. That is done in the worker, also when ``deferrable``: only the wait for the last is deferred.

    :param files: paths or URIs, as `AssemblylineSubmitFileOperator` takes them: a list, also as text, or one of them
    :param folder: a folder, or a prefix of an object store (``s3://aws_default@incoming/today``); either this or
        ``files``
    :param pattern: of the names of files in ``folder``, such as ``*.zip``
    :param recursive: also those in the folders below
    :param at_once: how many run at the same time; the server allows a user 5 by default
    :param at_most: how many files there may be; more are refused before anything is sent
    :param strict: fail before anything is sent when a file is empty, too large for the server, or not there. By default
        empty and large ones are skipped, and the report says so
    :param report: path or URI of a file that gets one JSON object a line for each file: file, sid, verdict, max_score,
        file_count, error_count, url; or file and error; or file and skipped
    :param fail_on_errors: fail at the end when some files failed; a retry takes up only these, where that may help
    :param submission_params: Assemblyline's ``params``, for each
    :param metadata: own keys and values, for each
    :param submission_profile: "static", ..., for each; mandatory without the role submission_customize
    :param fail_on_score: fail when the ``max_score`` of a file is this much or more
    :param fail_on_verdict: fail when the verdict of a file is this or worse: info, suspicious, highly_suspicious,
        malicious
    :param assemblyline_conn_id: the connection

    The result is ``{total, completed, skipped, failed, failures, verdicts, with_failed_services, worst, report}``:
    counts; the first 10 ``failures`` as ``{file, error}``; ``verdicts`` as ``{"safe": 7, "malicious": 1, ...}``; how
    many were analysed while services failed; and ``worst``, the line of the file with the highest score, or None.

    :raises AirflowFailException: for wrong arguments, a score or verdict to fail on, and files that no retry mends
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.SUBMISSION"
    template_fields: Sequence[str] = (*FILES, *OPTIONS, *LIMITS)

    def __init__(self, *, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.doubtful: dict[str, str] = {}
        """Tags and ids of submissions of which there may be another one, since an answer was lost."""

    def known(self, tags: Sequence[str]) -> dict[str, str]:
        """The submissions under these tags."""
        found = self.hook.run(api.submissions_by_tag(tags, interrupted=self.interrupted))
        known = {tag: one["sid"] for tag, one in found.items()}
        self.doubtful.update(known)  # the earlier try may have lost an answer
        return known

    def hand_in(self, file: FoundFile, tag: str) -> str:
        """Submit a file; the submission's id."""
        made = self.hook.run(api.submit_in_turn(file.upload, self.options(), tag))
        if made["doubtful"] or self.interrupted:
            self.doubtful[tag] = made["sid"]
        return str(made["sid"])

    def watched(self) -> Question:
        """A submission holds its place until it is completed."""
        return imported("self_hosted.assemblyline.triggers.PLACE")  # type: ignore[no-any-return]

    def start(self, context: Context) -> dict[str, Any]:
        """Submit all, or find them submitted."""
        return {**super().start(context), "doubtful": self.doubtful}

    def row(self, key: str, outcome: Outcome | None) -> dict[str, Any]:
        """The submission's id, with its verdict or what went wrong."""
        url = api.submission_url(self.hook.settings.address.base_url, key)
        return {"sid": key, **_verdict(outcome), "url": url}

    def finish_all(self, context: Context, started: dict[str, Any], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        """End what was made twice; the report and the result."""
        if started["doubtful"]:
            self._end_duplicates(started["doubtful"])
        return super().finish_all(context, started, outcomes)

    def _end_duplicates(self, kept: Mapping[str, str]) -> None:
        try:
            for other in self.hook.run(api.end_all_duplicates(kept)):
                self.log.info("Ended submission %s, which was made twice: an answer had been lost", other)
        except ProductError as error:
            self.log.warning("Submissions made twice could not be ended: %s", error)


class AssemblylineIngestFilesOperator(BatchTask):
    """Ingests many files and, if asked to, waits for the verdicts of all; ``POST /api/v4/ingest/`` once for each.

    An ingest is meant for volume: the server analyses it when it finds the time, limits its priority (to 250, by
    default), drops files under heavy load unless ``never_drop`` is set, and makes no submission for a file that it
    ingested with the same params within a day. What such a file came to is found by its SHA-256, a minute after it
    was handed in.

    A retry takes up only what left no submission; the server recognises what it has, unless ``ignore_cache`` is set. An
    ingest cannot be cancelled.

    :param files: paths or URIs, as `AssemblylineSubmitFileOperator` takes them: a list, also as text, or one of them
    :param folder: a folder, or a prefix of an object store (``s3://aws_default@incoming/today``); either this or
        ``files``
    :param pattern: of the names of files in ``folder``, such as ``*.zip``
    :param recursive: also those in the folders below
    :param at_once: how many are sent at the same time, 8 at most
    :param at_most: how many files there may be; more are refused before anything is sent
    :param strict: fail before anything is sent when a file is empty, too large for the server, or not there. By default
        empty and large ones are skipped, and the report says so
    :param wait: wait for the verdicts; without, the result says what was ingested
    :param report: path or URI of a file that gets one JSON object a line for each file: file, ingest_id, sha256 and,
        after a wait, sid, verdict, max_score, file_count, error_count, deduplicated, url; or file and error; or file
        and skipped
    :param fail_on_errors: fail at the end when some files failed, or were not analysed in time
    :param submission_params: Assemblyline's ``params``, for each
    :param metadata: own keys and values, for each
    :param submission_profile: "static", ..., for each; mandatory without the role submission_customize
    :param fail_on_score: fail when the ``max_score`` of a file is this much or more
    :param fail_on_verdict: fail when the verdict of a file is this or worse: info, suspicious, highly_suspicious,
        malicious
    :param assemblyline_conn_id: the connection

    The result is that of `AssemblylineSubmitFilesOperator`.

    :raises AirflowFailException: for wrong arguments, a score or verdict to fail on, and files that no retry mends
    """

    question: ClassVar[str] = "self_hosted.assemblyline.triggers.INGEST"
    template_fields: Sequence[str] = (*FILES, "wait", *OPTIONS, *LIMITS)

    def __init__(
        self, *, wait: bool | str = True, assemblyline_conn_id: str = "assemblyline_default", **kwargs: Any
    ) -> None:
        super().__init__(assemblyline_conn_id=assemblyline_conn_id, **kwargs)
        self.wait = wait

    def check(self) -> None:
        """Validate the arguments, look at the files."""
        super().check()
        if not checked_flag("wait", self.wait) and (self.fail_on_score or self.fail_on_verdict):
            raise ValueError("fail_on_score and fail_on_verdict need wait=True: without, there is no verdict")

    def known(self, tags: Sequence[str]) -> dict[str, str]:
        """The ingests under these tags that have become submissions."""
        found = self.hook.run(api.submissions_by_tag(tags, interrupted=self.interrupted))
        return {tag: one["metadata"]["ingest_id"] for tag, one in found.items()}

    def hand_in(self, file: FoundFile, tag: str) -> str:
        """Ingest a file; the ingest's id, with the file's SHA-256 where an earlier submission may stand for it."""
        digest = Digest(file.upload)
        ingest_id = self.hook.run(api.ingest_in_turn(digest.upload, self.options(), tag))
        ignores_cache = (self.submission_params or {}).get("ignore_cache")
        return api.ingest_key(ingest_id, None if ignores_cache else digest.sha256)

    def watched(self) -> Question | None:
        """An ingest holds its place only while it is sent."""
        return None

    def keys_of(self, started: dict[str, Any]) -> list[str]:
        """The ingests, if they are to be waited for."""
        return super().keys_of(started) if checked_flag("wait", self.wait) else []

    def row(self, key: str, outcome: Outcome | None) -> dict[str, Any]:
        """The ingest's id and the file's SHA-256, with the verdict or what went wrong."""
        ingest_id, sha256 = api.ingest_parts(key)
        row = {"ingest_id": ingest_id, "sha256": sha256 or None, **_verdict(outcome)}
        if "verdict" in row:
            row["url"] = api.submission_url(self.hook.settings.address.base_url, row["sid"])
        return row


def _verdict(outcome: Outcome | None) -> dict[str, Any]:
    """What a report says of an outcome."""
    if outcome is None:
        return {}
    if isinstance(outcome, Exception):
        return {"error": str(outcome)}
    if outcome.state != "completed":
        return {"error": f"its submission ended as {outcome.state!r}"}
    names = [*(name for name in ("sid", "deduplicated") if name in outcome.facts), *FACTS]
    return {name: outcome.facts[name] for name in names}
