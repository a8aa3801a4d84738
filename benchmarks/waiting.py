"""What many deferred tasks cost a triggerer, and how soon each goes on once what it waits for is done.

    python -m benchmarks.waiting [TASKS]

The tasks begin to wait one after the other, spread over one interval, for submissions that are all under way and end in
random order. Two ways do the same, each in a process of its own, against the sandbox in another: `WaitTrigger`, whose
tasks share a poller, and the loop that triggers of other providers have, in which each task asks for its own thing by a
request of its own. The loops are spared what would count against them: they share connection, login and client, ask
for the document alone and not for the verdict, and have no trigger around them. Both ways leave a submission alone at
first, for as long as a deferred task must, and none ends before that.

The requests are counted by the sandbox; CPU and memory are those of the process. What a stall is stands in
`event_loop.py`. Python's garbage collector is told apart: one collection takes as long as it takes to walk through all
of Airflow, and whatever makes many objects brings it on. All is imported beforehand, as it is in a triggerer after the
first wait.
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
from urllib.request import Request, urlopen

from benchmarks.event_loop import Taken, watched
from benchmarks.sandbox_speed import sandbox_process
from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.flow import Upload
from self_hosted.core.trigger import SETTLING, WaitTrigger, seen_in

TASKS = 2000
INTERVAL = 5.0  # seconds between two looks
LEAD = 22.0  # seconds; enough to make all submissions, and to look at each for the first time
ENDING = 45.0  # seconds after that, in which they end
FEWER_REQUESTS, LESS_CPU = 100, 20  # times
LATEST, LONGEST_STALL = INTERVAL + 1, 0.05  # seconds

Ends = Mapping[str, float]  # when each submission ends, by its id, in seconds since the epoch
Wait = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def one_poller() -> AsyncGenerator[Wait]:
    """Tasks wait as ours do."""

    async def wait(sid: str) -> None:
        trigger = WaitTrigger(
            question="self_hosted.assemblyline.triggers.SUBMISSION",
            conn_id="assemblyline_default",
            keys=[sid],
            since=time.time(),
            deadline=time.time() + 600,
            poll_interval=INTERVAL,
        )
        async for event in trigger.run():
            assert seen_in(event.payload["outcomes"][sid]).state == "completed"

    yield wait


@asynccontextmanager
async def a_loop_each() -> AsyncGenerator[Wait]:
    """Tasks wait each by itself."""
    async with AssemblylineHook().asking() as ask:

        async def wait(sid: str) -> None:
            await asyncio.sleep(SETTLING)
            while (await ask(api.submission(sid)))["state"] != "completed":
                await asyncio.sleep(INTERVAL)

        yield wait


WAYS = {"one poller": one_poller, "a loop each": a_loop_each}


@dataclass(frozen=True)
class Cost:
    """What it took to wait in one of the ways.

    :param requests: how many
    :param delays: from the end of each submission until its task went on, in seconds
    :param taken: what it took of the process
    """

    requests: int
    delays: list[float]
    taken: Taken

    @property
    def late(self) -> float:
        """One task in twenty went on later than that, in seconds."""
        return statistics.quantiles(self.delays, n=20)[-1]

    def __str__(self) -> str:
        taken, median = self.taken, statistics.median(self.delays)
        stall, clock, collection = (1000 * time for time in (taken.stall, taken.by_the_clock, taken.collection))
        return (
            f"{self.requests} requests, {taken.cpu:.2f} s of CPU, {taken.memory:.1f} MiB\n"
            f"    tasks go on after {median:.2f} s, one in twenty after more than {self.late:.2f} s\n"
            f"    longest stall {stall:.0f} ms, garbage collection {collection:.0f} ms, by the clock {clock:.0f} ms"
        )


def ready() -> None:
    """Look the connection up and open a client, so that all that this imports is there."""

    async def work() -> None:
        async with AssemblylineHook().asking():
            pass

    asyncio.run(work())


def waited(way: str, ends: Ends) -> tuple[list[float], Taken]:
    """The delays of all tasks, and what it took.

    :param way: one of `WAYS`
    :param ends: what to wait for
    """

    async def work() -> list[float]:
        async with WAYS[way]() as wait:

            async def task(number: int, sid: str) -> float:
                await asyncio.sleep(INTERVAL * number / len(ends))
                await wait(sid)
                return time.time() - ends[sid]

            return await asyncio.gather(*(task(number, sid) for number, sid in enumerate(ends)))

    return watched(work)


def submitted(count: int) -> Ends:
    """Submissions that take a while; how long is random, but the same in each run."""
    hook, chance, ends = AssemblylineHook(), random.Random(7), {}
    for _ in range(count):
        seconds = LEAD + chance.uniform(0, ENDING)
        text = f"RIG-SLEEP:{seconds:.3f}".encode()
        made = hook.submit(Upload("sleeper.txt", lambda text=text: BytesIO(text), len(text)), {})  # type: ignore[misc]
        ends[made["sid"]] = time.time() + seconds
    return ends


def cost(url: str, way: str, count: int) -> Cost:
    """What it takes to wait in one of the ways, in a process of its own."""

    def control(action: str, data: object) -> None:
        urlopen(Request(f"{url}/_control/{action}", json.dumps(data).encode(), method="POST"))

    def requests() -> int:
        return int(json.load(urlopen(f"{url}/_control/counts"))["requests"]["assemblyline"])

    control("reset", {})
    control("seed", {"assemblyline": {"delay": 0}})
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        process.submit(ready).result()
        ends = submitted(count)
        before = requests()
        delays, taken = process.submit(waited, way, ends).result()
    return Cost(requests() - before, delays, taken)


def main() -> int:
    """Measure, print, and say whether all limits are kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    with sandbox_process() as url:
        connections = json.load(urlopen(f"{url}/_control/connections"))
        os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connections["assemblyline_default"])
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        own, peer = costs = [cost(url, way, count) for way in WAYS]
    print(f"{count} deferred tasks, {INTERVAL:g} s between two looks")
    for way, found in zip(WAYS, costs, strict=True):
        print(f"{way}: {found}")
    fewer, less, stall = peer.requests / own.requests, peer.taken.cpu / own.taken.cpu, own.taken.stall
    limits = {
        f"{fewer:.0f} times fewer requests; limit {FEWER_REQUESTS}": fewer >= FEWER_REQUESTS,
        f"{less:.0f} times less CPU; limit {LESS_CPU}": less >= LESS_CPU,
        f"19 tasks in 20 go on within {own.late:.2f} s; limit {LATEST:g} s": own.late <= LATEST,
        f"longest stall {1000 * stall:.0f} ms; limit {1000 * LONGEST_STALL:g} ms": stall <= LONGEST_STALL,
    }
    for what, kept in limits.items():
        print("PASS " if kept else "FAIL ", what)
    return 0 if all(limits.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
