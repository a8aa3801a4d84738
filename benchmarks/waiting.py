"""The cost of many deferred tasks for a triggerer, and the delay until each task resumes.

    python -m benchmarks.waiting [TASKS]

The tasks start to wait one after the other within one poll interval. They wait for submissions that are all in progress
and complete in random order. Two variants do the same, each in a process of its own, against a sandbox in another:

- one poller: `WaitTrigger`, whose tasks share a poller;
- one loop per task: the usual loop of triggers in other providers, in which each task sends requests of its own.

The loops are spared some costs that they have in practice: they share connection, login and client, read the document
only and not the verdict, and have no trigger around them. Both variants leave a submission alone for the minimum time
that a deferred task needs, and no submission completes before that.

The sandbox counts the requests; CPU and memory are those of the process. `event_loop.py` defines a stall. Garbage
collections are reported separately: a collection takes as long as it takes to traverse all objects of Airflow, and any
code that creates many objects causes it. Everything is imported beforehand, as in a triggerer after its first wait.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO

from benchmarks.event_loop import Resources, measure
from benchmarks.sandbox import get_connection, get_control, post_control, run_sandbox
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Upload
from self_hosted.core.wait.trigger import MIN_DEFERRAL_SECONDS, WaitTrigger, observation_from_event

DEFAULT_TASKS = 2000
POLL_INTERVAL_SECONDS = 5.0
MIN_ANALYSIS_SECONDS = 22.0  # enough to create all submissions and to poll each once
MAX_ADDITIONAL_SECONDS = 45.0
MIN_REQUESTS_RATIO, MIN_CPU_RATIO = 100, 20
MAX_DELAY_SECONDS, MAX_STALL_SECONDS = POLL_INTERVAL_SECONDS + 1, 0.05

EndTimes = Mapping[str, float]  # submission id -> time of its completion, in seconds since the epoch
Wait = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def share_poller() -> AsyncGenerator[Wait]:
    """Yield the wait of one task with the provider's trigger."""

    async def wait(sid: str) -> None:
        trigger = WaitTrigger(
            wait_spec="self_hosted.assemblyline.waits.SUBMISSION",
            conn_id="assemblyline_default",
            keys=[sid],
            since=time.time(),
            deadline=time.time() + 600,
            poll_interval=POLL_INTERVAL_SECONDS,
        )
        async for event in trigger.run():
            assert observation_from_event(event.payload["outcomes"][sid]).state == "completed"

    yield wait


@asynccontextmanager
async def run_loops() -> AsyncGenerator[Wait]:
    """Yield the wait of one task in a loop of its own."""
    async with AssemblylineHook().async_client() as send:

        async def wait(sid: str) -> None:
            await asyncio.sleep(MIN_DEFERRAL_SECONDS)
            while (await send(submissions.get(sid)))["state"] != "completed":
                await asyncio.sleep(POLL_INTERVAL_SECONDS)

        yield wait


VARIANTS = {"one poller": share_poller, "one loop per task": run_loops}


@dataclass(frozen=True)
class Cost:
    """The cost of one variant.

    :param requests: number of requests
    :param delays: seconds from the completion of each submission until its task resumed
    :param resources: resources that the process took
    """

    requests: int
    delays: list[float]
    resources: Resources

    @property
    def delay_95_seconds(self) -> float:
        """The 95th percentile of the delays."""
        return statistics.quantiles(self.delays, n=20)[-1]

    def __str__(self) -> str:
        resources, median = self.resources, statistics.median(self.delays)
        stall, wall_stall = 1000 * resources.stall_seconds, 1000 * resources.wall_stall_seconds
        collection = 1000 * resources.collection_seconds
        return (
            f"{self.requests} requests, {resources.cpu_seconds:.2f} s of CPU, {resources.memory_mib:.1f} MiB\n"
            f"    delay: median {median:.2f} s, 95th percentile {self.delay_95_seconds:.2f} s\n"
            f"    longest stall {stall:.0f} ms ({wall_stall:.0f} ms by the clock), "
            f"longest garbage collection {collection:.0f} ms"
        )


def warm_up() -> None:
    """Read the connection and open a client, so that everything is imported."""

    async def work() -> None:
        async with AssemblylineHook().async_client():
            pass

    asyncio.run(work())


def run_waits(variant: str, end_times: EndTimes) -> tuple[list[float], Resources]:
    """Run all waits; return their delays and the resources that they took.

    :param variant: one of `VARIANTS`
    :param end_times: the submissions to wait for
    """

    async def work() -> list[float]:
        async with VARIANTS[variant]() as wait:

            async def run_task(number: int, sid: str) -> float:
                await asyncio.sleep(POLL_INTERVAL_SECONDS * number / len(end_times))
                await wait(sid)
                return time.time() - end_times[sid]

            return await asyncio.gather(*(run_task(number, sid) for number, sid in enumerate(end_times)))

    return measure(work)


def submit_files(count: int) -> EndTimes:
    """Submit files whose analyses take random times, the same in each run."""
    hook, generator, end_times = AssemblylineHook(), random.Random(7), {}
    for _ in range(count):
        seconds = MIN_ANALYSIS_SECONDS + generator.uniform(0, MAX_ADDITIONAL_SECONDS)
        text = f"RIG-SLEEP:{seconds:.3f}".encode()
        submission = hook.submit(Upload("file.txt", lambda text=text: BytesIO(text), len(text)), {})  # type: ignore[misc]
        end_times[submission["sid"]] = time.time() + seconds
    return end_times


def measure_variant(url: str, variant: str, count: int) -> Cost:
    """Return the cost of one variant, run in a process of its own."""

    def count_requests() -> int:
        return int(get_control(url, "counts")["requests"]["assemblyline"])

    post_control(url, "reset", {})
    post_control(url, "seed", {"assemblyline": {"delay": 0}})
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(warm_up).result()
        end_times = submit_files(count)
        before = count_requests()
        delays, resources = process.submit(run_waits, variant, end_times).result()
    return Cost(count_requests() - before, delays, resources)


def main() -> int:
    """Measure and print; return 0 only if the poller is within all limits."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_TASKS
    with run_sandbox() as url:
        connection = get_connection(url, "assemblyline_default")
        os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        poller, loops = costs = [measure_variant(url, variant, count) for variant in VARIANTS]
    print(f"{count} deferred tasks, poll interval {POLL_INTERVAL_SECONDS:g} s")
    for variant, cost in zip(VARIANTS, costs, strict=True):
        print(f"{variant}: {cost}")
    checks = check_limits(poller, loops)
    for text, passed in checks.items():
        print("PASS " if passed else "FAIL ", text)
    return 0 if all(checks.values()) else 1


def check_limits(poller: Cost, loops: Cost) -> dict[str, bool]:
    """Return a text for each limit, and whether the poller is within it."""
    requests_ratio = loops.requests / poller.requests
    cpu_ratio = loops.resources.cpu_seconds / poller.resources.cpu_seconds
    delay, stall = poller.delay_95_seconds, poller.resources.stall_seconds
    return {
        f"{requests_ratio:.0f} times fewer requests; limit {MIN_REQUESTS_RATIO}": requests_ratio >= MIN_REQUESTS_RATIO,
        f"{cpu_ratio:.0f} times less CPU; limit {MIN_CPU_RATIO}": cpu_ratio >= MIN_CPU_RATIO,
        f"95th percentile of the delay {delay:.2f} s; limit {MAX_DELAY_SECONDS:g} s": delay <= MAX_DELAY_SECONDS,
        f"longest stall {1000 * stall:.0f} ms; limit {1000 * MAX_STALL_SECONDS:g} ms": stall <= MAX_STALL_SECONDS,
    }


if __name__ == "__main__":
    sys.exit(main())
