"""How much one process asks of one server at once, and per second.

Libraries for this wait by themselves, blocking or in an event loop; here waiting is a step of a flow like any other, so
that one limit serves both transports and all threads of a process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import ClassVar

from self_hosted.core.connection import Settings
from self_hosted.core.flow import Flow, Pause, Reply, Request

CHECK_INTERVAL = 0.05  # seconds between two looks for a free place
QUICKEST = 0.005  # seconds; no product answers sooner, so nobody's turn comes sooner than those before take


class Limit:
    """What all hooks with one connection share in a process.

    :param at_once: how many requests may be under way; 0 = any number
    :param per_second: how many requests may begin in a second; 0 = any number
    """

    known: ClassVar[dict[tuple[str, str], Limit]] = {}

    def __init__(self, at_once: int, per_second: int) -> None:
        self.at_once, self.per_second = at_once, per_second
        self.queue: deque[object] = deque()
        self.under_way = 0
        self.next_start = 0.0
        self._counting = threading.Lock()  # held for a moment only, so that no event loop ever waits for it

    @classmethod
    def of(cls, settings: Settings) -> Limit:
        """The limit of a connection; another one once its settings were changed.

        :param settings: the connection
        """
        at_once, per_second = settings.extra["max_requests_at_once"], settings.extra["max_requests_per_second"]
        place = (settings.conn_id, settings.address.base_url)
        found = cls.known.get(place)
        if found is None or (found.at_once, found.per_second) != (at_once, per_second):
            found = cls.known[place] = cls(at_once, per_second)
        return found

    def send(self, request: Request) -> Flow[Reply]:
        """Send a request as soon as it is its turn: who came first is first."""
        ticket = object()
        with self._counting:
            self.queue.append(ticket)
        try:
            while pause := self._until_next_try(ticket):
                yield Pause(pause)
            pause = self._reserved() - time.monotonic()
            if pause > 0:
                yield Pause(pause)
            return (yield request)
        finally:
            self._leave(ticket)

    def _until_next_try(self, ticket: object) -> float:
        """Seconds after which to ask again, the longer the queue before one is; 0 once one has a place."""
        with self._counting:
            before = self.queue.index(ticket)
            if self.at_once and self.under_way + before >= self.at_once:
                return max(CHECK_INTERVAL, QUICKEST * before / self.at_once)
            self.queue.remove(ticket)
            self.under_way += 1
            return 0.0

    def _leave(self, ticket: object) -> None:
        with self._counting:
            if ticket in self.queue:
                self.queue.remove(ticket)
            else:
                self.under_way -= 1

    def _reserved(self) -> float:
        """When this request may begin: those that come together are spread evenly."""
        if not self.per_second:
            return 0.0
        with self._counting:
            start = max(self.next_start, time.monotonic())
            self.next_start = start + 1 / self.per_second
            return start
