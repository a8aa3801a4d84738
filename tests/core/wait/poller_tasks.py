"""Jobs of the toy, and asyncio tasks that wait for them."""

from __future__ import annotations

import asyncio
import time

from self_hosted.core.wait.observation import Observation
from self_hosted.core.wait.pending import PendingWait
from self_hosted.core.wait.poller import Poller
from tests.core.toy import Toy

JOB_PATH, SMALL_BATCHES_PATH = "tests.core.toy.JOB", "tests.core.toy.SMALL_BATCHES"
POLL_SECONDS = 0.05  # the longest time between two polls in these tests


def now_plus(seconds: float = 30) -> float:
    """Return a time relative to now, in seconds since the epoch."""
    return time.time() + seconds


def seed_jobs(toy: Toy, **polls: int) -> None:
    """Add jobs: the number of polls before they are done, by id."""
    toy.seed({"jobs": {job_id: {"polls": count} for job_id, count in polls.items()}})


def start_wait(
    key: str, deadline: float | None = None, wait_spec: str = JOB_PATH, conn_id: str = "toy_default"
) -> asyncio.Task[Observation]:
    return start_pending_wait(PendingWait(key, deadline or now_plus(), POLL_SECONDS), wait_spec, conn_id)


def start_pending_wait(
    pending: PendingWait, wait_spec: str = JOB_PATH, conn_id: str = "toy_default"
) -> asyncio.Task[Observation]:
    async def wait() -> Observation:
        return await Poller.shared(wait_spec, conn_id).wait(pending)

    return asyncio.ensure_future(wait())
