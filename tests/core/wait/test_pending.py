"""One wait: the schedule of its polls, its last observation, its outcome."""

from __future__ import annotations

import time

import pytest

from self_hosted.core.http.errors import ConflictError, NotFoundError, ServerError, WaitTimeoutError
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.pending import BACKOFF_FACTOR, FIRST_POLL_SECONDS, PendingWait, PollSchedule, Progress
from tests.core.toy import JOB

NOW = 1_000_000.0
RUNNING, DONE = Observation("running", done=False), Observation("done", done=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The current time in seconds since the epoch, set by the test."""
    now = [NOW]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


# the schedule


def test_the_first_poll_is_due_at_once(clock: list[float]):
    schedule = PollSchedule(NOW + 100, poll_interval=30)
    assert (schedule.ready, schedule.due) == (NOW, NOW)


@pytest.mark.parametrize(("delay", "due"), [(6, NOW + 6), (600, NOW + 100)])
def test_the_first_poll_may_be_delayed_up_to_the_deadline(clock: list[float], delay: float, due: float):
    assert PollSchedule(NOW + 100, poll_interval=30, first_poll_after=delay).due == due


def test_pauses_grow_by_the_backoff_factor_up_to_the_interval(clock: list[float]):
    schedule = PollSchedule(NOW + 10_000, poll_interval=3)
    for expected in (FIRST_POLL_SECONDS, BACKOFF_FACTOR, BACKOFF_FACTOR**2, 3, 3):
        schedule.schedule_next(None)
        assert 0.8 * expected <= schedule.due - NOW <= expected


def test_pauses_have_jitter(clock: list[float]):
    schedules = [PollSchedule(NOW + 100, poll_interval=30) for _ in range(10)]
    for schedule in schedules:
        schedule.schedule_next(None)
    assert len({schedule.due for schedule in schedules}) > 1


def test_a_short_interval_applies_to_the_second_poll(clock: list[float]):
    schedule = PollSchedule(NOW + 100, poll_interval=0.01)
    schedule.schedule_next(None)
    assert schedule.due <= NOW + 0.01


def test_a_poll_is_ready_half_way_to_its_due_time(clock: list[float]):
    schedule = PollSchedule(NOW + 100, poll_interval=30)
    schedule.schedule_next(None)
    assert schedule.ready - NOW == pytest.approx((schedule.due - NOW) / 2)


def test_no_poll_is_due_after_the_deadline(clock: list[float]):
    schedule = PollSchedule(NOW + 0.2, poll_interval=30)
    schedule.schedule_next(None)
    assert schedule.ready <= schedule.due <= NOW + 0.2


def test_the_next_poll_is_timed_by_the_rate_of_the_progress(clock: list[float]):
    schedule = PollSchedule(NOW + 10_000, poll_interval=1000)
    schedule.pause = 1000
    schedule.schedule_next(progress=50)  # no rate yet
    assert schedule.due - NOW >= 800
    clock[0] += 10
    schedule.schedule_next(progress=75)  # 2.5 % per second: 10 seconds left
    assert 8 <= schedule.due - clock[0] <= 10
    schedule.schedule_next(progress=100)
    assert 0.8 * FIRST_POLL_SECONDS <= schedule.due - clock[0] <= FIRST_POLL_SECONDS


def test_progress_that_does_not_advance_has_no_influence(clock: list[float]):
    schedule = PollSchedule(NOW + 10_000, poll_interval=1000)
    schedule.pause = 1000
    schedule.schedule_next(progress=50)
    clock[0] += 10
    schedule.schedule_next(progress=50)
    assert schedule.due - clock[0] >= 800


# the last observation


def test_progress_keeps_the_time_of_the_last_change(clock: list[float]):
    progress = Progress()
    for seconds, observation, changed_at in [(5, RUNNING, 5), (10, RUNNING, 5), (15, DONE, 15)]:
        clock[0] = NOW + seconds
        progress.update(observation)
        assert (progress.observation, progress.changed_at) == (observation, NOW + changed_at)


def test_an_object_that_was_never_observed_is_not_missing(clock: list[float]):
    progress = Progress()
    progress.update(None)
    assert progress.observation is None


def test_an_observed_object_that_disappears_is_missing(clock: list[float]):
    progress = Progress()
    progress.update(RUNNING)
    progress.update(None)
    assert progress.observation == MISSING


# the outcome


def test_seconds_unchanged_count_from_the_last_change(clock: list[float]):
    pending = PendingWait("a", NOW + 100, 30)
    pending.update(RUNNING)
    clock[0] += 7
    pending.update(RUNNING)
    assert pending.seconds_unchanged == 7


@pytest.mark.parametrize(
    ("result", "seconds", "is_over"),
    [(None, 0, False), (RUNNING, 0, False), (DONE, 0, True), (ConflictError("locked"), 0, True), (RUNNING, 100, True)],
)
def test_a_wait_is_over_when_it_is_done_failed_or_timed_out(clock: list[float], result, seconds: float, is_over: bool):
    pending = PendingWait("a", NOW + 100, 30)
    pending.update(result)
    clock[0] += seconds
    assert pending.is_over is is_over


def test_the_result_is_the_observation_or_the_error(clock: list[float]):
    done, failed, missing, timed_out = (PendingWait(key, NOW + 100, 30) for key in "abcd")
    done.update(DONE)
    failed.update(ConflictError("locked"))
    missing.update(MISSING)
    assert done.result(JOB) == DONE
    results = [pending.result(JOB) for pending in (failed, missing, timed_out)]
    assert [type(result) for result in results] == [ConflictError, NotFoundError, WaitTimeoutError]


def test_describe_names_object_duration_and_last_observation(clock: list[float]):
    pending = PendingWait("a", NOW, 30, since=NOW - 3700)
    assert pending.describe(JOB) == "after 3700 s waiting for job a: it was never found"
    pending.update(Observation("running", done=False, progress=40))
    assert pending.describe(JOB) == "after 3700 s waiting for job a: its last state is 'running' at 40 %"


def test_describe_names_the_error_of_the_last_poll(clock: list[float]):
    pending = PendingWait("a", NOW, 30, since=NOW - 60)
    pending.poll_error = ServerError("out of memory", method="GET", path="/jobs", status=500)
    assert pending.describe(JOB) == (
        "after 60 s waiting for job a: it was never found; the last poll failed: GET /jobs: out of memory (HTTP 500)"
    )
