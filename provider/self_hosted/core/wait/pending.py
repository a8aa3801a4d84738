"""One wait: the object it is for, the schedule of its polls, and the last observation."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from self_hosted.core.http.errors import PermanentError, SelfHostedError, WaitTimeoutError
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.spec import WaitSpec

Outcome = Observation | SelfHostedError
"""How a wait ended: the last observation, or the error."""

FIRST_POLL_SECONDS = 1.0  # much of the work is done by then
BACKOFF_FACTOR = 1.5
FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.5, 30.0  # between two polls that fail
MAX_OUTAGE_SECONDS = 300.0  # of failing polls before their wait fails; an upgrade of a product takes a few minutes


class PollSchedule:
    """When one object is polled: with exponential backoff, or as its progress suggests; never after the deadline.

    :param deadline: seconds since the epoch
    :param poll_interval: the longest time between two polls, in seconds
    :param first_poll_after: seconds before the first poll
    """

    def __init__(self, deadline: float, poll_interval: float, first_poll_after: float = 0) -> None:
        self.deadline, self.poll_interval = deadline, poll_interval
        self.pause = min(FIRST_POLL_SECONDS, poll_interval)
        self.retry_pause = FIRST_RETRY_SECONDS
        # the earliest and the latest time of the next poll; seconds since the epoch
        self.ready = self.due = min(time.time() + first_poll_after, deadline)
        self._first_progress: tuple[float, float] | None = None  # time and percent

    def schedule_next(self, progress: float | None) -> None:
        """Set the time of the next poll after a successful one.

        :param progress: percent, where the product reports it
        """
        self._pause_for(min(self.pause, self._seconds_left(progress)))
        self.pause = min(self.pause * BACKOFF_FACTOR, self.poll_interval)
        self.retry_pause = FIRST_RETRY_SECONDS

    def schedule_retry(self, retry_after: float | None) -> None:
        """Set the time of the next poll after a failed one.

        :param retry_after: seconds that the product requests
        """
        self._pause_for(self.retry_pause, retry_after or 0)
        self.retry_pause = min(2 * self.retry_pause, MAX_RETRY_SECONDS)

    def _pause_for(self, seconds: float, min_seconds: float = 0) -> None:
        now = time.time()
        # the jitter keeps tasks that began together from polling together forever
        pause = seconds * random.uniform(0.8, 1.0)  # noqa: S311 no secret
        self.due = min(now + max(pause, min_seconds), self.deadline)
        self.ready = min(now + max(pause / 2, min_seconds), self.due)

    def _seconds_left(self, progress: float | None) -> float:
        """Estimate the remaining time from the progress so far; infinite if there is none."""
        if progress is None:
            return float("inf")
        now = time.time()
        start, first = self._first_progress = self._first_progress or (now, progress)
        rate = (progress - first) / max(now - start, 0.001)
        return max(FIRST_POLL_SECONDS, (100 - progress) / rate) if rate > 0 else float("inf")


@dataclass
class Progress:
    """The latest observation of one object, and when it last changed.

    :param observation: the last one; None if the object was never observed
    :param changed_at: when it last changed, in seconds since the epoch
    :param logged_at: when the task's log last showed it, in seconds since the epoch; 0 = not yet
    """

    observation: Observation | None = None
    changed_at: float = field(default_factory=time.time)
    logged_at: float = 0.0

    def update(self, observation: Observation | None) -> None:
        """Take in an observation.

        :param observation: None if the object was not found: it is missing if it was observed before
        """
        if observation is None and self.observation is None:
            return
        observation = observation or MISSING
        if observation != self.observation:
            self.observation, self.changed_at = observation, time.time()

    def as_json(self) -> dict[str, Any]:
        """Return the progress as plain JSON; `from_json` reads it."""
        return {**vars(self), "observation": self.observation and self.observation.as_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Progress:
        """Return the progress.

        :param stored: the result of `as_json`
        """
        observation = stored["observation"]
        return cls(observation and Observation(**observation), stored["changed_at"], stored.get("logged_at", 0.0))


class LogOfTask(Protocol):
    """The log of the task that waits; see `WaitLog`."""

    def update(self, pending: PendingWait, *, is_over: bool) -> None:
        """Log what a poll has changed.

        :param pending: a wait that was polled
        :param is_over: whether it is over
        """

    def pause(self, reason: str) -> None:
        """Log a pause of the loop.

        :param reason: of the pause
        """

    def malformed(self, error: Exception) -> None:
        """Log the cause of an unreadable response.

        :param error: has the cause
        """


class PendingWait:
    """A wait for one remote object.

    :param key: its id, or the text of a `WaitKey`
    :param deadline: seconds since the epoch; absolute, so that it survives restarts
    :param poll_interval: the longest time between two polls, in seconds
    :param first_poll_after: seconds before the first poll
    :param since: when the wait began, in seconds since the epoch; default: now
    """

    def __init__(
        self, key: str, deadline: float, poll_interval: float, first_poll_after: float = 0, since: float | None = None
    ) -> None:
        self.key, self.deadline = key, deadline
        self.since = time.time() if since is None else since
        self.schedule = PollSchedule(deadline, poll_interval, first_poll_after)
        self.progress = Progress()
        self.error: Exception | None = None
        self.poll_error: SelfHostedError | None = None  # why the last poll returned nothing
        self.failing_since: float | None = None
        self.log: LogOfTask | None = None

    @property
    def observation(self) -> Observation | None:
        """The last observation."""
        return self.progress.observation

    @property
    def is_resolved(self) -> bool:
        """Whether the wait has ended before its deadline: done or failed."""
        is_done = self.observation is not None and self.observation.done
        return is_done or self.error is not None

    @property
    def is_over(self) -> bool:
        """Whether the wait has ended: done, failed or timed out."""
        return self.is_resolved or time.time() >= self.deadline

    @property
    def seconds_unchanged(self) -> float:
        """Seconds since the observed state last changed."""
        return time.time() - self.progress.changed_at

    def update(self, result: Outcome | None) -> None:
        """Take in the result of a poll.

        :param result: an observation, the error of this object, or None if it was not found
        """
        if isinstance(result, SelfHostedError):
            self._fail(result)
        else:
            self.poll_error = self.failing_since = None
            self.progress.update(result)

    def _fail(self, error: SelfHostedError) -> None:
        """End the wait after a permanent error; after others, if its polls have failed for too long."""
        now = time.time()
        self.poll_error = error
        self.failing_since = now if self.failing_since is None else self.failing_since
        if isinstance(error, PermanentError) or now - self.failing_since >= MAX_OUTAGE_SECONDS:
            self.error = error

    def forgive(self) -> None:
        """Continue after an error, as if it had not occurred."""
        self.error = self.poll_error = self.failing_since = None

    def schedule_next(self) -> None:
        """Set the time of the next poll."""
        if self.poll_error:
            self.schedule.schedule_retry(self.poll_error.retry_after)
        else:
            self.schedule.schedule_next(self.observation.progress if self.observation else None)

    def outcome(self, wait_spec: WaitSpec) -> Observation:
        """Return the last observation of a wait that is over.

        :param wait_spec: the spec of the wait
        :raises WaitTimeoutError: if the deadline passed
        :raises NotFoundError: if the object does not exist, or not any more
        """
        if self.error:
            raise self.error
        if self.observation is None or not self.observation.done:
            raise WaitTimeoutError(f"timed out {self.describe(wait_spec)}")
        return wait_spec.require_present(self.key, self.observation)

    def result(self, wait_spec: WaitSpec) -> Outcome:
        """Return the outcome; an error is returned, not raised, so that other waits are not affected.

        :param wait_spec: the spec of the wait
        """
        try:
            return self.outcome(wait_spec)
        except SelfHostedError as error:
            return error

    def describe(self, wait_spec: WaitSpec) -> str:
        """Return how long the wait has taken and what was last observed, for an error message.

        :param wait_spec: the spec of the wait
        """
        seconds = round(time.time() - self.since)
        last = f"its last state is {self.observation}" if self.observation else "it was never found"
        poll_error = f"; the last poll failed: {self.poll_error}" if self.poll_error else ""
        return f"after {seconds} s waiting for {wait_spec.describe(self.key)}: {last}{poll_error}"
