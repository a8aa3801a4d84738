"""The cost of one call of a hook: against a bare session of requests, the vendors' clients, and the http provider.

    python -m benchmarks.per_call [CALLS]

Each sender reads the same object from the sandbox, which runs in a process of its own: once as fast as it responds, and
once with a delay of 5 ms, which is less than a real server takes. All senders of a product run in one process and take
turns, block by block, so that a busy machine slows all of them alike. The time of a sender is the first decile of its
calls, its CPU time that of its best block: most of what other processes add is left out.

- A bare session checks nothing: neither status nor shape of the response; it has no total timeout and no limit of size.
  It does not look for proxies in the environment (`trust_env`), as this provider does not; that alone costs 0.2 ms.
- The clients: ayon-python-api and assemblyline-client (the extra ``test``).
- The first call of a task is measured in fresh processes: import of the hook, connection, first request. Airflow's SDK
  is imported before, as in each task. The best of several rounds counts. The peer is the HttpHook of
  apache-airflow-providers-http (the extra ``bench``).

The limits compare within one run:

- at a server that takes 5 ms: 25 % more time than the bare session. Measured are 3 % on an idle machine, and up to 10 %
  if ten processes share each core. A second request or a pause exceeds the limit;
- CPU: 1.6 times that of the bare session; most of both is urllib3's work. Measured are 1.3 times, or 0.2 ms: the checks
  of the response, its limits, the retries and the redaction;
- CPU: 1.1 times that of the vendors' clients. Measured are 0.7 and 0.85 times, and 0.96 on a machine with other work;
- the first call: 0.9 times that of the http provider. Measured are 0.5 to 0.75; the http provider imports aiohttp.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from benchmarks.sandbox import get_connection, post_control, run_sandbox

DEFAULT_CALLS, BLOCK_CALLS = 400, 40
DELAY_SECONDS = 0.005
FIRST_CALL_ROUNDS = 5
MAX_TIME_RATIO, MAX_CPU_RATIO, MAX_CLIENT_CPU_RATIO, MAX_FIRST_CALL_RATIO = 1.25, 1.6, 1.1, 0.9
HOOK, SESSION = "this provider", "bare session"
PROJECT = "benchmark"

Sender = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """The cost of one call.

    :param seconds: by the clock
    :param cpu_seconds: of the sender
    """

    seconds: float
    cpu_seconds: float


def measure(senders: Mapping[str, Sender], calls: int) -> dict[str, Cost]:
    """Return the cost of each sender; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in senders}
    cpu: dict[str, list[float]] = {name: [] for name in senders}
    for block in range(calls // BLOCK_CALLS + 1):
        for name, send in senders.items():
            block_times, block_cpu = _measure_block(send)
            if block:  # the first one imports, connects and logs in
                times[name] += block_times
                cpu[name].append(block_cpu)
    return {name: Cost(statistics.quantiles(times[name], n=10)[0], min(cpu[name])) for name in senders}


def _measure_block(send: Sender) -> tuple[list[float], float]:
    """Return the times of the calls, and the CPU time of one."""
    times, cpu_start = [], time.process_time()
    for _ in range(BLOCK_CALLS):
        start = time.perf_counter()
        send()
        times.append(time.perf_counter() - start)
    return times, (time.process_time() - cpu_start) / BLOCK_CALLS


def open_session() -> requests.Session:
    """Return a bare session."""
    session = requests.Session()
    session.trust_env = False
    return session


def open_ayon(url: str) -> dict[str, Sender]:
    """Return the senders that read a project from AYON."""
    import ayon_api

    from self_hosted.ayon.hook import AyonHook

    connection = get_connection(url, "ayon_default")
    base_url, key = connection["host"], connection["extra"]["api_key"]
    hook, client = AyonHook(), ayon_api.ServerAPI(base_url, token=key)
    client.create_project(PROJECT, "bench")
    session = open_session()
    session.headers["X-Api-Key"] = key
    return {
        HOOK: lambda: hook.get_project(PROJECT),
        SESSION: lambda: session.get(f"{base_url}/api/projects/{PROJECT}").json(),
        "ayon-python-api": lambda: client.get_project(PROJECT),
    }


def open_assemblyline(url: str) -> dict[str, Sender]:
    """Return the senders that read a submission from Assemblyline."""
    from io import BytesIO

    from assemblyline_client import get_client

    from self_hosted.assemblyline.hook import AssemblylineHook
    from self_hosted.core.http.flow import Upload

    connection = get_connection(url, "assemblyline_default")
    base_url, user, key = connection["host"], connection["login"], connection["extra"]["api_key"]
    hook, client = AssemblylineHook(), get_client(base_url, apikey=(user, key))
    sid = hook.submit(Upload("file.txt", lambda: BytesIO(b"text"), 4), {})["sid"]
    session = open_session()
    session.headers.update({"X-User": user, "X-Apikey": key})
    return {
        HOOK: lambda: hook.get_submission(sid),
        SESSION: lambda: session.get(f"{base_url}/api/v4/submission/{sid}/").json(),
        "assemblyline-client": lambda: client.submission(sid),
    }


FIRST_CALLS = {
    HOOK: "from self_hosted.ayon.hook import AyonHook\nAyonHook().get_server_info()",
    "http provider": (
        "from airflow.providers.http.hooks.http import HttpHook\n"
        "HttpHook('GET', http_conn_id='http_ayon').run('api/info').json()"
    ),
}


def measure_first_calls() -> dict[str, Cost]:
    """Return the cost of the first call in fresh processes, which take turns; the first round compiles the modules."""
    rounds = [{name: _run_fresh(code) for name, code in FIRST_CALLS.items()} for _ in range(FIRST_CALL_ROUNDS + 1)][1:]
    return {
        name: Cost(*(min(values) for values in zip(*(costs[name] for costs in rounds), strict=True)))
        for name in FIRST_CALLS
    }


def _run_fresh(code: str) -> tuple[float, float]:
    program = (
        "import time\nfrom airflow.sdk import BaseOperator, BaseHook, Connection\n"
        f"start, cpu = time.perf_counter(), time.process_time()\n{code}\n"
        "print(time.perf_counter() - start, time.process_time() - cpu)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    seconds, cpu_seconds = map(float, done.stdout.split()[-2:])
    return seconds, cpu_seconds


def show(title: str, costs: Mapping[str, Cost]) -> None:
    """Print the cost of each sender."""
    print(title)
    for name, cost in costs.items():
        print(f"    {name:20} {1000 * cost.seconds:8.2f} ms, {1000 * cost.cpu_seconds:8.2f} ms of CPU")


def check(text: str, ratio: float, limit: float) -> bool:
    """Print a ratio, and return whether it is within its limit."""
    print(f"{'PASS' if ratio <= limit else 'FAIL'}  {text}: {ratio:.2f} times; limit {limit:g}")
    return ratio <= limit


def compare_calls(product: str, url: str, senders: Mapping[str, Sender], calls: int) -> list[bool]:
    """Measure the senders of a product without and with a delay; print, and return whether the limits were kept."""
    post_control(url, "faults", [])
    fast = measure(senders, calls)
    delay = {"kind": "slow", "seconds": DELAY_SECONDS, "product": product, "times": None, "duration_seconds": 3600}
    post_control(url, "faults", [delay])
    slow = measure(senders, calls)
    post_control(url, "reset", {})
    show(f"{product}: as fast as the sandbox responds", fast)
    show(f"{product}: with a delay of {1000 * DELAY_SECONDS:g} ms", slow)
    [client] = set(senders) - {HOOK, SESSION}
    return [
        check(
            f"{product}: time of the {SESSION}, with the delay",
            slow[HOOK].seconds / slow[SESSION].seconds,
            MAX_TIME_RATIO,
        ),
        check(f"{product}: CPU of the {SESSION}", fast[HOOK].cpu_seconds / fast[SESSION].cpu_seconds, MAX_CPU_RATIO),
        check(f"{product}: CPU of {client}", fast[HOOK].cpu_seconds / fast[client].cpu_seconds, MAX_CLIENT_CPU_RATIO),
    ]


def compare_first_calls() -> list[bool]:
    """Measure the first call of a task; print, and return whether the limit was kept."""
    if importlib.util.find_spec("airflow.providers.http") is None:
        print("The first call is not compared: apache-airflow-providers-http is missing; install the extra bench")
        return []
    costs = measure_first_calls()
    show("the first call of a task: import, connection, request", costs)
    ratios = {
        "time": costs[HOOK].seconds / costs["http provider"].seconds,
        "CPU": costs[HOOK].cpu_seconds / costs["http provider"].cpu_seconds,
    }
    return [check(f"first call: {kind} of the http provider", ratios[kind], MAX_FIRST_CALL_RATIO) for kind in ratios]


def main() -> int:
    """Measure and print; return 0 only if all ratios are within their limits."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_CALLS
    with run_sandbox() as url:
        connections: dict[str, Any] = {
            name: get_connection(url, f"{name}_default") for name in ("ayon", "assemblyline")
        }
        connections["http_ayon"] = {"conn_type": "http", "host": connections["ayon"]["host"]}
        for name, connection in connections.items():
            conn_id = name if name == "http_ayon" else f"{name}_default"
            os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(connection)
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        results = [
            *compare_calls("ayon", url, open_ayon(url), calls),
            *compare_calls("assemblyline", url, open_assemblyline(url), calls),
            *compare_first_calls(),
        ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
