"""One change while it is carried out, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from self_hosted.core.http.errors import OutcomeUnknownError, SelfHostedError, ServerError
from self_hosted.core.sync.target import JSON, RESULTS, Change, Outcome, Result


@dataclass
class Attempt:
    """A change of the plan while it is carried out.

    :param planned: the change, as it was planned
    :param change: the change, as it is sent
    :param answer: what the server answered, as long as it is in doubt
    :param outcome: how it ended; None before
    :param sent: how many times it was sent
    :param may_be_done: whether an earlier write of it failed, but may have taken effect
    :param may_be_in_progress: whether the response of an earlier write was lost
    :param is_replanned: whether it was planned once more, because the record was changed meanwhile
    :param error: the error of a request that was sent for this change alone
    """

    planned: Change
    change: Change
    answer: Outcome | None = None
    outcome: Outcome | None = None
    sent: int = 0
    may_be_done: bool = False
    may_be_in_progress: bool = False
    is_replanned: bool = False
    error: SelfHostedError | None = None

    @classmethod
    def of(cls, change: Change) -> Attempt:
        """Return the attempt of a change.

        :param change: the change
        """
        return cls(change, change)

    @property
    def success(self) -> Result:
        """The result of a success."""
        return RESULTS[self.change.do]

    def end(
        self,
        result: Result,
        message: str = "",
        *,
        ref: str | None = None,
        ticket: str | None = None,
        altered: Mapping[str, tuple[JSON, JSON]] | None = None,
        is_final: bool = True,
    ) -> None:
        """Store how it ended.

        :param result: see `Outcome`
        :param message: likewise
        :param ref: likewise; default: that of the change
        :param ticket: likewise
        :param altered: likewise
        :param is_final: likewise
        """
        ref, planned = ref or self.change.ref, self.planned
        self.outcome = Outcome(planned.key, result, message, ref, ticket, altered or {}, is_final, planned.row)
        self.answer = None

    def fail(self, error: SelfHostedError) -> None:
        """Store the error of a request that was sent for this change alone.

        :param error: the error
        """
        self.error = error
        self.end("failed", str(error), is_final=not isinstance(error, ServerError | OutcomeUnknownError))

    def replan(self, change: Change) -> None:
        """Send another change in its place.

        :param change: the change
        """
        self.change, self.is_replanned, self.answer = change, True, None
