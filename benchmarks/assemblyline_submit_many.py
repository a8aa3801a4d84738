"""The cost of analysing many small files: the provider's operators, and the official client in threads.

    python -m benchmarks.assemblyline_submit_many [FILES] [--seconds SECONDS ...] [--connection JSON]
    python -m benchmarks.assemblyline_submit_many 1000 --seconds 1    # a quarter of an hour

Each submits the same number of files to the same kind of server and waits until all are analysed. The server:

- is the sandbox in a process of its own, reset for each measurement, or a real one given by an Airflow connection with
  an API key; a real one needs a service that takes as long as a file says;
- analyses at most five submissions of one user at the same time, Assemblyline's default;
- takes 0.5 to 1.5 times the given seconds for an analysis: random, because a fixed time would favour or harm clients
  that poll each second, but the same for all competitors.

The official client is used as in its documentation: each thread of a pool submits a file, polls
``submission.is_completed`` once a second, and reads the score. Users that know the quota use five threads. Other users
get Python's default, twelve threads on eight cores; the client then repeats each refused submit until it is accepted.

`AssemblylineSubmitFilesOperator` submits as well. `AssemblylineIngestFilesOperator` ingests, Assemblyline's way for
large numbers of files: its quota is a different one and not set by default. The sandbox does not show the load that so
many parallel analyses put on a real server.

All take turns, and the best round of each counts, because the machine runs other processes as well. The reference run
has 1,000 files and one second: shorter analyses are rare and favour the provider in time, longer ones in requests.

The limits, each of which fails the run:

- the submit operator sends fewer requests than the client with any number of threads, and is not slower than the client
  with five;
- the ingest operator sends half as many requests at most, and is not slower, compared with any number of threads. A
  search finds the end of an ingest a second later, so that few files and short analyses leave no more to save; of a
  thousand files it is dozens of times faster.

More is out of reach:

- each file needs a submit or an ingest, and the client sends four requests per file if an analysis takes less than a
  second: a submit, two polls, and the score. A fifth of the requests is therefore possible for longer analyses only;
- all that submit have the same five places, so only the time that the client leaves them empty can be saved: half a
  second per file at one poll per second. The submit operator cannot be twice as fast if an analysis takes longer;
- the client with twelve threads repeats its refused submits all the time. It notices a free place first, and may be
  faster than the submit operator, at several times the requests.
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
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import repeat
from pathlib import Path
from typing import Any

from benchmarks.requests_counter import Cost, RequestCounter
from benchmarks.sandbox import get_connection, hide_logs, post_control, run_sandbox
from benchmarks.task_context import build_context

QUOTA, CLIENT_POLL_SECONDS = 5, 1.0
THREADS = (QUOTA, 12)
SUBMIT, INGEST = "AssemblylineSubmitFilesOperator", "AssemblylineIngestFilesOperator"
DEFAULT_FILES, DEFAULT_SECONDS, ROUNDS = 50, (0.2, 1.0), 2
MIN_EQUAL_RATIO = 0.95  # two equally fast runs differ by this ratio at random


@contextmanager
def write_files(count: int, seconds: float) -> Generator[Path]:
    """Yield a folder with new small files; each contains the duration of its analysis."""
    run_id, generator = uuid.uuid4().hex, random.Random(count)
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            duration = generator.uniform(0.5, 1.5) * seconds
            text = f"{run_id} {number} RIG-SCORE:{number % 400} RIG-SLEEP:{duration:.3f}"
            (Path(name) / f"{number:05}.txt").write_text(text)
        yield Path(name)


def measure_operator(files: Path, connection: dict[str, Any], name: str) -> Cost:
    """Return the cost of one of the provider's operators."""
    from self_hosted.assemblyline import operators

    os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
    task = getattr(operators, name)(
        task_id="scan",
        folder=str(files),
        max_concurrency=QUOTA,
        max_items=100_000,
        wait_timeout=86_400,
        deferrable=False,
    )
    context = build_context(task, uuid.uuid4().hex)
    results: list[dict[str, Any]] = []
    cost = RequestCounter(task.hook._transport_and_auth[0]).measure(lambda: results.append(task.execute(context)))
    assert results[0]["completed"] == results[0]["total"] == len(list(files.iterdir()))
    return cost


def measure_client(files: Path, connection: dict[str, Any], threads: int) -> Cost:
    """Return the cost of the official client with this number of threads."""
    from assemblyline_client import get_client

    key = (connection["login"], connection["extra"]["api_key"])
    server = get_client(connection["host"].rstrip("/"), apikey=key)

    def get_score(path: Path) -> int:
        sid = server.submit(path=str(path))["sid"]
        while not server.submission.is_completed(sid):
            time.sleep(CLIENT_POLL_SECONDS)
        return int(server.submission(sid)["max_score"])

    def get_scores() -> None:
        with ThreadPoolExecutor(threads) as pool:
            assert sum(pool.map(get_score, sorted(files.iterdir()))) > 0

    return RequestCounter(server._connection.session).measure(get_scores)


def list_limits(name: str, threads: int) -> dict[str, float]:
    """Return the limits of an operator in comparison with the client: how many times faster, and fewer requests."""
    if name == INGEST:
        return {"faster": MIN_EQUAL_RATIO, "fewer requests": 2.0}
    return {"fewer requests": 1.0, **({"faster": MIN_EQUAL_RATIO} if threads == QUOTA else {})}


def check(name: str, own: Cost, client: Cost, threads: int) -> bool:
    """Print the ratios of an operator to the client, and return whether they are within the limits."""
    ratios = {"faster": client.seconds / own.seconds, "fewer requests": client.requests / own.requests}
    limits, within_limits = list_limits(name, threads), True
    for unit, ratio in ratios.items():
        limit = limits.get(unit)
        verdict = "    " if limit is None else "PASS" if ratio >= limit else "FAIL"
        within_limits &= verdict != "FAIL"
        print(
            f"        {verdict}  {name}: {ratio:.2f} times {unit}" + (f"; limit {limit:g}" if limit else ""), flush=True
        )
    return within_limits


def measure_all(
    count: int, seconds: float, servers: Iterator[dict[str, Any]]
) -> tuple[dict[str, Cost], dict[int, Cost]]:
    """Return the costs of the operators by name, and of the client by its number of threads."""
    own: dict[str, list[Cost]] = {SUBMIT: [], INGEST: []}
    clients: dict[int, list[Cost]] = {threads: [] for threads in THREADS}
    for _ in range(ROUNDS):
        for name, costs in own.items():
            with write_files(count, seconds) as files:
                costs.append(measure_operator(files, next(servers), name))
        for threads, costs in clients.items():
            with write_files(count, seconds) as files:
                costs.append(measure_client(files, next(servers), threads))
    return {name: find_best(costs) for name, costs in own.items()}, {
        threads: find_best(costs) for threads, costs in clients.items()
    }


def find_best(costs: list[Cost]) -> Cost:
    """Return the best time and the smallest number of requests."""
    return Cost(min(cost.seconds for cost in costs), min(cost.requests for cost in costs), costs[0].records)


def compare(count: int, seconds: float, servers: Iterator[dict[str, Any]]) -> bool:
    """Measure and print the costs of all; return whether the operators are within the limits."""
    print(f"{count} files, {QUOTA} at the same time, {seconds:g} s per analysis", flush=True)
    own, clients = measure_all(count, seconds, servers)
    for name, cost in own.items():
        print_cost(name, cost)
    results = []
    for threads, client in clients.items():
        print_cost(f"official client, {threads} threads", client)
        results += [check(name, cost, client, threads) for name, cost in own.items()]
    return all(results)


def print_cost(name: str, cost: Cost) -> None:
    """Print a cost in one line."""
    print(f"    {name:33} {cost.seconds:7.1f} s, {cost.requests:6} requests", flush=True)


def reset_sandbox(url: str) -> Iterator[dict[str, Any]]:
    """Yield the connection to a sandbox that is reset for each measurement."""
    settings = {"assemblyline": {"delay": 0, "index_lag": 1.0, "quotas": {"concurrent_submissions": QUOTA}}}
    while True:
        post_control(url, "reset", {})
        post_control(url, "seed", settings)
        yield get_connection(url, "assemblyline_default")


def main() -> int:
    """Measure and print; return 0 only if all runs are within the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=int, nargs="?", default=DEFAULT_FILES, help="number of files")
    parser.add_argument("--seconds", type=float, nargs="+", default=DEFAULT_SECONDS, help="durations of an analysis")
    parser.add_argument("--connection", type=json.loads, help="connection to a real server, as Airflow's JSON")
    options = parser.parse_args()
    hide_logs()
    with nullcontext() if options.connection else run_sandbox() as url:
        servers = repeat(options.connection) if url is None else reset_sandbox(url)
        results = [compare(options.files, seconds, servers) for seconds in options.seconds]
    print("PASS  within the limits" if all(results) else "FAIL  a limit is exceeded")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
