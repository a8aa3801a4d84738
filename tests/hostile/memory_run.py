"""Sends requests to a hostile server and prints the errors, and by how much the memory of this process grew.

    python -m tests.hostile.memory_run {worker | trigger} PATH...

A process of its own, so that neither the server nor other tests count.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from typing import Any

from self_hosted.core.http.errors import SelfHostedError
from self_hosted.core.http.flow import Flow, Request
from self_hosted.rudder.hook import RudderHook

MIB = 1024 * 1024


def read(path: str) -> Flow[str]:
    """Return what becomes of a request: the type of the JSON, or the error."""
    try:
        return type((yield Request("GET", path)).json()).__name__
    except SelfHostedError as error:
        return f"{type(error).__name__}: {error.message}"


def measure() -> float:
    """Return the peak memory in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


def run_in_worker(paths: list[str]) -> dict[str, str]:
    """Send the requests with the transport of workers."""
    hook = RudderHook("rudder_hostile")
    return {path: hook.run(read(path)) for path in paths}


async def run_in_trigger(paths: list[str]) -> dict[str, str]:
    """Send the requests with the transport of triggers."""
    async with RudderHook("rudder_hostile").async_client() as client:
        return {path: await client(read(path)) for path in paths}


def main(transport: str, paths: list[str]) -> dict[str, Any]:
    """Send the requests and return their outcomes, and the growth of the memory in MiB."""
    asyncio.run(run_in_trigger(["/warm-up"]))
    run_in_worker(["/warm-up"])
    before = measure()
    outcomes = run_in_worker(paths) if transport == "worker" else asyncio.run(run_in_trigger(paths))
    return {"outcomes": outcomes, "growth": measure() - before}


if __name__ == "__main__":
    print("RESULT", json.dumps(main(sys.argv[1], sys.argv[2:])))
