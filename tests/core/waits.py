"""What the tests of waits share: jobs of the toy, and tasks that wait for them in an event loop."""

from __future__ import annotations

import asyncio
import time

from self_hosted.core.poller import Poller
from self_hosted.core.question import Seen
from self_hosted.core.wait import Waiter
from tests.core.toy import Toy

JOB_PATH, SMALL_PATH = "tests.core.toy.JOB", "tests.core.toy.SMALL"
SOON = 0.05  # seconds between two looks in these tests


def later(seconds: float = 30) -> float:
    return time.time() + seconds


def jobs(toy: Toy, **looks: int) -> None:
    """Jobs by name, with the number of looks before they are done."""
    toy.seed({"jobs": {name: {"looks": count} for name, count in looks.items()}})


def waiting(
    key: str, deadline: float | None = None, question: str = JOB_PATH, conn_id: str = "toy_default"
) -> asyncio.Task[Seen]:
    return waiting_as(Waiter(key, deadline or later(), SOON), question, conn_id)


def waiting_as(waiter: Waiter, question: str = JOB_PATH, conn_id: str = "toy_default") -> asyncio.Task[Seen]:
    async def wait() -> Seen:
        return await Poller.at(question, conn_id).wait(waiter)

    return asyncio.ensure_future(wait())
