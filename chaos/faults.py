"""The faults of the sandbox during the campaign, and the timeouts of the connections."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.faults import VARIANTS

READ_TIMEOUT_SECONDS = 3
TOTAL_TIMEOUT_SECONDS = 4  # with five times as much, drips would occupy half of the workers' time
CONNECTION_TIMEOUTS = {
    "connect_timeout": 2,
    "read_timeout": READ_TIMEOUT_SECONDS,
    "total_timeout": TOTAL_TIMEOUT_SECONDS,
    "retry_timeout": 20,
}
"""Extra fields of the connections, in seconds."""

UNLIMITED_TIMES = 1_000_000_000
LONG_RUNNING_FACTOR = 5  # an upload has this multiple of the read timeout
UPLOAD_PATH = "/api/v4/submit/"
ERROR_PAGE = "<html><body><h1>{status}</h1></body></html>"


def build_faults() -> list[dict[str, Any]]:
    """Return all faults, for the sandbox's control route; together they affect 20 % of the requests."""
    faults = (
        *_build_refusals(),
        *_build_gateway_errors(),
        *_build_lost_responses(),
        *_build_late_responses(),
        *_build_slow_responses(),
        *_build_malformed_responses(),
    )
    return [{**fault, "times": UNLIMITED_TIMES} for fault in faults]


def _build_refusals() -> list[dict[str, Any]]:
    """Return the faults without effect and without response."""
    return [{"kind": "refuse", "probability": 0.05}]


def _build_gateway_errors() -> list[dict[str, Any]]:
    """Return the faults in which a gateway responds in place of the product."""
    variants = [(status, headers) for status in (502, 503) for headers in ({}, {"Retry-After": "1"})]
    return [
        {
            "kind": "status",
            "probability": 0.0125,
            "status": status,
            "headers": headers,
            "body": ERROR_PAGE.format(status=status),
        }
        for status, headers in variants
    ]


def _build_lost_responses() -> list[dict[str, Any]]:
    """Return the faults with effect but without response."""
    return [{"kind": "drop", "probability": 0.05}]


def _build_slow_responses() -> list[dict[str, Any]]:
    """Return the fault whose response arrives byte by byte, each in time, but all of them much too late."""
    return [{"kind": "drip", "probability": 0.01, "seconds": READ_TIMEOUT_SECONDS / 3}]


def _build_malformed_responses() -> list[dict[str, Any]]:
    """Return the faults with a response that the product never sends; one in five requests has no effect."""
    processed = [{"kind": "malformed", "variant": variant, "probability": 0.004} for variant in VARIANTS]
    return [*processed, {"kind": "malformed", "variant": "html", "probability": 0.004, "processed": False}]


def _build_late_responses() -> list[dict[str, Any]]:
    """Return the faults whose response exceeds the read timeout; the effect occurs before or after the timeout."""
    delays = [
        (f"(?!{UPLOAD_PATH}).*", READ_TIMEOUT_SECONDS + 2),
        (UPLOAD_PATH, READ_TIMEOUT_SECONDS * LONG_RUNNING_FACTOR + 2),
    ]
    return [
        {"kind": kind, "probability": 0.01, "path": path, "seconds": seconds}
        for kind in ("slow", "slow_after")
        for path, seconds in delays
    ]
