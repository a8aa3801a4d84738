"""The cost of submitting a large file to Assemblyline: this provider, the official client, and curl.

    python -m benchmarks.assemblyline_upload [--sizes 300 1024] [--rounds 3] [--server sandbox | sink | CONNECTION]

The files contain pseudo-random bytes and are in the page cache, like a file that was just written. Each sender runs in
a process of its own and submits a small file first; its memory is the growth of its peak with the large file. Its time
is that of one submit, from opening the file to the response. The senders take turns, and the best round of each counts,
because the machine runs other processes as well. The servers:

- sandbox: stores the file on disk and hashes it, like the real server, and most of the time goes there;
- sink (`sink.py`): only reads, and so shows the senders alone;
- CONNECTION: a real server, as the JSON of an Airflow connection with an API key.

The limits:

- less than 32 MiB of memory for any size;
- at most twice the CPU time of curl. A copy of the file, or small chunks, take three times as much;
- at most 1.5 times the time of curl. On an idle machine, both take the same; on a busy one, two rounds of one sender
  differ by a third, because most of the time is the server's.

Linux only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.memory import get_peak_memory, reset_peak_memory
from benchmarks.sandbox import get_connection, hide_logs, run_sandbox
from benchmarks.sink import run_sink

MIB = 1024 * 1024
MAX_MEMORY_MIB, MAX_CPU_RATIO, MAX_TIME_RATIO = 32, 2, 1.5
DEFAULT_SIZES, DEFAULT_ROUNDS = (300,), 4
PROVIDER, OFFICIAL_CLIENT, CURL = "this provider", "official client", "curl -F"
PARAMS = {"ignore_size": True, "ignore_cache": True}
Connection = Mapping[str, Any]


class Cost(NamedTuple):
    """The cost of a submit.

    :param seconds: wall time, from opening the file to the response
    :param cpu_seconds: CPU time of the sender
    :param memory_mib: peak memory; of the large file, its growth over that of the small one
    """

    seconds: float
    cpu_seconds: float
    memory_mib: float


def open_provider(connection: Connection) -> Callable[[str], Cost]:
    """Return a function that submits a file like the operator."""
    os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
    from self_hosted.assemblyline.hook import AssemblylineHook
    from self_hosted.assemblyline.operators.uploads import upload_file

    hook = AssemblylineHook()
    return lambda path: _measure(lambda: hook.submit(upload_file(path), {"params": PARAMS}))


def open_official_client(connection: Connection) -> Callable[[str], Cost]:
    """Return a function that submits a file by Assemblyline's own Python client."""
    from assemblyline_client import get_client

    client = get_client(connection["host"], apikey=(connection["login"], connection["extra"]["api_key"]))
    return lambda path: _measure(lambda: client.submit(path=path, params=PARAMS))


def open_curl(connection: Connection) -> Callable[[str], Cost]:
    """Return a function that submits a file by curl, which reads the key from its input to hide it from ``ps``."""
    config = f"""
        header = "X-User: {connection["login"]}"
        header = "X-Apikey: {connection["extra"]["api_key"]}"
        form-string = {json.dumps(f"json={json.dumps({'params': PARAMS})}")}
        url = {connection["host"]}/api/v4/submit/
        write-out = "\\n%{{time_total}}"
    """

    def submit(path: str) -> Cost:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["curl", "--silent", "--fail", "--config", "-", "--form", f"bin=@{path}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(config)
            process.stdin.close()
            memory = 0.0
            while process.poll() is None:
                memory = max(memory, get_peak_memory(process.pid))
                time.sleep(0.01)
            seconds = float(process.stdout.read().rsplit("\n", 1)[-1])
            assert process.returncode == 0, "curl failed"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, memory)

    return submit


SENDERS = {PROVIDER: open_provider, OFFICIAL_CLIENT: open_official_client, CURL: open_curl}


def _measure(submit: Callable[[], object]) -> Cost:
    reset_peak_memory()
    cpu, start = time.process_time(), time.perf_counter()
    submit()
    return Cost(time.perf_counter() - start, time.process_time() - cpu, get_peak_memory())


def measure_sender(sender: str, connection: Connection, small: str, large: str) -> Cost:
    """Return the cost of submitting a large file, after a small one has initialised the sender."""
    submit = SENDERS[sender](connection)
    submit(small)
    before = submit(small)
    after = submit(large)
    return after._replace(memory_mib=after.memory_mib - before.memory_mib)


@contextmanager
def run_server(server: str) -> Generator[Connection]:
    """Yield a connection to the server that the option names."""
    if server == "sandbox":
        with run_sandbox() as url:
            yield get_connection(url, "assemblyline_default")
    elif server == "sink":
        with run_sink() as url:
            yield {"conn_type": "assemblyline", "host": url, "login": "admin", "extra": {"api_key": "sink:sink-key"}}
    else:
        yield json.loads(server)


def write_file(folder: str, size_mib: int) -> str:
    """Write a file and return its path."""
    path, generator = Path(folder, f"{size_mib}.bin"), random.Random(size_mib)
    with path.open("wb") as file:
        for _ in range(size_mib):
            file.write(generator.randbytes(MIB))
    return str(path)


def measure_all(connection: Connection, small: str, large: str, rounds: int) -> dict[str, Cost]:
    """Return the cost of each sender: its best time, its best CPU time, and its largest memory."""
    is_installed = {CURL: shutil.which("curl"), OFFICIAL_CLIENT: find_spec("assemblyline_client")}
    senders = [sender for sender in SENDERS if is_installed.get(sender, True)]
    # spawned, because a forked child shares pages with its parent; and a new one for each measurement
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        costs = [
            (sender, pool.submit(measure_sender, sender, connection, small, large).result())
            for _ in range(rounds)
            for sender in senders
        ]
    return {sender: _find_best([cost for name, cost in costs if name == sender]) for sender in senders}


def _find_best(costs: list[Cost]) -> Cost:
    return Cost(
        min(cost.seconds for cost in costs),
        min(cost.cpu_seconds for cost in costs),
        max(cost.memory_mib for cost in costs),
    )


def check(size_mib: int, costs: Mapping[str, Cost]) -> bool:
    """Print the costs of one size, and return whether those of this provider are within the limits."""
    for sender, cost in costs.items():
        time_taken = f"{cost.seconds:6.2f} s  {size_mib / cost.seconds:5.0f} MiB/s  CPU {cost.cpu_seconds:5.2f} s"
        print(f"{size_mib:5} MiB  {sender:15}  {time_taken}  memory {cost.memory_mib:+7.1f} MiB")
    provider, curl = costs[PROVIDER], costs.get(CURL)
    limits: list[tuple[str, float, float, str]] = [("memory", provider.memory_mib, MAX_MEMORY_MIB, "MiB")]
    if curl:
        limits += [
            ("CPU time", provider.cpu_seconds / curl.cpu_seconds, MAX_CPU_RATIO, "times that of curl"),
            ("time", provider.seconds / curl.seconds, MAX_TIME_RATIO, "times that of curl"),
        ]
    for name, value, limit, unit in limits:
        print(f"           {'PASS' if value <= limit else 'FAIL'}  {name} {value:.2f} {unit}; limit {limit:g}")
    return all(value <= limit for _, value, limit, _ in limits)


def main() -> int:
    """Measure and print; return 0 only if all sizes are within the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=DEFAULT_SIZES, help="sizes of the files, in MiB")
    parser.add_argument("--rounds", type=int, default=DEFAULT_ROUNDS, help="number of submits of each sender and file")
    parser.add_argument("--server", default="sandbox", help="sandbox, sink, or a connection as JSON")
    options = parser.parse_args()
    hide_logs()
    with run_server(options.server) as connection, tempfile.TemporaryDirectory() as folder:
        small = write_file(folder, 1)
        costs = {
            size: measure_all(connection, small, write_file(folder, size), options.rounds) for size in options.sizes
        }
    return 0 if all([check(size, found) for size, found in costs.items()]) else 1


if __name__ == "__main__":
    sys.exit(main())
