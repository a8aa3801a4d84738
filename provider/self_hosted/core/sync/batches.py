"""Carry out one batch: one effect of each change, and an outcome for each, whatever becomes of the responses."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal, NamedTuple, Protocol, TypeVar

from self_hosted.core.http.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    SelfHostedError,
    ServerError,
)
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect
from self_hosted.core.sync.attempt import Attempt
from self_hosted.core.sync.baseline import Baseline, Comparison
from self_hosted.core.sync.read_back import Judge, OnConflict, is_confirmed
from self_hosted.core.sync.target import Change, Outcome, Schema, Target

log = get_logger(__name__)

T = TypeVar("T")
RECORD_ERRORS = (
    *(ServerError, OutcomeUnknownError, InvalidRequestError),
    *(ConflictError, PermissionDeniedError, NotFoundError),
)
"""Errors of a write that one of its records may have caused."""
REMOVALS = frozenset({"deactivate", "delete"})


class Run(Protocol):
    """Runs a flow, as hooks do."""

    def __call__(self, flow: Flow[T], /) -> T:
        """Return the result of a flow.

        :param flow: the flow
        """
        ...


class ApplyOptions(NamedTuple):
    """How changes are applied.

    :param batch_size: records per write; a target may allow fewer
    :param on_conflict: a record that was changed since it was compared: it is reported, skipped, or overwritten
    :param looks_first: whether records are read before they are written, because the plan is not of this task
    :param is_retry: whether an earlier try of the task may have sent the same changes
    :param verify: which changes are read back: those in doubt and the first and the last batch, or all
    """

    batch_size: int = 100
    on_conflict: OnConflict = "report"
    looks_first: bool = False
    is_retry: bool = False
    verify: Literal["doubtful", "all"] = "doubtful"


class BatchWriter:
    """Carries out batches.

    :param run: runs a flow, as hooks do
    :param target: the target
    :param schema: its fields
    :param options: how
    """

    def __init__(self, run: Run, target: Target, schema: Schema, options: ApplyOptions) -> None:
        self._run, self._target, self._schema, self._options = run, target, schema, options
        self._baseline = Baseline(target, schema)
        self._judge = Judge(self._baseline, options.on_conflict)
        self._may_be_in_progress = options.is_retry
        self._verifies = False
        self.lost_responses = 0

    def carry_out(self, attempts: Sequence[Attempt], *, verifies: bool = False) -> None:
        """Carry out changes; each attempt has an outcome afterwards.

        :param attempts: attempts of changes with the same action
        :param verifies: whether successes are read back
        :raises SelfHostedError: if nothing can be done now; attempts without an outcome were not carried out
        """
        self._verifies = verifies or self._options.verify == "all"
        if self._must_look(attempts):
            self._look(attempts)
        self._send([attempt for attempt in attempts if attempt.outcome is None])

    def _must_look(self, attempts: Sequence[Attempt]) -> bool:
        """Return whether the records must be read first: for removals always, else if no lock protects them."""
        if self._options.looks_first or self._options.is_retry:
            return True
        changes = [attempt.change for attempt in attempts]
        return any(
            change.do in REMOVALS or not (change.do == "create" or self._target.is_locked(change)) for change in changes
        )

    def _look(self, attempts: Sequence[Attempt], *, waits: bool = False) -> None:
        changes = [attempt.change for attempt in attempts]
        for attempt, found in zip(attempts, self._read(changes, waits=waits), strict=True):
            self._judge.judge_unsent(attempt, found)

    def _read(self, changes: Sequence[Change], *, waits: bool) -> list[Comparison]:
        return self._run(_read_until_quiet(self._baseline, changes) if waits else self._baseline.read(changes))

    def _send(self, attempts: Sequence[Attempt]) -> None:
        if not attempts:
            return
        for attempt in attempts:
            attempt.sent += 1
        try:
            answers = self._write(attempts)
        except RECORD_ERRORS as error:
            self._recover(attempts, error)
            return
        for attempt, answer in zip(attempts, answers, strict=True):
            attempt.answer = answer
        self._settle(attempts)

    def _write(self, attempts: Sequence[Attempt]) -> Sequence[Outcome]:
        changes = [attempt.change for attempt in attempts]
        try:
            outcomes = self._run(self._target.write(self._schema, changes))
        except ConflictError as error:
            if len(changes) > 1:
                raise
            return [Outcome(changes[0].key, "conflict", str(error))]
        if len(outcomes) != len(changes):
            raise OutcomeUnknownError(f"{len(outcomes)} outcomes for {len(changes)} changes")
        return outcomes

    def _settle(self, attempts: Sequence[Attempt]) -> None:
        """End the attempts by their answers; what is in doubt is read back first."""
        clear = [attempt for attempt in attempts if is_confirmed(attempt) and not self._is_verified(attempt)]
        for attempt in clear:
            self._judge.accept(attempt)
        doubtful = [attempt for attempt in attempts if attempt.outcome is None]
        if not doubtful:
            return
        waits = self._may_be_in_progress and not all(is_confirmed(attempt) for attempt in doubtful)
        self._may_be_in_progress = self._may_be_in_progress and not waits
        changes = [attempt.change for attempt in doubtful]
        for attempt, found in zip(doubtful, self._read(changes, waits=waits), strict=True):
            self._judge.judge_answer(attempt, found)
        self._send([attempt for attempt in doubtful if attempt.outcome is None])

    def _is_verified(self, attempt: Attempt) -> bool:
        return self._verifies and attempt.answer is not None and attempt.answer.result != "pending"

    def _recover(self, attempts: Sequence[Attempt], error: SelfHostedError) -> None:
        """Read the records back after a failed write, and send the rest again in halves."""
        is_lost = isinstance(error, OutcomeUnknownError)
        # with a status 500, the server itself has ended its work; a proxy that gave up waiting has other ones
        may_go_on = is_lost and error.status != HTTPStatus.INTERNAL_SERVER_ERROR
        self.lost_responses += is_lost
        for attempt in attempts:
            attempt.may_be_in_progress |= may_go_on
            attempt.may_be_done |= is_lost or isinstance(error, ServerError)
        self._look(attempts, waits=may_go_on)
        rest = [attempt for attempt in attempts if attempt.outcome is None]
        count, ended = len(attempts), len(attempts) - len(rest)
        log.warning(
            "%s: a write of %d changes failed, %d of them need no other: %s", self._target.name, count, ended, error
        )
        if count > 1 or (is_lost and attempts[0].sent == 1):
            for half in _halves(rest):
                self._send(half)
        for attempt in rest:
            if attempt.outcome is None:
                attempt.fail(error)


def _read_until_quiet(baseline: Baseline, changes: Sequence[Change]) -> Flow[list[Comparison]]:
    """Return the comparisons after the server has finished: all are done, or nothing changes any more."""
    latest: list[Comparison] = []

    def look() -> Flow[bool | None]:
        latest[:] = yield from baseline.read(changes)
        return True if _count_ended(latest) == len(latest) else None

    ended = 0
    while not (yield from poll_for_effect(look)) and _count_ended(latest) > ended:
        ended = _count_ended(latest)
    return latest


def _count_ended(found: Sequence[Comparison]) -> int:
    return sum(each.state in {"done", "pending"} for each in found)


def _halves(attempts: Sequence[Attempt]) -> list[Sequence[Attempt]]:
    middle = (len(attempts) + 1) // 2
    return [half for half in (attempts[:middle], attempts[middle:]) if half]
