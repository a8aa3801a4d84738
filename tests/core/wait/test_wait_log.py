"""What a task's log shows of its wait, in a worker, in a reschedule mode and in a triggerer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from self_hosted.core.http.errors import ServerError, UnavailableError
from self_hosted.core.http.flow import Flow, Pause
from self_hosted.core.wait import wait_log
from self_hosted.core.wait.loop import poll, poll_once
from self_hosted.core.wait.observation import MISSING, Observation
from self_hosted.core.wait.pending import PendingWait, Progress
from self_hosted.core.wait.poller import Poller
from self_hosted.core.wait.spec import WaitSpec
from self_hosted.core.wait.wait_log import WaitLog
from tests.core.toy import JOB, Toy, ToyHook
from tests.core.wait.poller_tasks import JOB_PATH, POLL_SECONDS, now_plus, seed_jobs

RUNNING, DONE = Observation("running", done=False), Observation("done", done=True)


class Clock:
    """The time of the log lines; it stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Clock:
    caplog.set_level(logging.INFO)
    clock = Clock()
    monkeypatch.setattr(wait_log, "time", clock)
    return clock


def make_wait(clock: Clock, key: str = "a", progress: Progress | None = None) -> PendingWait:
    pending = PendingWait(key, clock.now + 600, 30, since=clock.now)
    pending.progress = progress or pending.progress
    return pending


def begin(clock: Clock, *keys: str) -> list[PendingWait]:
    waits = [make_wait(clock, key) for key in keys]
    WaitLog.begin(JOB, waits, 30)
    return waits


def take(pending: PendingWait, *results: Any, is_over: bool = False) -> None:
    """Take in the results of polls, as the loop does."""
    for result in results:
        pending.update(result)
        assert pending.log is not None
        pending.log.update(pending, is_over=is_over)


def test_the_first_line_names_object_interval_and_deadline(clock, caplog):
    begin(clock, "a")
    assert caplog.messages == ["Waiting for job a: polled at least every 30 s, until 1970-01-12 13:56:40 UTC"]


def test_a_deadline_in_a_distant_future_is_no_error(clock, caplog):
    WaitLog.begin(JOB, [PendingWait("a", 1e18, 30, since=clock.now)], 30)
    assert "until 9999-01-01" in caplog.text


def test_nothing_to_wait_for_is_not_logged(clock, caplog):
    WaitLog.begin(JOB, [], 30)
    assert caplog.messages == []


def test_a_change_is_logged_at_once_and_the_rest_once_per_minute(clock, caplog):
    [pending] = begin(clock, "a")
    caplog.clear()
    for second in range(0, 130, 2):
        clock.now = 1_000_000.0 + second
        take(pending, Observation("running", done=False, progress=second / 2))
    take(pending, DONE, is_over=True)
    assert caplog.messages == [
        "job a is 'running' at 0 %, after 0 s",
        "job a is still 'running' at 30 %, after 60 s",
        "job a is still 'running' at 60 %, after 120 s",
        "job a is 'done', after 128 s: the wait is over",
    ]


def test_an_object_that_does_not_exist_yet_is_named_once_per_minute(clock, caplog):
    [pending] = begin(clock, "a")
    caplog.clear()
    for _ in range(100):
        clock.now += 1
        take(pending, None)
    assert caplog.messages == ["job a has not been found yet, after 60 s"]


def test_a_state_that_changes_with_every_poll_is_not_logged_with_every_poll(clock, caplog):
    [pending] = begin(clock, "a")
    caplog.clear()
    for percent in range(100):
        clock.now += 1
        take(pending, Observation(f"{percent} % compliant", done=False))
    assert len(caplog.messages) == 5 + 1 + 4  # at once; after a minute; and as many changes again


@pytest.mark.parametrize("result", [MISSING, ServerError("gone")])
def test_the_end_of_a_failed_wait_is_left_to_its_error(clock, caplog, result):
    [pending] = begin(clock, "a")
    take(pending, RUNNING)
    caplog.clear()
    pending.error = result if isinstance(result, ServerError) else None
    take(pending, result, is_over=True)
    assert caplog.messages == []


def test_a_wait_that_times_out_is_left_to_its_error(clock, caplog):
    [pending] = begin(clock, "a")
    take(pending, RUNNING)
    caplog.clear()
    take(pending, RUNNING, is_over=True)
    assert caplog.messages == []


def test_failing_polls_are_logged_at_once_then_once_per_minute_and_their_end_once(clock, caplog, monkeypatch):
    monkeypatch.setattr("self_hosted.core.wait.pending.time", clock)
    [pending] = begin(clock, "a")
    take(pending, RUNNING)
    caplog.clear()
    for _ in range(70):
        clock.now += 1
        take(pending, UnavailableError("busy"))
    take(pending, RUNNING, RUNNING)
    assert caplog.messages == [
        "job a: polls have failed for 0 s, and go on: busy",
        "job a: polls have failed for 60 s, and go on: busy",
        "job a: polls succeed again",
        "job a is still 'running', after 70 s",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO", "INFO"]


def test_polls_that_fail_now_and_then_are_not_logged_each_time(clock, caplog, monkeypatch):
    monkeypatch.setattr("self_hosted.core.wait.pending.time", clock)
    [pending] = begin(clock, "a")
    take(pending, RUNNING)
    caplog.clear()
    for _ in range(25):
        clock.now += 1
        take(pending, UnavailableError("busy"), RUNNING)
    assert caplog.messages == ["job a: polls have failed for 0 s, and go on: busy", "job a: polls succeed again"]


def test_many_waits_of_a_task_are_counted(clock, caplog):
    waits = begin(clock, "a", "b", "c")
    for pending in waits[:2]:
        clock.now += 40
        take(pending, RUNNING)
        take(pending, DONE, is_over=True)
    take(waits[2], DONE, is_over=True)
    assert caplog.messages == [
        "Waiting for job a and 2 more: polled at least every 30 s, until 1970-01-12 13:56:40 UTC",
        "job a and 2 more: 1 of 3 have ended, after 80 s",
        "job a and 2 more: 3 of 3 have ended, after 80 s",
    ]


def test_a_later_poke_continues_the_lines_of_the_earlier_ones(clock, caplog):
    [first] = begin(clock, "a")
    take(first, RUNNING)
    lines = len(caplog.messages)
    clock.now += 10
    second = make_wait(clock, progress=Progress.from_json(first.progress.as_json()))
    WaitLog.begin(JOB, [second], 30)
    take(second, RUNNING)
    assert len(caplog.messages) == lines
    clock.now += 50
    take(second, RUNNING)
    assert caplog.messages[lines:] == ["job a is still 'running', after 50 s"]


def test_progress_that_an_earlier_version_stored_is_read():
    assert Progress.from_json({"observation": None, "changed_at": 1.0}) == Progress(None, 1.0, 0.0)


def test_the_pauses_of_a_loop_are_logged_once_per_minute(clock, caplog):
    [pending] = begin(clock, "a")
    caplog.clear()
    for _ in range(70):
        clock.now += 1
        assert pending.log is not None
        pending.log.pause("busy: retry 1 in 1 s")
    assert caplog.messages == ["busy: retry 1 in 1 s"] * 2


# in the loop


def test_the_worker_logs_begin_change_and_end(hook: ToyHook, toy: Toy, caplog):
    caplog.set_level(logging.INFO)
    seed_jobs(toy, a=5)
    pending = PendingWait("a", now_plus(60), POLL_SECONDS)
    WaitLog.begin(JOB, [pending], POLL_SECONDS)
    hook.run(poll(JOB, {pending}))
    texts = [record.getMessage().partition(",")[0] for record in caplog.records if "job a" in record.getMessage()]
    assert texts[1:] == ["job a is 'running'", "job a is 'done'"]
    assert texts[0].startswith("Waiting for job a: polled at least every 0.05 s")


def test_an_unreadable_response_is_logged_with_its_cause(caplog):
    def refresh(keys: Any) -> Flow[Any]:
        yield Pause(0)
        return dict[str, Any]()["missing"]

    wait_spec = WaitSpec("", "job", refresh)
    pending = PendingWait("a", now_plus(60), 1)
    WaitLog.begin(wait_spec, [pending], 1)
    flow = poll_once(wait_spec, {pending})
    next(flow)
    with pytest.raises(StopIteration):
        flow.send(None)  # type: ignore[arg-type]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "job a: the response is malformed: reading it raised KeyError"
    assert record.exc_info


# in a triggerer


class BoundTasks(logging.Handler):
    """Records each line with the task that is bound in its context, as Airflow's triggerer does."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        task = structlog.contextvars.get_contextvars().get("trigger_id")
        self.lines.setdefault(task, []).append(record.getMessage())


@pytest.fixture
def bound_tasks(caplog) -> Iterator[BoundTasks]:
    caplog.set_level(logging.INFO)
    handler = BoundTasks()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


async def wait_as_trigger(trigger_id: int, key: str) -> Observation:
    structlog.contextvars.bind_contextvars(trigger_id=trigger_id)
    pending = PendingWait(key, now_plus(60), POLL_SECONDS)
    WaitLog.begin(JOB, [pending], POLL_SECONDS)
    return await Poller.shared(JOB_PATH, "toy_default").wait(pending)


async def test_each_task_gets_its_own_lines_from_the_shared_loop(
    hook: ToyHook, toy: Toy, served, bound_tasks: BoundTasks, monkeypatch
):
    monkeypatch.setattr("self_hosted.core.http.retries._backoff", lambda state: 0.01)
    seed_jobs(toy, a=3, b=6)
    served.fail("status", status=503, path="/jobs", times=1)
    async with asyncio.TaskGroup() as group:
        group.create_task(wait_as_trigger(1, "a"))
        group.create_task(wait_as_trigger(2, "b"))
    assert set(bound_tasks.lines) - {None} == {1, 2}
    for trigger_id, key in ((1, "a"), (2, "b")):
        lines = bound_tasks.lines[trigger_id]
        own = [line for line in lines if f"job {key}" in line]
        assert len(own) == 3
        assert own[-1].startswith(f"job {key} is 'done'")
        assert [line for line in lines if "retry 1" in line] == [line for line in lines if line not in own]
        assert len(lines) == 4
