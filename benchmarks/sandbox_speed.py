"""The speed of the sandbox, which must not be the bottleneck of the other benchmarks.

    python -m benchmarks.sandbox_speed

Sends requests to a sandbox in a process of its own: over plain sockets, as fast as it responds, and through a hook, as
a worker does. Both take turns, so that a busy machine slows both alike, and the medians count. The limit: the sandbox
responds at least twice as fast as one worker sends requests.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from benchmarks.sandbox import get_connection, hide_logs, run_sandbox

MIN_RATIO = 2.0
ROUNDS, CONNECTIONS = 7, 8
SOCKET_REQUESTS, HOOK_REQUESTS = 800, 100  # per round


async def send_over_sockets(url: str, path: str, token: str) -> None:
    """Send many requests over a few connections, without an HTTP library."""
    address = urlsplit(url)
    request = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nX-API-Token: {token}\r\n\r\n".encode()

    async def send_many() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for _ in range(SOCKET_REQUESTS // CONNECTIONS):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert b" 200 " in head, head
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(send_many() for _ in range(CONNECTIONS)))


def measure_rate(count: int, work: Callable[[], object]) -> float:
    """Return the requests per second of work that sends this many."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def main() -> int:
    """Measure and print both rates; return 0 only if their ratio is within the limit."""
    hide_logs()
    with run_sandbox() as url:
        connection = get_connection(url, "rudder_default")
        os.environ["AIRFLOW_CONN_RUDDER_DEFAULT"] = json.dumps(connection)
        from self_hosted.rudder.hook import RudderHook

        hook = RudderHook()
        rule_id = hook.list_rules()[0]["id"]
        path = f"/rudder/api/latest/rules/{rule_id}"
        rounds = [
            (
                measure_rate(
                    SOCKET_REQUESTS, lambda: asyncio.run(send_over_sockets(url, path, connection["password"]))
                ),
                measure_rate(HOOK_REQUESTS, lambda: [hook.get_rule(rule_id) for _ in range(HOOK_REQUESTS)]),
            )
            for _ in range(ROUNDS)
        ]
    sandbox_rate, worker_rate = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    ratio = sandbox_rate / worker_rate
    print(f"the sandbox responds to {sandbox_rate:8.0f} requests/s")
    print(f"one worker sends        {worker_rate:8.0f} requests/s")
    print(f"{'PASS' if ratio >= MIN_RATIO else 'FAIL'}  ratio {ratio:.1f}; limit: at least {MIN_RATIO:g}")
    return 0 if ratio >= MIN_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
