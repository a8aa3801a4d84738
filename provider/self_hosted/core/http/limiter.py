"""A limit on concurrent requests and on requests per second, as middleware.

Libraries for this block, or need an event loop. Here a wait is a step of a flow, so that one limit serves both
transports and all threads of a process.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from self_hosted.core.http.flow import Flow, Pause, Reply, Request
from self_hosted.core.http.logs import LONG_PAUSE_SECONDS, Throttle

CHECK_INTERVAL_SECONDS = 0.05
MIN_RESPONSE_SECONDS = 0.005  # no product answers faster, so the queue moves no faster than this per request


class RequestLimiter:
    """Middleware that sends requests first in, first out, within the limits. May be shared by threads and hooks.

    :param max_concurrency: how many requests may be in flight; 0 = no limit
    :param max_per_second: how many requests may begin in a second; 0 = no limit
    """

    def __init__(self, max_concurrency: int, max_per_second: int) -> None:
        self.max_concurrency, self.max_per_second = max_concurrency, max_per_second
        self.queue: deque[object] = deque()
        self.in_flight = 0
        self.next_start = 0.0
        self._lock = threading.Lock()  # held for moments only, so that no event loop ever waits for it

    def send(self, request: Request) -> Flow[Reply]:
        """Send the request when its turn has come."""
        ticket = object()
        with self._lock:
            self.queue.append(ticket)
        try:
            throttle = None
            while pause := self._seconds_until_next_check(ticket):
                throttle = throttle or Throttle(LONG_PAUSE_SECONDS)
                yield Pause(pause, reason=throttle.reason(f"{request.method} {request.path}: {self._full}"))
            pause = self._reserve_start() - time.monotonic()
            if pause > 0:
                yield Pause(pause, reason=self._describe_rate(request, pause) if pause >= LONG_PAUSE_SECONDS else "")
            return (yield request)
        finally:
            self._release(ticket)

    @property
    def _full(self) -> str:
        return f"waiting for one of the connection's {self.max_concurrency} concurrent requests to end"

    def _describe_rate(self, request: Request, seconds: float) -> str:
        limit = f"the connection's limit of {self.max_per_second} requests per second"
        return f"{request.method} {request.path}: waiting {seconds:.0f} s because of {limit}"

    def _seconds_until_next_check(self, ticket: object) -> float:
        """Take a free place and return 0; else return the pause before the next check, by the position in the queue."""
        with self._lock:
            position = self.queue.index(ticket)
            if self.max_concurrency and self.in_flight + position >= self.max_concurrency:
                return max(CHECK_INTERVAL_SECONDS, MIN_RESPONSE_SECONDS * position / self.max_concurrency)
            self.queue.remove(ticket)
            self.in_flight += 1
            return 0.0

    def _release(self, ticket: object) -> None:
        with self._lock:
            if ticket in self.queue:
                self.queue.remove(ticket)
            else:
                self.in_flight -= 1

    def _reserve_start(self) -> float:
        """Return when this request may begin; requests that arrive together are spread evenly."""
        if not self.max_per_second:
            return 0.0
        with self._lock:
            start = max(self.next_start, time.monotonic())
            self.next_start = start + 1 / self.max_per_second
            return start
