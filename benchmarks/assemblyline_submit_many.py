"""How many files are analysed through `AssemblylineSubmitFilesOperator`, against the official client in threads.

    python -m benchmarks.assemblyline_submit_many [FILES] [--seconds SECONDS ...] [--connection JSON]
    python -m benchmarks.assemblyline_submit_many 1000    # the whole of it, which takes more than an hour

Both submit as many small files to the same server in the same run and wait until all are analysed, five at once, which
is what Assemblyline allows a user by default. The client does what its users do: as many threads as the quota allows,
in each of which a file is submitted, ``submission.is_completed`` asked for once a second, and the document read for the
score. The server is the sandbox in a process of its own, whose analyses take as long as is said here; or a real one, by
an Airflow connection with an API key, whose analyses take as long as they take (for the rig of the project's tests, the
files say how long).

What can be gained depends on how long an analysis takes. Where it is short, the time is spent on waiting for the next
look; where it is long, the requests are. With one submit for each file, and at the same quota, nobody can be twice as
fast as a client that looks each second at analyses of several seconds, nor send a fifth of the requests where it looks
once or twice: each limit is therefore held against the case that it is about.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.sandbox_speed import sandbox_process

QUOTA, LOOK_EACH = 5, 1.0
SHORT, LONG = 0.2, 10.0  # seconds that an analysis takes; real services take from a few to minutes
FASTER, FEWER = 2, 5  # times, for short and for long analyses
FILES = 50


@dataclass(frozen=True)
class Cost:
    """What it took.

    :param seconds: by the clock
    :param requests: how many
    """

    seconds: float
    requests: int

    def __str__(self) -> str:
        return f"{self.seconds:7.1f} s, {self.requests:6} requests"


@dataclass
class Instance:
    """What an operator needs of a task instance."""

    run_id: str
    dag_id: str = "dag"
    task_id: str = "scan"
    map_index: int = -1
    max_tries: int = 0
    try_number: int = 1
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep it."""
        self.xcoms[key] = value


class Counted:
    """Counts what a session of requests sends.

    :param session: the session
    """

    def __init__(self, session: Any) -> None:
        self.requests = 0
        session.hooks["response"].append(self._count)

    def _count(self, response: Any, **_: Any) -> None:
        self.requests += 1

    def of(self, work: Callable[[], object]) -> Cost:
        """What this work took."""
        before, start = self.requests, time.perf_counter()
        work()
        return Cost(time.perf_counter() - start, self.requests - before)


@contextmanager
def folder(count: int, words: str) -> Generator[Path]:
    """So many small files that no run had before."""
    run = uuid.uuid4().hex
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            (Path(name) / f"{number:05}.txt").write_text(f"{run} {number} RIG-SCORE:{number % 400} {words}")
        yield Path(name)


def operator(files: Path) -> Cost:
    """What our operator takes."""
    from self_hosted.assemblyline.operators import AssemblylineSubmitFilesOperator

    task = AssemblylineSubmitFilesOperator(
        task_id="scan", folder=str(files), at_once=QUOTA, at_most=100_000, wait_timeout=86_400, deferrable=False
    )
    context: Any = {"ti": Instance(uuid.uuid4().hex), "task": task}
    results: list[dict[str, Any]] = []
    cost = Counted(task.hook._opened[0].session).of(lambda: results.append(task.execute(context)))
    assert results[0]["completed"] == results[0]["total"] == len(list(files.iterdir()))
    return cost


def client(files: Path, connection: dict[str, Any]) -> Cost:
    """What the official client takes, used as its users do."""
    from assemblyline_client import get_client

    extra = connection.get("extra", {})
    counted: list[Counted] = []

    def work() -> None:
        server = get_client(connection["host"].rstrip("/"), apikey=(connection["login"], extra["api_key"]))
        counted.append(Counted(server._connection.session))

        def score(path: Path) -> int:
            sid = server.submit(path=str(path))["sid"]
            while not server.submission.is_completed(sid):
                time.sleep(LOOK_EACH)
            return int(server.submission(sid)["max_score"])

        with ThreadPoolExecutor(QUOTA) as threads:
            assert len(list(threads.map(score, sorted(files.iterdir())))) > 0

    start = time.perf_counter()
    work()
    return Cost(time.perf_counter() - start, counted[0].requests)


def measured(count: int, connection: dict[str, Any], words: str = "") -> tuple[Cost, Cost]:
    """What ours and the client take for as many files."""
    os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
    with folder(count, words) as files:
        own = operator(files)
    with folder(count, words) as files:
        return own, client(files, connection)


def told(count: int, seconds: float, own: Cost, peer: Cost) -> bool:
    """Print both, and say whether the limit is kept that is about analyses of this length."""
    faster, fewer = peer.seconds / own.seconds, peer.requests / own.requests
    print(f"{count} files, {QUOTA} at once, {seconds:g} s for an analysis")
    print(f"    the operator        {own}")
    print(f"    the official client {peer}")
    print(f"    {faster:.1f} times faster, {fewer:.1f} times fewer requests")
    kept = True
    if seconds <= SHORT:
        kept = faster >= FASTER
        print("PASS " if kept else "FAIL ", f"{faster:.1f} times faster; limit for short analyses {FASTER}")
    if seconds >= LONG:
        kept = fewer >= FEWER
        print("PASS " if kept else "FAIL ", f"{fewer:.1f} times fewer requests; limit for long analyses {FEWER}")
    return kept


def main() -> int:
    """Measure, print, and say whether all limits are kept."""
    parser = argparse.ArgumentParser(description="many files, through the operator and through the official client")
    parser.add_argument("files", type=int, nargs="?", default=FILES)
    parser.add_argument("--seconds", type=float, nargs="+", default=[SHORT, LONG])
    parser.add_argument("--connection", type=json.loads, help="of a real server, as Airflow's JSON")
    given = parser.parse_args()
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    kept = True
    if given.connection:
        for seconds in given.seconds:
            kept &= told(given.files, seconds, *measured(given.files, given.connection, f"RIG-SLEEP:{seconds}"))
        return 0 if kept else 1
    with sandbox_process() as url:
        connection = json.load(urlopen(f"{url}/_control/connections"))["assemblyline_default"]
        for seconds in given.seconds:
            settings = {"assemblyline": {"delay": seconds, "quotas": {"concurrent_submissions": QUOTA}}}
            urlopen(Request(f"{url}/_control/reset", b"{}", method="POST"))
            urlopen(Request(f"{url}/_control/seed", json.dumps(settings).encode(), method="POST"))
            kept &= told(given.files, seconds, *measured(given.files, connection))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
