"""The gain of comparing first and sending only differences in batches, over sending everything.

    python -m benchmarks.atrocore_sync [PRODUCTS ...]

Syncs a catalogue from a CSV file with a sandbox in a process of its own three times: all products are new, none has
changed, one in a hundred has changed. Two alternatives to the operator do the same on the same server: upserts of 100
products each, and a POST per product. The time is the client's CPU time, and what the requests and records would cost a
real server (`atrocore_cost`): the sandbox is much faster than one.

The limits: the number of requests is at most 1.05 times the minimum (one sign-in, pages of 1,000 stored products,
batches of 100 changed ones; 10 more for a sync's own overhead, which do not grow), a first load takes at most 1.1 times
as long as plain upserts, and an unchanged catalogue an eighth. The operator sends what has changed, and nothing else.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.atrocore_cost import Cost, CostMeter
from benchmarks.sandbox import get_connection, hide_logs, run_sandbox
from benchmarks.task_context import build_context

DEFAULT_PRODUCTS = (10_000, 100_000)
BATCH_SIZE, PAGE_SIZE = 100, 1000
CHANGED_STEP = 100  # one product in a hundred changes
SINGLE_STEP = 100  # one product in a hundred is sent by a POST of its own; the others would take as long
OVERHEAD_REQUESTS = 10
MAX_REQUESTS, MAX_FIRST_LOAD, MIN_UNCHANGED = 1.05, 1.1, 8.0
TIMEOUT_SECONDS = 60
STATES = ("all new", "none changed", "one in a hundred changed")
COLUMNS = ("number", "name", "longDescription", "price", "status")


def write_catalogue(path: Path, prefix: str, count: int, *, is_changed: bool) -> Path:
    """Write products whose numbers begin with a prefix to a CSV file, and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(count):
            price = 2.5 if is_changed and n % CHANGED_STEP == 0 else 1.5
            writer.writerow([f"{prefix}-{n:07}", f"Product {n}", "A description of the product. " * 5, price, "draft"])
    return path


def list_states(folder: Path, prefix: str, count: int) -> Iterator[Path]:
    """Yield the catalogue when it is new, when nothing has changed, and when some products have changed."""
    first = write_catalogue(folder / f"{prefix}.csv", prefix, count, is_changed=False)
    yield first
    yield first
    yield write_catalogue(folder / f"{prefix}-changed.csv", prefix, count, is_changed=True)


def measure_operator(folder: Path, count: int) -> Iterator[tuple[Cost, dict[str, Any]]]:
    """Yield cost and result of `AtrocoreSyncProductsOperator` for each state of the catalogue."""
    from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator

    for path in list_states(folder, "operator", count):
        operator = AtrocoreSyncProductsOperator(task_id="sync", source=path, batch_size=BATCH_SIZE)
        meter, context = CostMeter(operator.hook._transport_and_auth[0]), build_context(operator, "run")
        results = list[Any]()
        yield meter.measure(partial(_submit, operator, context, results)), results[0]


def _submit(operator: Any, context: Any, results: list[Any]) -> None:
    results.append(operator.submit(context))


@dataclass
class Peer:
    """A client that sends everything.

    :param base_url: of the sandbox's AtroCore
    :param headers: of its session
    """

    base_url: str
    headers: dict[str, str]

    def measure_upserts(self, folder: Path, count: int) -> Iterator[Cost]:
        """Yield the cost of an upsert of all products for each state; ids prevent duplicates."""
        import requests

        session = requests.Session()
        meter = CostMeter(session)
        for path in list_states(folder, "upserts", count):
            yield meter.measure(partial(self._upsert, session, path))

    def measure_posts(self, folder: Path, count: int) -> Cost:
        """Return the cost of one POST per product; repeating it would create duplicates."""
        import requests

        session, sample = requests.Session(), ceil(count / SINGLE_STEP)
        path = write_catalogue(folder / "posts.csv", "posts", sample, is_changed=False)

        def send() -> None:
            for row in _read(path):
                url = f"{self.base_url}/api/Product"
                session.post(url, json=row, headers=self.headers, timeout=TIMEOUT_SECONDS).raise_for_status()

        return CostMeter(session).measure(send).scaled(count / sample)

    def _upsert(self, session: Any, path: Path) -> None:
        remaining = _read(path)
        while batch := list(islice(remaining, BATCH_SIZE)):
            items = [{"entity": "Product", "payload": {**row, "id": row["number"]}} for row in batch]
            url = f"{self.base_url}/api/upsert"
            session.post(url, json=items, headers=self.headers, timeout=TIMEOUT_SECONDS).raise_for_status()


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {**row, "price": float(row["price"])}


def sign_in(connection: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a new session."""
    import requests

    user, url = connection["login"], f"{connection['host']}/api/userSession"
    response = requests.get(url, auth=(user, connection["password"]), timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return {"Authorization-Token": b64encode(f"{user}:{response.json()['token']}".encode()).decode()}


def count_minimum(stored: int, changed: int) -> int:
    """Return the smallest number of requests: sign-in, pages of what is stored, batches of what has changed."""
    return 1 + ceil(stored / PAGE_SIZE) + ceil(changed / BATCH_SIZE)


def compare(count: int) -> bool:
    """Measure a catalogue, print, and return whether all limits are kept."""
    with run_sandbox() as url, TemporaryDirectory() as name:
        connection, folder = get_connection(url, "atrocore_default"), Path(name)
        os.environ["AIRFLOW_CONN_ATROCORE_DEFAULT"] = json.dumps(connection)
        peer = Peer(connection["host"], sign_in(connection))
        operator = list(measure_operator(folder, count))
        upserts = list(peer.measure_upserts(folder, count))
        posts = peer.measure_posts(folder, count)
    changed = [count, 0, ceil(count / CHANGED_STEP)]
    minimum = [count_minimum(stored, sent) for stored, sent in zip((0, count, count), changed, strict=True)]
    print_costs(count, [cost for cost, _ in operator], upserts, posts, minimum)
    sent = [result["created"] + result["updated"] for _, result in operator]
    (first, unchanged, _), (plain_first, plain_unchanged, _) = [cost for cost, _ in operator], upserts
    return all([
        check("records sent", sent == changed, f"{sent}; it should be {changed}"),
        *(
            check(
                f"requests, {state}",
                cost.requests <= MAX_REQUESTS * least + OVERHEAD_REQUESTS,
                f"{cost.requests:.0f} of {least}",
            )
            for state, (cost, _), least in zip(STATES, operator, minimum, strict=True)
        ),
        check(
            "first load",
            first.seconds <= MAX_FIRST_LOAD * plain_first.seconds,
            f"{first.seconds / plain_first.seconds:.2f} times the upserts",
        ),
        check(
            "unchanged",
            unchanged.seconds * MIN_UNCHANGED <= plain_unchanged.seconds,
            f"{plain_unchanged.seconds / unchanged.seconds:.1f} times faster",
        ),
    ])


def check(name: str, is_kept: bool, found: str) -> bool:
    """Print whether a limit is kept, and return it."""
    print(f"{'PASS' if is_kept else 'FAIL'}  {name}: {found}")
    return is_kept


def print_costs(count: int, operator: list[Cost], upserts: list[Cost], posts: Cost, minimum: list[int]) -> None:
    """Print the costs of all states."""
    print(f"\n{count} products")
    for state, own, upsert, least in zip(STATES, operator, upserts, minimum, strict=True):
        print(f"{state}: {count / own.seconds:.0f} products/s")
        print_cost(f"operator (minimum {least})", own, own)
        print_cost("upserts of 100", upsert, own)
        if state == STATES[0]:
            print_cost("one POST per product", posts, own)


def print_cost(name: str, cost: Cost, own: Cost) -> None:
    """Print a cost in one line, relative to that of the operator."""
    print(
        f"    {name:24} {cost.requests:7.0f} requests, {cost.cpu_seconds:6.1f} s CPU, "
        f"{cost.server_seconds:7.0f} s server, {cost.seconds / own.seconds:5.2f} times as long"
    )


def main() -> int:
    """Measure each catalogue; return 0 only if all limits are kept."""
    hide_logs()
    counts = [int(argument) for argument in sys.argv[1:]] or DEFAULT_PRODUCTS
    return 0 if all([compare(count) for count in counts]) else 1


if __name__ == "__main__":
    sys.exit(main())
