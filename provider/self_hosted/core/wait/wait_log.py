"""What a task's log shows of its wait: changes at once, all else once per minute, and never a line per poll."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextvars import copy_context
from datetime import UTC, datetime

from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, get_logger
from self_hosted.core.wait.observation import MISSING
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec

MAX_CHANGES_PER_MINUTE = 5  # a state may hold a number that changes with every poll
LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC).timestamp()

log = get_logger(__name__)


class WaitLog:
    """The lines of one task about its wait for one object or several.

    They are written in the context of the task. Airflow's triggerer writes a record into the log of the task whose
    context it is logged in, and the loop of a `Poller` runs in the context of whichever task came first.

    :param wait_spec: the spec of the wait
    :param waits: the waits of the task, one at least
    """

    def __init__(self, wait_spec: WaitSpec, waits: Sequence[PendingWait]) -> None:
        self.name = wait_spec.describe_all([pending.key for pending in waits])
        self.since, self.deadline = waits[0].since, waits[0].deadline
        self.total, self.ended = len(waits), 0
        self._context = copy_context()
        progress = waits[0].progress
        self._state = progress.observation.state if progress.observation else None
        self._logged_at = progress.logged_at or time.time()
        self._changes_left = MAX_CHANGES_PER_MINUTE
        self._is_failing = False
        self._next_failure_line = self._next_pause_line = 0.0

    @classmethod
    def begin(cls, wait_spec: WaitSpec, waits: Sequence[PendingWait], poll_interval: float) -> None:
        """Log the waits from now on. The first line is left out if an earlier poke has written it.

        :param wait_spec: the spec of the waits
        :param waits: the waits of a task
        :param poll_interval: the longest time between two polls, in seconds
        """
        if not waits:
            return
        own = cls(wait_spec, waits)
        is_first = not waits[0].progress.logged_at
        for pending in waits:
            pending.log, pending.progress.logged_at = own, own._logged_at
        if is_first:
            until = datetime.fromtimestamp(min(own.deadline, LAST_MOMENT), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            own._write(logging.INFO, "Waiting for %s: polled at least every %g s, until %s", poll_interval, until)

    def update(self, pending: PendingWait, *, is_over: bool) -> None:
        """Log what a poll has changed, or that it has changed nothing for a minute.

        :param pending: a wait that was polled
        :param is_over: whether it is over
        """
        observation, now = pending.progress.observation, time.time()
        is_change = self.total == 1 and (observation.state if observation else None) != self._state
        is_quiet = not (is_over or is_change or self._is_failing or pending.poll_error)
        if is_quiet and now < self._logged_at + SECONDS_BETWEEN_LINES:
            return
        self.ended += is_over
        if pending.poll_error:
            self._note_failure(pending, now, is_over=is_over)
            return
        self._note_recovery()
        if self.total > 1:
            self._note_count(now)
        elif not is_over or (pending.error is None and observation and observation.done and observation != MISSING):
            self._note_state(pending, now, is_over=is_over, is_change=is_change)

    def pause(self, reason: str) -> None:
        """Log a pause of the loop, which delays all of its waits: at once, then once per minute.

        :param reason: of the pause
        """
        if time.time() >= self._next_pause_line:
            self._next_pause_line = time.time() + SECONDS_BETWEEN_LINES
            self._context.run(log.warning, "%s", reason)

    def malformed(self, error: Exception) -> None:
        """Log the cause of an unreadable response.

        :param error: has the cause
        """
        self._context.run(log.error, "%s: %s", self.name, error, exc_info=error.__cause__)

    def _note_state(self, pending: PendingWait, now: float, *, is_over: bool, is_change: bool) -> None:
        is_due = now >= self._logged_at + SECONDS_BETWEEN_LINES
        if is_due:
            self._changes_left = MAX_CHANGES_PER_MINUTE
        elif not is_over and not (is_change and self._changes_left):
            return
        observation = pending.progress.observation
        self._state = observation.state if observation else None
        self._changes_left -= is_change and not is_over
        self._logged_at = pending.progress.logged_at = now
        if observation is None:
            self._write(logging.INFO, "%s has not been found yet, after %d s", now - self.since)
        else:
            still = "" if is_change or is_over else "still "
            ended = ": the wait is over" if is_over else ""
            self._write(logging.INFO, "%s is %s%s, after %d s%s", still, observation, now - self.since, ended)

    def _note_count(self, now: float) -> None:
        if self.ended == self.total or now >= self._logged_at + SECONDS_BETWEEN_LINES:
            self._logged_at = now
            self._write(logging.INFO, "%s: %d of %d have ended, after %d s", self.ended, self.total, now - self.since)

    def _note_failure(self, pending: PendingWait, now: float, *, is_over: bool) -> None:
        """Log a failing poll; that of a wait that is over is raised."""
        if not is_over and now >= self._next_failure_line:
            self._next_failure_line, self._is_failing = now + SECONDS_BETWEEN_LINES, True
            seconds = now - (pending.failing_since or now)
            self._write(logging.WARNING, "%s: polls have failed for %d s, and go on: %s", seconds, pending.poll_error)

    def _note_recovery(self) -> None:
        if self._is_failing:
            self._is_failing = False
            self._write(logging.INFO, "%s: polls succeed again")

    def _write(self, level: int, message: str, *values: object) -> None:
        self._context.run(log.log, level, message, self.name, *values)
