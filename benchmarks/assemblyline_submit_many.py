"""How many files are analysed: our operators, against the official client in threads.

    python -m benchmarks.assemblyline_submit_many [FILES] [--seconds SECONDS ...] [--connection JSON]
    python -m benchmarks.assemblyline_submit_many 1000 --seconds 1    # a quarter of an hour

Each hands as many small files to the same server in the same run and waits until all are analysed. Of what is submitted
five of a user may be analysed at once, as Assemblyline has it by default. An analysis takes from half to one and a half
of the seconds given, at random, and the same for all who compete: a fixed time would suit or spite a client that looks
each second. The server is the sandbox in a process of its own, begun anew for each; or a real one, by an Airflow
connection with an API key, which has a service that takes as long as a file says.

The client is used as its users do: a pool of threads, in each of which a file is submitted, ``submission.is_completed``
asked for once a second, and the document read for the score. Those who know the quota have five threads. Those who do
not have as many as Python gives them, twelve on a machine of eight cores; the client then sends each file again and
again until there is a place for it.

`AssemblylineSubmitFilesOperator` submits, too. `AssemblylineIngestFilesOperator` ingests, which is what the server has
for volume: its quota is another one, which is not set by default. What so many analyses at once cost a real server, the
sandbox does not know.

The goals, twice as fast and a fifth of the requests, are held against each of the two. The run that counts is that of a
thousand files and a second: shorter analyses are rare and favour us in time, longer ones favour us in requests. Who
submits cannot reach all. Each file needs a submit, so that a fifth of the requests is out of reach where the client
sends fewer than five for a file, which is so below a second and a half. And all have the same five places, so that
nobody can save more than the time for which a client leaves them empty, half a second a file where it looks each
second: twice as fast is out of reach where an analysis takes longer than that.

What fails the run are its limits: the operators send fewer requests than either, and are not slower than those who know
the quota.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.sandbox_speed import sandbox_process

QUOTA, LOOK_EACH = 5, 1.0
THREADS = (QUOTA, 12)
OPERATORS = ("AssemblylineSubmitFilesOperator", "AssemblylineIngestFilesOperator")
FILES, SECONDS = 50, (0.2, 1.0)
FASTER, FEWER = 2, 5  # times; the goals
NOISE = 0.95  # the ratio of two runs that are equally fast, by chance


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
def folder(count: int, seconds: float) -> Generator[Path]:
    """So many small files that no run had before, each of which says how long its analysis takes."""
    run, drawn = uuid.uuid4().hex, random.Random(count)
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            takes = drawn.uniform(0.5, 1.5) * seconds
            words = f"{run} {number} RIG-SCORE:{number % 400} RIG-SLEEP:{takes:.3f}"
            (Path(name) / f"{number:05}.txt").write_text(words)
        yield Path(name)


def operator(files: Path, connection: dict[str, Any], name: str) -> Cost:
    """What one of our operators takes."""
    from self_hosted.assemblyline import operators

    os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
    task = getattr(operators, name)(
        task_id="scan", folder=str(files), at_once=QUOTA, at_most=100_000, wait_timeout=86_400, deferrable=False
    )
    context: Any = {"ti": Instance(uuid.uuid4().hex), "task": task}
    results: list[dict[str, Any]] = []
    cost = Counted(task.hook._opened[0].session).of(lambda: results.append(task.execute(context)))
    assert results[0]["completed"] == results[0]["total"] == len(list(files.iterdir()))
    return cost


def client(files: Path, connection: dict[str, Any], threads: int) -> Cost:
    """What the official client takes, used as its users do."""
    from assemblyline_client import get_client

    key = (connection["login"], connection["extra"]["api_key"])
    server = get_client(connection["host"].rstrip("/"), apikey=key)

    def score(path: Path) -> int:
        sid = server.submit(path=str(path))["sid"]
        while not server.submission.is_completed(sid):
            time.sleep(LOOK_EACH)
        return int(server.submission(sid)["max_score"])

    def scores() -> None:
        with ThreadPoolExecutor(threads) as pool:
            assert sum(pool.map(score, sorted(files.iterdir()))) > 0

    return Counted(server._connection.session).of(scores)


def told(name: str, own: Cost, peer: Cost) -> None:
    """Print how far the goals are reached."""
    for times, what, goal in (
        (peer.seconds / own.seconds, "faster", FASTER),
        (peer.requests / own.requests, "fewer requests", FEWER),
    ):
        verdict = "PASS" if times >= goal else "FAIL"
        print(f"        {verdict}  {name}: {times:.1f} times {what}; the goal is {goal}", flush=True)


def compared(count: int, seconds: float, servers: Iterator[dict[str, Any]]) -> bool:
    """Print what each takes; whether the limits are kept."""
    print(f"{count} files, {QUOTA} at once, {seconds:g} s for an analysis", flush=True)
    own = {}
    for name in OPERATORS:
        with folder(count, seconds) as files:
            own[name] = operator(files, next(servers), name)
        print(f"    {name:33} {own[name]}", flush=True)
    kept = True
    for threads in THREADS:
        with folder(count, seconds) as files:
            peer = client(files, next(servers), threads)
        print(f"    the official client, {threads:2} threads   {peer}")
        for name, cost in own.items():
            told(name, cost, peer)
            slower = threads == QUOTA and peer.seconds / cost.seconds < NOISE
            kept &= cost.requests <= peer.requests and not slower
    return kept


def fresh(url: str) -> Iterator[dict[str, Any]]:
    """A sandbox that begins anew for each who competes, with what leads there."""
    settings = {"assemblyline": {"delay": 0, "index_lag": 1.0, "quotas": {"concurrent_submissions": QUOTA}}}
    while True:
        urlopen(Request(f"{url}/_control/reset", b"{}", method="POST"))
        urlopen(Request(f"{url}/_control/seed", json.dumps(settings).encode(), method="POST"))
        yield json.load(urlopen(f"{url}/_control/connections"))["assemblyline_default"]


def main() -> int:
    """Measure, print, and say whether all limits are kept."""
    parser = argparse.ArgumentParser(description="many files, through the operator and through the official client")
    parser.add_argument("files", type=int, nargs="?", default=FILES)
    parser.add_argument("--seconds", type=float, nargs="+", default=SECONDS)
    parser.add_argument("--connection", type=json.loads, help="of a real server, as Airflow's JSON")
    given = parser.parse_args()
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
    with nullcontext() if given.connection else sandbox_process() as url:
        servers = repeat(given.connection) if url is None else fresh(url)
        kept = [compared(given.files, seconds, servers) for seconds in given.seconds]
    print("A limit was not kept." if not all(kept) else "The limits were kept.")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
