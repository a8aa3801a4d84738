"""What both operators share that hand in many files and wait for all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from self_hosted.assemblyline.operators.found_files import FoundFile, files_below, listed_files
from self_hosted.assemblyline.operators.outcome import BatchOutcome, some_of
from self_hosted.assemblyline.operators.submitting import HandingInTask, check_options, given_options
from self_hosted.core.arguments import checked_flag, checked_number
from self_hosted.core.assets import announce, asset_uri
from self_hosted.core.crew import Crew
from self_hosted.core.errors import Final
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import publish_link, round_key
from self_hosted.core.storage import check_output, note_read, note_written, write_json_lines

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
    from self_hosted.core.question import Question
    from self_hosted.core.wait import Outcome
else:
    api = when_used("self_hosted.assemblyline.api")

FILES = ("files", "folder", "pattern", "recursive", "at_once", "at_most", "strict", "report", "fail_on_errors")


class BatchTask(HandingInTask):
    """Hands in many files, each once over all tries, and waits for all. A subclass hands in one, and finds many.

    :param files: paths or URIs
    :param folder: a folder or prefix, in the place of ``files``
    :param pattern: of the names of files
    :param recursive: also those in the folders below
    :param at_once: how many at the same time
    :param at_most: how many in all
    :param strict: fail before anything is sent when a file cannot be handed in
    :param report: path or URI of what is written about each file
    :param fail_on_errors: fail when some files failed
    """

    def __init__(
        self,
        *,
        files: Sequence[str] | str | None = None,
        folder: str | None = None,
        pattern: str = "*",
        recursive: bool | str = False,
        at_once: int | str = 5,
        at_most: int | str = 1000,
        strict: bool | str = False,
        report: str | None = None,
        fail_on_errors: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.files, self.folder, self.pattern, self.recursive = files, folder, pattern, recursive
        self.at_once, self.at_most, self.strict = at_once, at_most, strict
        self.report, self.fail_on_errors = report, fail_on_errors

    def known(self, tags: Sequence[str]) -> dict[str, str]:
        """The remote ids of what was handed in under these tags before, by the tag."""
        raise NotImplementedError

    def hand_in(self, file: FoundFile, tag: str) -> str:
        """Hand in one file, and return its remote id. Runs in a thread."""
        raise NotImplementedError

    def watched(self) -> Question | None:
        """What tells when a file is done and its place free; None when it holds a place only while it is handed in."""
        raise NotImplementedError

    def row(self, key: str, outcome: Outcome | None) -> dict[str, Any]:
        """What the report says of a file that was handed in."""
        raise NotImplementedError

    def check(self) -> None:
        """Validate the arguments, look at the files."""
        api.check_limits(self.fail_on_score, self.fail_on_verdict)
        check_options(self.metadata, self.submission_params)
        for name in ("recursive", "strict", "fail_on_errors"):
            checked_flag(name, getattr(self, name))
        checked_number("at_once", self.at_once)
        check_output("report", self.report)
        most = checked_number("at_most", self.at_most)
        if len(self.found) > most:
            raise ValueError(f"there are more files than at_most allows ({most}): raise it, or ask for fewer")

    @cached_property
    def found(self) -> list[FoundFile]:
        """The files there are."""
        if (not self.files) == (not self.folder):
            raise ValueError("give either files or folder, exactly one of them")
        if self.folder:
            recursive, at_most = checked_flag("recursive", self.recursive), checked_number("at_most", self.at_most)
            return files_below(str(self.folder), self.pattern, recursive=recursive, at_most=at_most)
        return listed_files(self.files)

    def start(self, context: Context) -> dict[str, Any]:
        """Hand in all files that can be, or find them handed in."""
        limit = self.hook.run(api.size_limit(self.options()))
        absent = {file.name: "there is no such file" for file in self.found if file.size is None}
        left_out = {file.name: why for file in self.found if (why := _unfit(file, limit))}
        if (absent or left_out) and checked_flag("strict", self.strict):
            told = [f"{name}: {why}" for name, why in {**absent, **left_out}.items()]
            raise ValueError(f"strict: {len(told)} files cannot be handed in: {some_of(told)}")
        fitting = [file for file in self.found if file.name not in {*absent, *left_out}]
        fit = {file.tag(round_key(context)): file for file in fitting}
        for uri in [self.folder] if self.folder else [str(file.path) for file in fit.values()]:
            note_read(self.hook, str(uri))
        crew = Crew(
            self.hook,
            checked_number("at_once", self.at_once),
            self._deadline(time.time()),
            self.watched(),
            self.poll_interval,
            told=api.quota_told,
        )
        with self.running(context, crew.stop):
            known = self.known(list(fit))
            crew.run({tag: partial(self.hand_in, file, tag) for tag, file in fit.items() if tag not in known}, known)
        self.log.info("%s files are handed in, %s of them by an earlier try", len(crew.keys), len(known))
        return {
            "files": {crew.keys[tag]: file.name for tag, file in fit.items() if tag in crew.keys},
            "left_out": left_out,
            "errors": {**absent, **{fit[tag].name: str(error) for tag, error in crew.errors.items()}},
            "final": all(isinstance(error, (Final, ValueError)) for error in crew.errors.values()),
        }

    def options(self) -> dict[str, Any]:
        """What goes with each file."""
        return given_options(None, self.metadata, self.submission_params, self.submission_profile)

    def _uri(self, name: str) -> str:
        return f"{str(self.folder).rstrip('/')}/{name}" if self.folder and "://" not in name else name

    def keys_of(self, started: dict[str, Any]) -> list[str]:
        """The ids of all that was handed in."""
        return list(started["files"])

    def page_of(self, started: dict[str, Any]) -> str:
        """The page of all submissions; at the end the link leads to the worst of these."""
        return f"{self.hook.settings.address.base_url}/submissions"

    def finish_all(self, context: Context, started: dict[str, Any], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        """Write the report; the result, unless score, verdict or errors are to fail the task."""
        rows = [
            *({"file": self._uri(name), **self.row(key, outcomes.get(key))} for key, name in started["files"].items()),
            *({"file": self._uri(name), "skipped": why} for name, why in started["left_out"].items()),
            *({"file": self._uri(name), "error": why} for name, why in started["errors"].items()),
        ]
        if self.report:
            write_json_lines(self.report, iter(rows))
            note_written(self.hook, self.report)
        outcome = BatchOutcome(rows)
        outcome.warn(self.log)
        if outcome.worst:
            publish_link(context, outcome.worst["url"])
        outcome.judge(self.fail_on_score, self.fail_on_verdict)
        if outcome.failed and checked_flag("fail_on_errors", self.fail_on_errors):
            final = started["final"] and not any(_may_pass(one) for one in outcomes.values())
            if not final:
                self._forget(context)  # a retry hands in what is missing, and finds the rest by its tags
            raise outcome.error(final=final)
        for row in outcome.completed:
            announce(context, self.hook, asset_uri(self.hook, "submission", row["sid"]), row)
        return {**outcome.result, "report": self.report}


def _unfit(file: FoundFile, limit: int | None) -> str:
    """Why the server would not take a file that is there, if so."""
    if file.size == 0:
        return "it is empty"
    too_large = limit is not None and (file.size or 0) > limit
    return f"it has {file.size} bytes, and this server takes {limit} at most" if too_large else ""


def _may_pass(outcome: Outcome) -> bool:
    return isinstance(outcome, Exception) and not isinstance(outcome, Final)
