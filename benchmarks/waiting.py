"""The cost of many deferred tasks for a triggerer, and the delay until each task resumes.

    python -m benchmarks.waiting [--waits WAITS] [--latency SECONDS]
    python -m benchmarks.waiting --waits 10000

The tasks start to wait one after the other within one poll interval. They wait for submissions that are all in progress
and complete in random order. Two variants do the same, each in a process of its own, against a sandbox in another:

- one poller: `WaitTrigger`, whose tasks share a poller;
- one loop per task: the usual loop of triggers in other providers, in which each task sends requests of its own.

More than 2,500 waits are run with the poller only: the sandbox cannot respond to so many loops.

The loops are spared some costs that they have in practice: they share connection, login and client, read the document
only and not the verdict, and have no trigger around them. Both variants leave a submission alone for the minimum time
that a deferred task needs, and no submission completes before that.

The sandbox counts the requests; CPU and memory are those of the process. `event_loop.py` defines a stall. Garbage
collections are reported separately, and are no part of the CPU time of either variant: a collection takes as long as it
takes to traverse all objects of Airflow, a fifth of the poller's time, and whether a run has one, two or three of them
depends on what was created before. Everything is imported beforehand, as in a triggerer after its first wait.

The limits:

- the poller sends 30 times fewer requests than the loops, hundreds on an idle machine. On a busy one, the loops fall
  behind: each task is polled less often than it should, and the number of their requests falls;
- it takes 12 times less CPU, without garbage collections; on an idle machine, where the loops keep up, more than 20
  times. Half of its time is spent on the tasks themselves, four coroutines and a log each, which bounds the ratio;
- it resumes 95 of 100 tasks within 1.1 times the delay of the loops, so that a busy machine slows both alike; without
  the loops, within 1.2 poll intervals;
- it never blocks the event loop for 50 ms.
"""

from __future__ import annotations

import argparse
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
from benchmarks.sandbox import get_connection, get_control, hide_logs, post_control, run_sandbox
from self_hosted.assemblyline.api.submissions import submissions
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Upload
from self_hosted.core.wait.trigger import MIN_DEFERRAL_SECONDS, WaitTrigger, observation_from_event

DEFAULT_WAITS, MAX_LOOPS = 2000, 2500
POLL_INTERVAL_SECONDS = 5.0
MIN_ANALYSIS_SECONDS = 22.0  # enough to poll each submission once
MAX_ADDITIONAL_SECONDS = 45.0
MIN_REQUESTS_RATIO, MIN_CPU_RATIO = 30, 12
MAX_DELAY_RATIO, MAX_DELAY_SECONDS, MAX_STALL_SECONDS = 1.1, 1.2 * POLL_INTERVAL_SECONDS, 0.05

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


POLLER, LOOPS = "one poller", "one loop per task"
VARIANTS = {POLLER: share_poller, LOOPS: run_loops}


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
        longest_collection = 1000 * resources.longest_collection_seconds
        return (
            f"{self.requests} requests, {resources.cpu_seconds:.2f} s of CPU, {resources.memory_mib:.1f} MiB\n"
            f"    delay: median {median:.2f} s, 95th percentile {self.delay_95_seconds:.2f} s\n"
            f"    longest stall {stall:.0f} ms ({wall_stall:.0f} ms by the clock), "
            f"garbage collections {resources.collection_seconds:.2f} s, the longest {longest_collection:.0f} ms"
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


def submit_files(url: str, count: int) -> EndTimes:
    """Submit files whose analyses take random times, the same in each run, and begin all at once."""
    post_control(url, "seed", {"assemblyline": {"delay": 0, "paused": ["dispatcher"]}})
    hook, generator, durations = AssemblylineHook(), random.Random(7), {}
    for _ in range(count):
        seconds = MIN_ANALYSIS_SECONDS + generator.uniform(0, MAX_ADDITIONAL_SECONDS)
        text = f"RIG-SLEEP:{seconds:.3f}".encode()
        submission = hook.submit(Upload("file.txt", lambda text=text: BytesIO(text), len(text)), {})  # type: ignore[misc]
        durations[submission["sid"]] = seconds
    post_control(url, "seed", {"assemblyline": {"paused": []}})
    start = time.time()
    return {sid: start + seconds for sid, seconds in durations.items()}


def measure_variant(url: str, variant: str, count: int, latency: float) -> Cost:
    """Return the cost of one variant, run in a process of its own.

    :param url: of the sandbox
    :param variant: one of `VARIANTS`
    :param count: number of waits
    :param latency: seconds by which the sandbox delays each response
    """

    def count_requests() -> int:
        return int(get_control(url, "counts")["requests"]["assemblyline"])

    post_control(url, "reset", {})
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(warm_up).result()
        end_times = submit_files(url, count)
        before = count_requests()
        if latency:
            post_control(url, "faults", [{"kind": "slow", "seconds": latency, "times": 10**6}])
        delays, resources = process.submit(run_waits, variant, end_times).result()
    return Cost(count_requests() - before, delays, resources)


def main() -> int:
    """Measure and print; return 0 only if the poller is within all limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--waits", type=int, default=DEFAULT_WAITS, help="number of deferred tasks")
    parser.add_argument("--latency", type=float, default=0, help="seconds by which the server delays each response")
    options = parser.parse_args()
    variants = [POLLER, LOOPS] if options.waits <= MAX_LOOPS else [POLLER]
    with run_sandbox() as url:
        connection = get_connection(url, "assemblyline_default")
        os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
        hide_logs()
        costs = {variant: measure_variant(url, variant, options.waits, options.latency) for variant in variants}
    print(f"{options.waits} deferred tasks, poll interval {POLL_INTERVAL_SECONDS:g} s")
    for variant, cost in costs.items():
        print(f"{variant}: {cost}")
    checks = check_limits(costs[POLLER], costs.get(LOOPS))
    for text, passed in checks.items():
        print("PASS " if passed else "FAIL ", text)
    return 0 if all(checks.values()) else 1


def check_limits(poller: Cost, loops: Cost | None) -> dict[str, bool]:
    """Return a text for each limit, and whether the poller is within it."""
    delay, stall = poller.delay_95_seconds, poller.resources.stall_seconds
    stalls = {f"longest stall {1000 * stall:.0f} ms; limit {1000 * MAX_STALL_SECONDS:g} ms": stall <= MAX_STALL_SECONDS}
    if loops is None:
        text = f"95th percentile of the delay {delay:.2f} s; limit {MAX_DELAY_SECONDS:g} s"
        return {text: delay <= MAX_DELAY_SECONDS, **stalls}
    requests_ratio = loops.requests / poller.requests
    cpu_ratio = loops.resources.cpu_seconds / poller.resources.cpu_seconds
    delay_ratio = delay / loops.delay_95_seconds
    return {
        f"{requests_ratio:.0f} times fewer requests; limit {MIN_REQUESTS_RATIO}": requests_ratio >= MIN_REQUESTS_RATIO,
        f"{cpu_ratio:.1f} times less CPU; limit {MIN_CPU_RATIO}": cpu_ratio >= MIN_CPU_RATIO,
        f"{delay_ratio:.2f} times the delay of the loops; limit {MAX_DELAY_RATIO:g}": delay_ratio <= MAX_DELAY_RATIO,
        **stalls,
    }


if __name__ == "__main__":
    sys.exit(main())
