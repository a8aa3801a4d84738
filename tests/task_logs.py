"""The log lines of a task, as a user reads them: those of our loggers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from self_hosted.core.http import worker_transport
from tests.conftest import Served
from tests.context import context, executed
from tests.hostile.echo import has_secret

SECONDS = re.compile(r"\d+(\.\d+)? (s|ms)\b")
MAX_LINES = 12  # of a task that does one thing


class Clock:
    """Pauses of workers end at once; their seconds are recorded."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker_transport, "time", clock)
    return clock


def read_lines(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """Return the lines of our loggers, without durations."""
    own = [record for record in caplog.records if record.name.startswith("self_hosted.") and record.levelno >= level]
    return [SECONDS.sub("N s", record.getMessage()) for record in own if ".sandbox." not in record.name]


def read_warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of our loggers, without durations."""
    return read_lines(caplog, logging.WARNING)


def run_logged(make_task: Callable[[], Any], caplog: pytest.LogCaptureFixture, **of_ti: Any) -> list[str]:
    """Run a task to its end, and return its lines, without durations."""
    caplog.set_level(logging.INFO)
    caplog.clear()
    executed(make_task, context(make_task(), **of_ti))
    return read_lines(caplog)


def require_pauses(
    make_task: Callable[[], Any], served: Served, caplog: pytest.LogCaptureFixture, clock: Clock, **request: Any
) -> None:
    """Check that four rejections and a Retry-After of seven seconds are five lines, each with its reason."""
    served.fail("status", status=503, times=4, **request)
    run_logged(make_task, caplog)
    retries = [line for line in read_warnings(caplog) if "retry" in line]
    assert len(retries) == 4
    assert len(clock.slept) >= 4
    assert all("(HTTP 503): retry" in line and request["path"] in line for line in retries)
    served.fail("status", status=503, headers={"Retry-After": "7"}, **request)
    run_logged(make_task, caplog)
    [line] = [line for line in read_warnings(caplog) if "retry" in line]
    assert "(Retry-After)" in line
    assert 7.0 in clock.slept


def require_no_secret(lines: Sequence[str]) -> None:
    """Check that there are lines, and that none shows a credential."""
    assert lines
    assert not [line for line in lines if has_secret(line)]


__all__ = [
    "Clock",
    "TaskDeferred",
    "clock",
    "read_lines",
    "read_warnings",
    "require_no_secret",
    "require_pauses",
    "run_logged",
]
