"""The ingester of the stand-in: it decides what of what is ingested becomes a submission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from self_hosted.sandbox.assemblyline.submissions import Submission

# what makes two ingests of one file differ
TOLD_APART_BY = (
    "classification",
    "deep_scan",
    "ignore_cache",
    "ignore_filtering",
    "ignore_recursion_prevention",
    "ignore_size",
    "service_spec",
    "services",
)


class Decision(NamedTuple):
    """What became of an ingest that somebody wants to be told of.

    :param ingest: what was handed in
    :param by: the submission that stands for it, which may be an earlier one; None when it was dropped
    """

    ingest: Submission
    by: Submission | None

    @property
    def is_final(self) -> bool:
        """Whether there is something to tell."""
        return self.by is None or self.by.completed

    @property
    def score(self) -> int | None:
        """Of the submission; None when there is none."""
        return self.by.findings.max_score if self.by else None

    @property
    def failure(self) -> str:
        """Why there is no submission; "" when there is one."""
        return "" if self.by else "Skipped"


class Ingester:
    """A queue of what was ingested, and what is known already. When it has too much to do, it drops what comes."""

    def __init__(self) -> None:
        self.dropping = False
        self.decisions: list[Decision] = []
        self.reused: list[Decision] = []  # ingests for which an earlier submission stands, wanted or not
        self.queue: list[Submission] = []
        self.known: dict[str, Submission] = {}

    def take(self, submission: Submission) -> None:
        """Let an ingest wait for its turn.

        :param submission: what will perhaps come of it
        """
        self.queue.append(submission)

    def decided(self) -> Iterator[Submission]:
        """Empty the queue: the submissions that are to begin. An ingest of what is known makes none."""
        while self.queue:
            submission = self.queue.pop(0)
            key = _key(submission)
            reused = self._is_reused(self.known.get(key), submission)
            dropped = self.dropping and not submission.params["never_drop"]
            if not reused and not dropped:
                self.known[key] = submission
                yield submission
            if reused:
                self.reused.append(Decision(submission, self.known[key]))
            if submission.options.get("notification_queue"):
                stands_for_it = self.known[key] if reused or not dropped else None
                self.decisions.append(Decision(submission, stands_for_it))

    @staticmethod
    def _is_reused(known: Submission | None, submission: Submission) -> bool:
        """Whether an earlier submission stands for this one; while that runs, ``ignore_cache`` does not help."""
        if known is None or not known.exists:
            return False
        return not known.completed or not submission.params["ignore_cache"]


def _key(submission: Submission) -> str:
    told_apart = {name: submission.params[name] for name in TOLD_APART_BY}
    return f"{submission.sha256} {json.dumps(told_apart, sort_keys=True)}"
