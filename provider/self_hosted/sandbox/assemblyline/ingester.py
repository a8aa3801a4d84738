"""The ingester of the stand-in: it decides what of what is ingested becomes a submission."""

from __future__ import annotations

import json
from collections.abc import Iterator

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


class Ingester:
    """A queue of what was ingested, and what is known already."""

    def __init__(self) -> None:
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
            if not self._is_reused(self.known.get(key), submission):
                self.known[key] = submission
                yield submission

    @staticmethod
    def _is_reused(known: Submission | None, submission: Submission) -> bool:
        """Whether an earlier submission stands for this one; while that runs, ``ignore_cache`` does not help."""
        if known is None or not known.exists:
            return False
        return not known.completed or not submission.params["ignore_cache"]


def _key(submission: Submission) -> str:
    told_apart = {name: submission.params[name] for name in TOLD_APART_BY}
    return f"{submission.sha256} {json.dumps(told_apart, sort_keys=True)}"
