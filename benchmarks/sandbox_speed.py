"""How fast the sandbox answers, so that it is not the bottleneck of the other benchmarks.

    python -m benchmarks.sandbox_speed

Asks the sandbox, in a process of its own, over bare sockets as fast as it answers, and through a hook as a worker does,
and prints both rates and their ratio. The limit: the sandbox answers at least twice as fast as one worker can ask.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import urlopen

LIMIT = 2.0
CONNECTIONS, BARE_REQUESTS, HOOK_REQUESTS = 8, 4000, 400


@contextmanager
def sandbox_process() -> Generator[str]:
    """The URL of a sandbox in a process of its own."""
    command = [sys.executable, "-m", "self_hosted.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[3].rstrip(";")
        finally:
            process.terminate()


async def bare(url: str, path: str, token: str) -> None:
    """Many requests over a few connections, with no client library in the way."""
    where = urlsplit(url)
    request = f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nX-API-Token: {token}\r\n\r\n".encode()

    async def ask_many() -> None:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for _ in range(BARE_REQUESTS // CONNECTIONS):
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert b" 200 " in head, head
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(ask_many() for _ in range(CONNECTIONS)))


def rate(count: int, work: Callable[[], object]) -> float:
    """Pieces of work per second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def main() -> int:
    """Measure, print, and say whether the limit is kept."""
    with sandbox_process() as url:
        connections = json.load(urlopen(f"{url}/_control/connections"))
        connection = connections["rudder_default"]
        os.environ["AIRFLOW_CONN_RUDDER_DEFAULT"] = json.dumps(connection)
        from self_hosted.rudder.hook import RudderHook

        hook = RudderHook()
        rule_id = hook.rules()[0]["id"]
        path = f"/rudder/api/latest/rules/{rule_id}"
        answered = rate(BARE_REQUESTS, lambda: asyncio.run(bare(url, path, connection["password"])))
        asked = rate(HOOK_REQUESTS, lambda: [hook.rule(rule_id) for _ in range(HOOK_REQUESTS)])
    print(f"the sandbox answers {answered:8.0f} requests/s")
    print(f"one worker asks     {asked:8.0f} requests/s")
    print(f"ratio               {answered / asked:8.1f}   (limit: at least {LIMIT})")
    return 0 if answered / asked >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
