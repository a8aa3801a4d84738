"""Faults that a test configures: the sandbox rejects a request, delays it, or loses its response.

A fault is JSON: {"product": "rudder", "method": "POST", "path": "/rules/.*", "times": 1, "kind": ...}, with the kinds

    status     respond with ``status`` (default 503), ``body`` and ``headers``, without processing the request
    slow       wait ``seconds`` before processing the request
    slow_after process the request, then wait ``seconds`` before responding
    refuse     close the connection without processing the request
    drop       process the request, then close the connection without responding

``probability`` (default 1) limits a fault to a random selection of the matching requests. The probabilities of several
faults add up: with 0.05 and 0.02, 93 % of the requests have no fault. The random generator can be seeded.

`fault_middleware.py` applies the faults.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random


@dataclass
class Fault:
    """A fault: its kind, the requests it matches, and the remaining number of times.

    ``product``, ``method`` and ``path`` are regular expressions that must match completely. Paths are relative to the
    base URL of the product.
    """

    kind: str
    product: str = ".*"
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    probability: float = 1
    seconds: float = 0
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in the counts: the kind, followed by the status for the kind ``status``."""
        return f"{self.kind} {self.status}" if self.kind == "status" else self.kind

    def matches(self, product: str, method: str, path: str) -> bool:
        """Return whether the fault applies to a request and has times left."""
        pairs = ((self.product, product), (self.method, method), (self.path, path))
        return self.times > 0 and all(re.fullmatch(pattern, value) for pattern, value in pairs)


class FaultPlan:
    """The configured faults of all products, and counts of requests and of faults that occurred."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove all faults and reset the counts."""
        self.faults: list[Fault] = []
        self.random = Random()  # noqa: S311 not used for secrets
        self.requests: Counter[str] = Counter()  # by product
        self.fired: Counter[str] = Counter()  # by name of the fault

    def draw(self, product: str, method: str, path: str) -> Fault | None:
        """Count a request and return the fault to apply to it, or None.

        A single random number decides between all matching faults, so that their probabilities add up.
        """
        self.requests[product] += 1
        drawn = self.random.random()
        for fault in self.faults:
            if not fault.matches(product, method, path):
                continue
            if drawn < fault.probability:
                fault.times -= 1
                self.fired[fault.name] += 1
                return fault
            drawn -= fault.probability
        return None
