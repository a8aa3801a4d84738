"""Apply changes: a small batch first, then large ones, parents before their children, each change with its outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from self_hosted.core.http.errors import InvalidRequestError, SelfHostedError, ServerError
from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.sync.attempt import Attempt
from self_hosted.core.sync.batches import ApplyOptions, BatchWriter, Run
from self_hosted.core.sync.families import Families
from self_hosted.core.sync.journal import Journal
from self_hosted.core.sync.report import Report
from self_hosted.core.sync.target import Change, Outcome, Schema, Target

log = get_logger(__name__)

CANARY_SIZE = 10
MAX_FAILED_BATCHES = 3  # in a row, without one success
BATCHES_BEFORE_GROWTH = 8


class Numbered(NamedTuple):
    """A change and its number in the plan, from 1."""

    number: int
    change: Change


def apply(
    run: Run,
    target: Target,
    schema: Schema,
    changes: Iterable[Change],
    options: ApplyOptions,
    report: Report,
    journal: Journal | None = None,
) -> None:
    """Apply changes in their order.

    The report then has an outcome for each. If an error is raised, it has the outcomes so far; with a journal, the
    next try continues behind them.

    :param run: runs a flow, as hooks do
    :param target: the target
    :param schema: its fields
    :param changes: in the order in which they are applied; read while they are applied
    :param options: how
    :param report: receives the outcomes
    :param journal: of the plan that the changes are from
    :raises SelfHostedError: if the server cannot work now, or fails on the first batch or several in a row
    """
    if journal is not None and not journal.is_empty:
        log.info("An earlier try has applied a part of the plan: the rest is applied")
        options = options._replace(is_retry=True)
    applying = _Applying(run, target, schema, options, report, journal)
    try:
        applying.apply(changes)
    except SelfHostedError:
        applying.checkpoint()
        raise
    applying.checkpoint()
    log.info("%s: all changes are applied: %s", target.name, report.describe())


class _Applying:
    def __init__(
        self,
        run: Run,
        target: Target,
        schema: Schema,
        options: ApplyOptions,
        report: Report,
        journal: Journal | None,
    ) -> None:
        self._target, self._options, self._report, self._journal = target, options, report, journal
        self._writer = BatchWriter(run, target, schema, options)
        parent_fields = [name for name, field in schema.fields.items() if field.is_parent]
        self._families = Families(report.connection, parent_fields)
        self._size = _BatchSize(min(options.batch_size, target.capacity.batch_size))
        self._failed_batches = 0
        self._is_altering = False
        self._progress = Throttle(SECONDS_BETWEEN_LINES)

    def apply(self, changes: Iterable[Change]) -> None:
        is_canary = True
        batches = self._split(self._unfinished(changes))
        batch = next(batches, [])
        while batch:
            following = next(batches, [])
            # a server that stores other values is trusted no more
            verifies = is_canary or not following or self._is_altering
            self._apply_batch(batch, is_canary=is_canary, verifies=verifies)
            batch, is_canary = following, False

    def checkpoint(self) -> None:
        if self._journal is not None:
            self._journal.flush()

    def _unfinished(self, changes: Iterable[Change]) -> Iterator[Numbered]:
        """Return the changes that no earlier try has finished."""
        for number, change in enumerate(changes, 1):
            outcome = None if self._journal is None else self._journal.find(number)
            if outcome is None:
                yield Numbered(number, change)
            else:
                self._report.add(outcome, change)
                self._families.add(change, outcome)

    def _split(self, changes: Iterator[Numbered]) -> Iterator[list[Numbered]]:
        """Return batches of changes that may be sent together."""
        batch: list[Numbered] = []
        limit = min(CANARY_SIZE, self._size.current)
        for each in changes:
            if batch and (len(batch) >= limit or self._kind(each.change) != self._kind(batch[0].change)):
                yield batch
                batch, limit = [], self._size.current
            batch.append(each)
        if batch:
            yield batch

    def _kind(self, change: Change) -> tuple[str, int, str]:
        return change.do, 0 if self._target.capacity.mixes_stages else change.stage, change.collection

    def _apply_batch(self, batch: Sequence[Numbered], *, is_canary: bool, verifies: bool) -> None:
        attempts = []
        for number, change in batch:
            obstacle = self._families.find_obstacle(change)
            if obstacle is not None:
                self._record(number, change, obstacle)
            else:
                attempts.append((number, Attempt.of(change)))
        lost = self._writer.lost_responses
        try:
            self._writer.carry_out([attempt for _, attempt in attempts], verifies=verifies)
            self._require_success([attempt for _, attempt in attempts], is_canary=is_canary)
        except SelfHostedError:
            self._record_all([each for each in attempts if each[1].error is None])
            raise
        self._record_all(attempts)
        self._size.update(has_lost=self._writer.lost_responses > lost)
        self._log_progress()

    def _require_success(self, attempts: Sequence[Attempt], *, is_canary: bool) -> None:
        """Stop if the server fails on all changes: the cause is not a record.

        Rejected values are no sign of a broken server.
        """
        errors = [error for attempt in attempts if (error := _find_server_error(attempt)) is not None]
        if not attempts or len(errors) < len(attempts):
            self._failed_batches = 0
            return
        self._failed_batches += 1
        if (is_canary and len(attempts) > 1) or self._failed_batches >= MAX_FAILED_BATCHES:
            log.error("%s: the server fails on all changes of a batch: nothing more is sent", self._target.name)
            raise errors[-1]

    def _record_all(self, attempts: Iterable[tuple[int, Attempt]]) -> None:
        for number, attempt in attempts:
            if attempt.outcome is not None:
                self._record(number, attempt.planned, attempt.outcome)

    def _record(self, number: int, change: Change, outcome: Outcome) -> None:
        self._report.add(outcome, change)
        self._families.add(change, outcome)
        self._is_altering = self._is_altering or outcome.result == "altered"
        if self._journal is not None:
            self._journal.add(number, outcome)

    def _log_progress(self) -> None:
        if self._progress.is_due():
            log.info("%s: so far %s", self._target.name, self._report.describe())


class _BatchSize:
    """Halved when a response is lost, since the batch may have been too large; doubled again after some successes."""

    def __init__(self, maximum: int) -> None:
        self.current = self._maximum = maximum
        self._successes = 0

    def update(self, *, has_lost: bool) -> None:
        self._successes = 0 if has_lost else self._successes + 1
        if has_lost:
            self.current = max(1, self.current // 2)
        elif self._successes >= BATCHES_BEFORE_GROWTH:
            self.current, self._successes = min(self._maximum, self.current * 2), 0


def _find_server_error(attempt: Attempt) -> SelfHostedError | None:
    """Return the error of a change that another attempt or server would carry out."""
    if attempt.error is not None:
        return None if isinstance(attempt.error, InvalidRequestError) else attempt.error
    outcome = attempt.outcome
    if outcome is None or outcome.result != "failed" or outcome.is_final:
        return None
    return ServerError(outcome.message)
