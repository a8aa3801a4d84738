"""Submit many things from one task, with bounded concurrency: threads submit, one loop observes how they end.

`BoundedSubmitter.run` returns once all are submitted. The operator waits for the last of them, in the worker or
deferred.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from self_hosted.core.http.errors import (
    AuthenticationError,
    ConcurrencyQuotaError,
    DailyQuotaError,
    PermanentError,
    PermissionDeniedError,
    SelfHostedError,
    WaitTimeoutError,
)
from self_hosted.core.http.logs import SECONDS_BETWEEN_LINES, Throttle, get_logger
from self_hosted.core.wait.loop import poll_once
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.spec import WaitSpec

if TYPE_CHECKING:
    from self_hosted.core.connection.hook import SelfHostedHook

log = get_logger(__name__)

MAX_THREADS = 8  # requests keeps ten connections open: some for these, and one for the polls
IDLE_SECONDS = 1.0  # between two looks at the clock while nothing runs
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 1.0, 30.0  # between two attempts for a place beyond those that are free
MAX_STOP_SECONDS = 10.0  # for submits in flight when the task is stopped
# A thing is first polled after this share of the shortest of the last durations.
MAX_DURATIONS, FIRST_POLL_SHARE = 10, 0.95
# A poll costs a request, and between two polls places stay empty: a poll is worth this many seconds of one place. Polls
# once per second are half a second late on average; the interval below is never worse.
POLL_COST_SECONDS, MIN_POLL_SECONDS, MAX_POLL_SECONDS = 0.15, 0.1, 0.9
SHARED_ERRORS = (AuthenticationError, PermissionDeniedError, DailyQuotaError)  # every further submit would fail, too
MAX_CONSECUTIVE_ERRORS = 10  # of a failing server; the rest is left to a retry

Submit = Callable[[], str]
"""Submits one thing and returns its remote id; runs in a thread."""


class BoundedSubmitter:
    """Submits things, each as soon as a place is free. The error of one does not affect others.

    :param hook: the product's hook
    :param max_concurrency: how many may run at once; lowered when the product rejects more
    :param deadline: when nothing more is submitted, in seconds since the epoch
    :param wait_spec: observes when one is done and its place is free; None: a place is free after the submit
    :param poll_interval: the longest time between two polls, in seconds
    :param quota_of: the quota that an error of the product names, if any
    """

    def __init__(
        self,
        hook: SelfHostedHook,
        max_concurrency: int,
        deadline: float,
        wait_spec: WaitSpec | None = None,
        poll_interval: float = 30,
        quota_of: Callable[[SelfHostedError], int | None] = lambda error: None,
    ) -> None:
        self.hook, self.deadline, self.wait_spec, self.poll_interval = hook, deadline, wait_spec, poll_interval
        self.quota_of, self.max_concurrency, self.places = quota_of, max_concurrency, max_concurrency
        self.keys: dict[str, str] = {}
        """The remote ids of what was submitted, by name."""
        self.errors: dict[str, Exception] = {}
        """Why the others were not submitted, by name."""
        self.pending_waits: set[PendingWait] = set()
        self.polled_at = self.next_attempt_at = 0.0
        self.pause, self.consecutive_errors = MIN_PAUSE_SECONDS, 0
        self.durations: deque[float] = deque(maxlen=MAX_DURATIONS)
        self._queue: deque[tuple[str, Submit]] = deque()
        self._in_flight: dict[Future[str], tuple[str, Submit]] = {}
        self._progress_line, self._quota_line = Throttle(SECONDS_BETWEEN_LINES), Throttle()

    def run(self, submits: Mapping[str, Submit], running: Mapping[str, str] | None = None) -> None:
        """Submit all of them; `keys` and `errors` hold the results.

        :param submits: by name
        :param running: the remote ids of what was submitted before and may occupy places, by name
        """
        self._queue.extend(submits.items())
        for name, key in (running or {}).items():
            self._add(name, key)
        pool = ThreadPoolExecutor(min(self.max_concurrency, MAX_THREADS), "bulk-submit")
        try:
            while self._queue or self._in_flight:
                if self._progress_line.is_due():
                    self._log_progress()
                self._fill_places(pool)
                self._collect(min(self._seconds_until_poll(), IDLE_SECONDS))
                self._poll()
        finally:
            self.stop()
            pool.shutdown(wait=not self._in_flight, cancel_futures=True)

    def stop(self, reason: str = "the task ended before this was submitted") -> list[str]:
        """Submit nothing more. Return the ids of what runs, including submits that were in flight.

        :param reason: the error of what is not submitted
        """
        self._drop_queue(WaitTimeoutError(reason))
        wait(self._in_flight, MAX_STOP_SECONDS)
        self._collect(0)
        self._drop_queue(WaitTimeoutError(reason))
        return [pending.key for pending in self.pending_waits]

    def _log_progress(self) -> None:
        running, left = len(self.pending_waits), len(self._queue) + len(self._in_flight)
        message = "%d are submitted, of which %d are running; %d failed; %d are left"
        log.info(message, len(self.keys), running, len(self.errors), left)

    def _fill_places(self, pool: ThreadPoolExecutor) -> None:
        if time.time() >= self.deadline:
            self._drop_queue(WaitTimeoutError("timed out before this was submitted"))
        while self._queue and self._has_place():
            entry = self._queue.popleft()
            self._in_flight[pool.submit(entry[1])] = entry

    def _has_place(self) -> bool:
        """Whether one more may run; after a rejection, an occasional attempt finds out whether others left a place."""
        running, now = len(self.pending_waits) + len(self._in_flight), time.time()
        if now < self.next_attempt_at:
            return 0 < running < self.places
        if self.places < self.max_concurrency:
            self.places, self.next_attempt_at = self.places + 1, now + self.pause
        return running < self.places

    def _collect(self, seconds: float) -> None:
        """Take in the submits that completed within some seconds."""
        if not self._in_flight:
            time.sleep(seconds)
        for future in wait(self._in_flight, seconds, FIRST_COMPLETED).done:
            entry = self._in_flight.pop(future, None)
            if entry is None:  # a signal called `stop` meanwhile
                continue
            try:
                self._add(entry[0], future.result())
            except ConcurrencyQuotaError as error:
                self._queue.appendleft(entry)
                self._reduce_places(error)
            except Exception as error:  # any error belongs to this one only
                self.errors[entry[0]] = error
                self._stop_after_shared_error(error)

    def _add(self, name: str, key: str) -> None:
        self.keys[name], self.pause, self.consecutive_errors = key, MIN_PAUSE_SECONDS, 0
        if self.wait_spec:
            first_poll_after = max(MIN_POLL_SECONDS, FIRST_POLL_SHARE * min(self.durations, default=0.0))
            self.pending_waits.add(PendingWait(key, self.deadline, 0, first_poll_after))  # later: in every poll

    def _reduce_places(self, error: ConcurrencyQuotaError) -> None:
        """Let no more run than now; if other work occupies the quota, pause before the next attempt."""
        running, now = len(self.pending_waits) + len(self._in_flight), time.time()
        self.max_concurrency = min(self.max_concurrency, self.quota_of(error) or self.max_concurrency)
        self.places = max(1, min(self.max_concurrency, running))
        if self._quota_line.is_due():
            log.warning("%s; continuing with %d at once", error, self.places)
        if running < self.max_concurrency and now >= self.next_attempt_at:
            self.next_attempt_at, self.pause = now + self.pause, min(2 * self.pause, MAX_PAUSE_SECONDS)

    def _stop_after_shared_error(self, error: Exception) -> None:
        self.consecutive_errors += isinstance(error, SelfHostedError) and not isinstance(error, PermanentError)
        if isinstance(error, SHARED_ERRORS) or self.consecutive_errors >= MAX_CONSECUTIVE_ERRORS:
            self._drop_queue(error)

    def _drop_queue(self, error: Exception) -> None:
        self.errors.update(dict.fromkeys((name for name, _ in self._queue), error))
        self._queue.clear()

    def _seconds_until_poll(self) -> float:
        if not self.pending_waits:
            return IDLE_SECONDS
        due = min(pending.schedule.due for pending in self.pending_waits)
        return max(0.0, max(due, self.polled_at + self._poll_spacing) - time.time())

    @property
    def _poll_spacing(self) -> float:
        """Seconds between two polls: a poll costs as much as the places that stay empty until the next one."""
        now = time.time()
        durations = [*self.durations, *(now - pending.since for pending in self.pending_waits)]
        spacing = math.sqrt(2 * POLL_COST_SECONDS * sum(durations) / len(durations) / self.places)
        return min(max(MIN_POLL_SECONDS, spacing), MAX_POLL_SECONDS, self.poll_interval)

    def _poll(self) -> None:
        if self.wait_spec and self.pending_waits and not self._seconds_until_poll():
            before = set(self.pending_waits)
            self.hook.run(poll_once(self.wait_spec, self.pending_waits))
            self.polled_at = time.time()
            self.durations.extend(self.polled_at - pending.since for pending in before - self.pending_waits)
