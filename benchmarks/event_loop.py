"""What work on an event loop takes: CPU, memory, and for how long it keeps all else on the loop waiting. Linux only.

An event loop waits for something to happen, deals with all of it, and waits again; nothing else gets its turn in
between. Its selector, which does the waiting, sees how long that takes. A task that sleeps and looks how late it wakes
would see the same, but take more CPU than what it watches.

Time in which the machine did other things is no stall. A process that is interrupted has not given way by itself, as
one has that sleeps or waits for a lock: so CPU counts where it never did, and the clock where it did.
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

from benchmarks.memory import forget_peak, peak

T = TypeVar("T")
Ready = list[tuple[selectors.SelectorKey, int]]


@dataclass(frozen=True)
class Taken:
    """What some work took.

    :param cpu: seconds
    :param memory: growth of the peak, in MiB
    :param stall: the longest between two waits, without garbage collection, in seconds
    :param by_the_clock: the same with all that came between, in seconds
    :param collection: CPU of one garbage collection at most, in seconds
    """

    cpu: float
    memory: float
    stall: float
    by_the_clock: float
    collection: float


class Watch(selectors.DefaultSelector):
    """A selector that sees how long it is not asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.stall = self.by_the_clock = self.collection = 0.0
        self._collected = self._collecting_since = 0.0
        self._since = self._now()

    def select(self, timeout: float | None = None) -> Ready:
        """Wait."""
        clock, cpu, gave_way = (now - then for now, then in zip(self._now(), self._since, strict=True))
        self.by_the_clock, self.stall = max(self.by_the_clock, clock), max(self.stall, clock if gave_way else cpu)
        ready = super().select(timeout)
        self._since = self._now()
        return ready

    def _now(self) -> tuple[float, float, int]:
        gave_way = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
        return time.perf_counter(), time.thread_time() - self._collected, gave_way

    def collecting(self, phase: str, _: object) -> None:
        """The garbage collector begins, or has ended."""
        if phase == "start":
            self._collecting_since = time.thread_time()
            return
        taken = time.thread_time() - self._collecting_since
        self._collected, self.collection = self._collected + taken, max(self.collection, taken)


def watched(work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, Taken]:
    """The result of some work, done on an event loop of its own, and what it took.

    :param work: what to do
    """
    watch = Watch()
    forget_peak()
    memory, cpu = peak(), time.process_time()
    gc.callbacks.append(watch.collecting)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(watch)) as runner:
        result = runner.run(work())
    gc.callbacks.remove(watch.collecting)
    cpu, memory = time.process_time() - cpu, peak() - memory
    return result, Taken(cpu, memory, watch.stall, watch.by_the_clock, watch.collection)
