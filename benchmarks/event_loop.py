"""The resources that work on an event loop takes: CPU, memory, and the time that it blocks the loop. Linux only.

An event loop waits for events, handles them all, and waits again; no other task runs in between. Its selector, which
does the waiting, therefore measures the blocked time. A task that sleeps and measures its delay would see the same, but
would take more CPU than the work itself.

Time in which the machine ran other processes is not blocked time. A stretch without a voluntary context switch (a sleep
or a wait for a lock) is therefore measured in CPU time, and one with such a switch in wall time.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import selectors
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.memory import get_peak_memory, reset_peak_memory

T = TypeVar("T")
Ready = list[tuple[selectors.SelectorKey, int]]


@dataclass(frozen=True)
class Resources:
    """The resources that some work took.

    :param cpu_seconds: CPU time, without garbage collections
    :param memory_mib: growth of the peak memory
    :param stall_seconds: longest blocked time, without garbage collections
    :param wall_stall_seconds: longest time between two waits by the clock, with everything in between
    :param collection_seconds: CPU time of all garbage collections
    :param longest_collection_seconds: CPU time of the longest one
    """

    cpu_seconds: float
    memory_mib: float
    stall_seconds: float
    wall_stall_seconds: float
    collection_seconds: float
    longest_collection_seconds: float


class MeasuringSelector(selectors.DefaultSelector):
    """A selector that measures the time between two waits."""

    def __init__(self) -> None:
        super().__init__()
        self.stall = self.wall_stall = self.collected = self.longest_collection = 0.0
        self._collection_start = 0.0
        self._last = self._read_clocks()

    def select(self, timeout: float | None = None) -> Ready:
        """Wait for events."""
        wall, cpu, switches = (now - then for now, then in zip(self._read_clocks(), self._last, strict=True))
        self.wall_stall, self.stall = max(self.wall_stall, wall), max(self.stall, wall if switches else cpu)
        ready = super().select(timeout)
        self._last = self._read_clocks()
        return ready

    def _read_clocks(self) -> tuple[float, float, int]:
        voluntary_switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        return time.perf_counter(), time.thread_time() - self.collected, voluntary_switches

    def record_collection(self, phase: str, _: object) -> None:
        """Record the start or the end of a garbage collection."""
        if phase == "start":
            self._collection_start = time.thread_time()
            return
        seconds = time.thread_time() - self._collection_start
        self.collected, self.longest_collection = self.collected + seconds, max(self.longest_collection, seconds)


def measure(work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, Resources]:
    """Run some work on a new event loop; return its result and the resources that it took.

    :param work: returns the coroutine to run
    """
    selector = MeasuringSelector()
    reset_peak_memory()
    memory, cpu = get_peak_memory(), time.process_time()
    gc.callbacks.append(selector.record_collection)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        result = runner.run(work())
    gc.callbacks.remove(selector.record_collection)
    cpu, memory = time.process_time() - cpu - selector.collected, get_peak_memory() - memory
    stalls, collections = (selector.stall, selector.wall_stall), (selector.collected, selector.longest_collection)
    return result, Resources(cpu, memory, *stalls, *collections)
