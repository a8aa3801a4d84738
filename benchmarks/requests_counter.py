"""The cost of some work: time, requests, and records sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from self_hosted.core.http.flow import UNSET, Reply, Request, Step


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
    """Counts the requests of a session or a transport.

    :param sender: a `requests.Session`, or the `WorkerTransport` of a hook
    """

    def __init__(self, sender: Any) -> None:
        self.requests = self.records = 0
        if hasattr(sender, "perform"):
            self._perform_step, sender.perform = sender.perform, self._perform
        else:
            sender.hooks["response"].append(self._count_response)

    def measure(self, work: Callable[[], object]) -> Cost:
        """Run some work and return its cost."""
        requests, records, start = self.requests, self.records, time.perf_counter()
        work()
        return Cost(time.perf_counter() - start, self.requests - requests, self.records - records)

    def _perform(self, step: Step) -> Reply:
        reply: Reply = self._perform_step(step)
        if isinstance(step, Request):
            self._count(step.json if step.method == "POST" else UNSET)
        return reply

    def _count_response(self, response: Any, **_: Any) -> None:
        is_json = response.request.method == "POST" and "json" in response.request.headers.get("Content-Type", "")
        self._count(json.loads(response.request.body) if is_json else UNSET)

    def _count(self, body: Any) -> None:
        self.requests += 1
        if body is not UNSET:
            self.records += len(body) if isinstance(body, list) else 1
