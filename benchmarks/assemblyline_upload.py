"""What it takes to submit a large file to Assemblyline: we, the official client, and curl, to the same server.

    python -m benchmarks.assemblyline_upload [--sizes 300 1024] [--rounds 3] [--server sandbox | sink | CONNECTION]

The files hold pseudo-random bytes and lie in the page cache, as a file does that was just written. Each sender is a
process of its own, which has submitted a small file before: what is told of its memory is how much further its peak
grows by the large one. Time is that of one submit, from the open file to the answer; each sender's best round counts,
since the machine has other things to do as well. The sandbox spools a file to disk and hashes it, as the real server
does, and that is where most of the time goes. The sink (`sink.py`) only reads: it shows the senders alone. CONNECTION
is an Airflow connection as JSON, with an API key, to a real server.

The limits, which are ours: less than 32 MiB, whatever the size, and at most 1.1 times curl's time. Linux only.
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
from urllib.request import urlopen

from benchmarks.memory import forget_peak, peak
from benchmarks.sandbox_speed import sandbox_process
from benchmarks.sink import sink_process

MIB = 1024 * 1024
MEMORY, TIME = 32, 1.1  # MiB; times curl
SIZES, ROUNDS = (300,), 2  # what is quick
PARAMS = {"ignore_size": True, "ignore_cache": True}
Connection = Mapping[str, Any]


class Cost(NamedTuple):
    """What a submit took.

    :param seconds: from the open file to the answer
    :param cpu: seconds, of the sender
    :param memory: the peak; of the large file beyond that of the small one, in MiB
    """

    seconds: float
    cpu: float
    memory: float


def ours(connection: Connection) -> Callable[[str], Cost]:
    """Submit as the operator does."""
    os.environ["AIRFLOW_CONN_ASSEMBLYLINE_DEFAULT"] = json.dumps(connection)
    from self_hosted.assemblyline.hook import AssemblylineHook
    from self_hosted.assemblyline.operators.values import upload_of_file

    hook = AssemblylineHook()
    return lambda path: _cost_here(lambda: hook.submit(upload_of_file(path), {"params": PARAMS}))


def official_client(connection: Connection) -> Callable[[str], Cost]:
    """Submit by Assemblyline's own Python client."""
    from assemblyline_client import get_client

    client = get_client(connection["host"], apikey=(connection["login"], connection["extra"]["api_key"]))
    return lambda path: _cost_here(lambda: client.submit(path=path, params=PARAMS))


def curl(connection: Connection) -> Callable[[str], Cost]:
    """Submit by curl, which reads the key from its input, where no list of processes shows it."""
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
            most = 0.0
            while process.poll() is None:
                most = max(most, peak(process.pid))
                time.sleep(0.01)
            seconds = float(process.stdout.read().rsplit("\n", 1)[-1])
            assert process.returncode == 0, "curl was refused"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, most)

    return submit


SENDERS = {"ours": ours, "official client": official_client, "curl -F": curl}


def _cost_here(submit: Callable[[], object]) -> Cost:
    forget_peak()
    cpu, began = time.process_time(), time.perf_counter()
    submit()
    return Cost(time.perf_counter() - began, time.process_time() - cpu, peak())


def cost(sender: str, connection: Connection, small: str, large: str) -> Cost:
    """What it takes a sender to submit a large file, once it has all that it needs for a small one."""
    submit = SENDERS[sender](connection)
    submit(small)
    before = submit(small)
    after = submit(large)
    return after._replace(memory=after.memory - before.memory)


@contextmanager
def served(server: str) -> Generator[Connection]:
    """A connection to what was asked for."""
    if server == "sandbox":
        with sandbox_process() as url, urlopen(f"{url}/_control/connections") as answer:
            yield json.load(answer)["assemblyline_default"]
    elif server == "sink":
        with sink_process() as url:
            yield {"conn_type": "assemblyline", "host": url, "login": "admin", "extra": {"api_key": "sink:sink-key"}}
    else:
        yield json.loads(server)


def file_of(folder: str, size: int) -> str:
    """A file of so many MiB."""
    path, some = Path(folder, f"{size}.bin"), random.Random(size)
    with path.open("wb") as file:
        for _ in range(size):
            file.write(some.randbytes(MIB))
    return str(path)


def best_costs(connection: Connection, small: str, large: str, rounds: int) -> dict[str, Cost]:
    """The best time of each sender, and the most memory."""
    installed = {"curl -F": shutil.which("curl"), "official client": find_spec("assemblyline_client")}
    senders = [sender for sender in SENDERS if installed.get(sender, True)]
    # spawned, for a forked child would share pages with its parent; and a new one each time
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        taken = [
            (sender, pool.submit(cost, sender, connection, small, large).result())
            for _ in range(rounds)
            for sender in senders
        ]
    return {sender: _best([each for name, each in taken if name == sender]) for sender in senders}


def _best(costs: list[Cost]) -> Cost:
    return min(costs)._replace(memory=max(each.memory for each in costs))


def kept(size: int, costs: Mapping[str, Cost]) -> bool:
    """Print what one size took, and say whether our limits are kept."""
    for sender, taken in costs.items():
        time_taken = f"{taken.seconds:6.2f} s  {size / taken.seconds:5.0f} MiB/s  CPU {taken.cpu:5.2f} s"
        print(f"{size:5} MiB  {sender:15}  {time_taken}  memory {taken.memory:+7.1f} MiB")
    mine, plain = costs["ours"], costs.get("curl -F")
    limits: list[tuple[str, float, float, str]] = [("memory", mine.memory, MEMORY, "MiB")]
    if plain:
        limits.append(("time", mine.seconds / plain.seconds, TIME, "times that of curl"))
    for what, value, limit, unit in limits:
        print(f"           {'kept  ' if value <= limit else 'MISSED'}  {what} {value:.2f} {unit} (limit: {limit})")
    return all(value <= limit for _, value, limit, _ in limits)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="in MiB")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each sender submits each file")
    parser.add_argument("--server", default="sandbox", help="sandbox, sink, or a connection as JSON")
    asked = parser.parse_args()
    with served(asked.server) as connection, tempfile.TemporaryDirectory() as folder:
        small = file_of(folder, 1)
        costs = {size: best_costs(connection, small, file_of(folder, size), asked.rounds) for size in asked.sizes}
    return 0 if all([kept(size, taken) for size, taken in costs.items()]) else 1


if __name__ == "__main__":
    sys.exit(main())
