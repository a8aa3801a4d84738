"""The ingester, which decides whether an ingest becomes a submission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from self_hosted.sandbox.assemblyline.submissions.submission import Submission

# ingests of the same file are duplicates if these parameters are equal
COMPARED_PARAMS = (
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
    """The decision about an ingest.

    :param ingest: the ingest
    :param submission: the submission that provides its result, which may be an earlier one; None if it was dropped
    """

    ingest: Submission
    submission: Submission | None

    @property
    def is_final(self) -> bool:
        """Whether the result is available."""
        return self.submission is None or self.submission.is_completed

    @property
    def score(self) -> int | None:
        """The score of the submission; None if the ingest was dropped."""
        return self.submission.analysis.max_score if self.submission else None

    @property
    def failure(self) -> str:
        """The reason for a missing submission; "" if there is a submission."""
        return "" if self.submission else "Skipped"


class Ingester:
    """A queue of ingests, and the submissions that later ingests can reuse.

    ``notifications`` are the decisions with a notification queue, ``reused`` those with an earlier submission.
    ``is_dropping`` simulates an overloaded ingester.
    """

    def __init__(self) -> None:
        self.is_dropping = False
        self.notifications: list[Decision] = []
        self.reused: list[Decision] = []
        self.queue: list[Submission] = []
        self.submissions: dict[str, Submission] = {}

    def process_queue(self) -> Iterator[Submission]:
        """Empty the queue, and yield each ingest that becomes a submission."""
        while self.queue:
            ingest = self.queue.pop(0)
            key = _build_key(ingest)
            earlier = self.submissions.get(key)
            submission: Submission | None
            if earlier is not None and _is_reusable(earlier, ingest):
                submission = earlier
                self.reused.append(Decision(ingest, earlier))
            elif self.is_dropping and not ingest.params["never_drop"]:
                submission = None
            else:
                submission = self.submissions[key] = ingest
                yield ingest
            if ingest.options.get("notification_queue"):
                self.notifications.append(Decision(ingest, submission))


def _is_reusable(earlier: Submission, ingest: Submission) -> bool:
    """Return whether an earlier submission provides the result. A running one does despite ``ignore_cache``."""
    return earlier.exists and not (earlier.is_completed and ingest.params["ignore_cache"])


def _build_key(ingest: Submission) -> str:
    compared = {name: ingest.params[name] for name in COMPARED_PARAMS}
    return f"{ingest.sha256} {json.dumps(compared, sort_keys=True)}"
