"""The cost of some work on a session of requests: time, requests, and records sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """The cost of some work.

    :param seconds: wall time
    :param requests: number of requests
    :param records: number of JSON objects sent by POST: one per request, or those of a list
    """

    seconds: float
    requests: int
    records: int


class RequestCounter:
    """Counts the requests of a session.

    :param session: the `requests.Session`
    """

    def __init__(self, session: Any) -> None:
        self.requests = self.records = 0
        session.hooks["response"].append(self._count)

    def measure(self, work: Callable[[], object]) -> Cost:
        """Run some work and return its cost."""
        requests, records, start = self.requests, self.records, time.perf_counter()
        work()
        return Cost(time.perf_counter() - start, self.requests - requests, self.records - records)

    def _count(self, response: Any, **_: Any) -> None:
        self.requests += 1
        if response.request.method == "POST" and "json" in response.request.headers.get("Content-Type", ""):
            body = json.loads(response.request.body)
            self.records += len(body) if isinstance(body, list) else 1
