"""Faults that a test configures: the sandbox rejects a request, delays it, or loses or distorts its response.

A fault is JSON: {"product": "rudder", "method": "POST", "path": "/rules/.*", "times": 1, "kind": ...}, with the kinds

    status     wait ``seconds``, then respond with ``status`` (default 503), ``body`` and ``headers``, without
               processing the request
    slow       wait ``seconds`` before processing the request
    slow_after process the request, then wait ``seconds`` before responding
    refuse     close the connection without processing the request
    drop       process the request, then close the connection without responding
    outage     wait ``seconds``, then respond as the product does while its ``component`` is down, without processing
               the request; see `Outage`
    drip       process the request, then send the body of the response one byte every ``seconds``
    malformed  process the request, then replace the body of the response: its ``variant`` is one of `VARIANTS`

``processed`` overrides whether ``status``, ``outage`` and ``malformed`` process the request before they respond.

A fault applies ``times`` times (default 1), or for ``duration_seconds`` after it was added. ``probability`` (default 1)
limits it to a random selection of the matching requests. The probabilities of several faults add up: with 0.05 and
0.02, 93 % of the requests have no fault. The random generator can be seeded.

`fault_middleware.py` applies the faults.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Protocol


class Outage(Protocol):
    """Interface of the modules ``sandbox/<product>/outage.py``: what a product responds while a component is down.

    The module has the constant ``COMPONENTS`` and the function ``reply``, on module level.
    """

    COMPONENTS: tuple[str, ...]
    """Names of the components that can be down, such as "database", "cache" and "proxy"; the first is the default."""

    def reply(self, component: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the response.

        :param component: one of ``COMPONENTS``
        :param method: HTTP method of the request
        :param path: path, relative to the base URL of the product
        """


KINDS = ("status", "slow", "slow_after", "refuse", "drop", "outage", "drip", "malformed")
PROCESSING_KINDS = ("malformed",)
"""Of the kinds that have ``processed``: those that process the request by default."""

VARIANTS = ("truncated", "shape", "null", "html")
"""Malformed bodies: the first half of the JSON, another JSON value, ``null``, and a page, all with the same status."""


@dataclass
class Fault:
    """A fault: its kind, the requests it matches, and the remaining number of times.

    ``product``, ``method`` and ``path`` are regular expressions that must match completely. Paths are relative to the
    base URL of the product.

    :raises ValueError: if ``kind`` or ``variant`` is unknown
    """

    kind: str
    product: str = ".*"
    method: str = ".*"
    path: str = ".*"
    times: int | None = None
    duration_seconds: float | None = None
    probability: float = 1
    seconds: float = 0
    status: int = 503
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    component: str = ""
    variant: str = "truncated"
    processed: bool | None = None
    remaining: float = field(init=False)
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        for name, value, values in (("kind", self.kind, KINDS), ("variant", self.variant, VARIANTS)):
            if value not in values:
                raise ValueError(f"{name} must be one of {', '.join(values)}, not {value!r}")
        is_limited_by_time = self.duration_seconds is not None
        self.remaining = self.times if self.times is not None else math.inf if is_limited_by_time else 1
        self.ends_at = math.inf if self.duration_seconds is None else time.time() + self.duration_seconds
        self.processed = self.kind in PROCESSING_KINDS if self.processed is None else self.processed

    @property
    def name(self) -> str:
        """The name in the counts: the kind, followed by the status, component or variant, if the kind has one."""
        details = {"status": self.status, "outage": self.component, "malformed": self.variant}
        return f"{self.kind} {details.get(self.kind, '')}".strip()

    def matches(self, product: str, method: str, path: str) -> bool:
        """Return whether the fault applies to a request and has times left."""
        pairs = ((self.product, product), (self.method, method), (self.path, path))
        is_active = self.remaining > 0 and time.time() < self.ends_at
        return is_active and all(re.fullmatch(pattern, value) for pattern, value in pairs)


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
                fault.remaining -= 1
                self.fired[fault.name] += 1
                return fault
            drawn -= fault.probability
        return None
