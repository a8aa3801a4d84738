"""Faults and latencies that tests seed. Faults take effect after the work is done."""

from __future__ import annotations

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError, SchemaError
from self_hosted.sandbox.atrocore.state import State


def raise_seeded_fault(state: State, call: Call) -> None:
    """Raise the next seeded fault if the request was a write.

    :raises ApiError: an internal error, or a failed validation of the server's own response
    """
    if call.method == "GET" or not state.faults:
        return
    fault = state.faults[0]
    fault["times"] = fault.get("times", 1) - 1
    if not fault["times"]:
        state.faults.pop(0)
    if fault["kind"] == "create-then-500":
        raise ApiError(500, "Call to a member function get() on null")
    raise SchemaError(f"Response [{call.method.lower()} /{call.route} 200]")


def compute_latency(state: State, call: Call, response: Response) -> float:
    """Return how many seconds the server needs, by the seeded latencies of requests and records."""
    written = len(call.body) if isinstance(call.body, list) else call.method != "GET"
    listed = bytes(response.body).count(b'"id": ') if call.method == "GET" else 0
    latencies = state.latencies
    return latencies.get("request", 0) + written * latencies.get("written", 0) + listed * latencies.get("listed", 0)
