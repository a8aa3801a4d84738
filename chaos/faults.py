"""How the sandbox misbehaves during the campaign, and how patient the connections are with it."""

from __future__ import annotations

from typing import Any

READ_TIMEOUT = 3  # seconds
PATIENCE = {"connect_timeout": 2, "read_timeout": READ_TIMEOUT, "retry_budget": 20}
"""Extra fields of the connections."""

ALWAYS = 1_000_000_000  # times
SLOWNESS = 5  # an upload may take this many times as long as other requests
UPLOAD = "/api/v4/submit/"
PAGE = "<html><body><h1>{status}</h1></body></html>"


def faults() -> list[dict[str, Any]]:
    """All faults, for the sandbox's control route: 17 % of the requests."""
    return [{**fault, "times": ALWAYS} for fault in (*_refused(), *_busy(), *_lost(), *_late())]


def _refused() -> list[dict[str, Any]]:
    """Nothing was done, and nothing answered."""
    return [{"kind": "refuse", "share": 0.05}]


def _busy() -> list[dict[str, Any]]:
    """A gateway answers in the product's place."""
    answers = [(status, headers) for status in (502, 503) for headers in ({}, {"Retry-After": "1"})]
    return [
        {"kind": "status", "share": 0.0125, "status": status, "headers": headers, "body": PAGE.format(status=status)}
        for status, headers in answers
    ]


def _lost() -> list[dict[str, Any]]:
    """It was done, and nothing answered."""
    return [{"kind": "drop", "share": 0.05}]


def _late() -> list[dict[str, Any]]:
    """It is done before or after the client gave up, and the answer comes too late in both cases."""
    places = [(f"(?!{UPLOAD}).*", READ_TIMEOUT + 2), (UPLOAD, READ_TIMEOUT * SLOWNESS + 2)]
    return [
        {"kind": kind, "share": 0.01, "path": path, "seconds": seconds}
        for kind in ("slow", "slow_after")
        for path, seconds in places
    ]
