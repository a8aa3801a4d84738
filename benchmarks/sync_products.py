"""The gain of reading first and sending only differences in batches, over sending everything.

    python -m benchmarks.sync_products [PRODUCTS]

Syncs a catalogue with a sandbox in a process of its own three times: all products are new, none has changed, one in ten
has changed. Two alternatives to the operator do the same: an upsert of all products each time, and a POST per product.

The sandbox delays its responses like a real server, but by a twentieth of the time: 0.3 s per request, 20 ms per record
that is saved or found unchanged, and 2.3 ms per listed record. Times are ratios within one run.
"""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from typing import Any

from benchmarks.requests_counter import Cost, RequestCounter
from benchmarks.sandbox import get_connection, hide_logs, post_control, run_sandbox
from benchmarks.task_context import build_context

DEFAULT_PRODUCTS, BATCH_SIZE = 5000, 100
CHANGED_STEP = 10  # one product in ten changes
SINGLE_STEP = 10  # one product in ten is sent by a POST of its own; the others would take as long
SPEED_UP = 20
DELAYS = {"request": 0.3 / SPEED_UP, "written": 0.02 / SPEED_UP, "listed": 0.0023 / SPEED_UP}  # seconds
TIMEOUT_SECONDS = 60
TITLES = ("all new", "none changed", "one in ten changed")
Catalogue = list[dict[str, Any]]


def build_catalogue(prefix: str, count: int) -> Catalogue:
    """Return products whose numbers begin with a prefix."""
    return [
        {
            "number": f"{prefix}-{n:06}",
            "name": f"Product {n}",
            "description": "A description of the product. " * 5,
            "price": 1,
            "status": "draft",
        }
        for n in range(count)
    ]


def list_states(products: Catalogue) -> Iterator[Catalogue]:
    """Yield the catalogue when it is new, when nothing has changed, and when one product in ten has changed."""
    changed = [{**row, "price": 2} if n % CHANGED_STEP == 0 else row for n, row in enumerate(products)]
    yield from (products, products, changed)


def measure_operator(products: Catalogue) -> Iterator[Cost]:
    """Yield the cost of `AtrocoreSyncProductsOperator` for each state of the catalogue."""
    from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator

    for rows in list_states(products):
        operator = AtrocoreSyncProductsOperator(task_id="sync", rows=rows, batch_size=BATCH_SIZE)
        counter = RequestCounter(operator.hook._transport_and_auth[0])
        context = build_context(operator, "run")
        yield counter.measure(lambda operator=operator, context=context: operator.submit(context))  # type: ignore[misc]


def sign_in(connection: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a new session."""
    import requests

    user = connection["login"]
    response = requests.get(
        f"{connection['host']}/api/userSession", auth=(user, connection["password"]), timeout=TIMEOUT_SECONDS
    )
    response.raise_for_status()
    return {"Authorization-Token": b64encode(f"{user}:{response.json()['token']}".encode()).decode()}


def measure_upserts(base_url: str, headers: dict[str, str], products: Catalogue) -> Iterator[Cost]:
    """Yield the cost of an upsert of all products for each state; ids prevent duplicates."""
    import requests

    session = requests.Session()
    counter = RequestCounter(session)

    def send(rows: Catalogue) -> None:
        remaining = iter(rows)
        while batch := list(islice(remaining, BATCH_SIZE)):
            items = [{"entity": "Product", "payload": {**row, "id": row["number"]}} for row in batch]
            response = session.post(f"{base_url}/api/upsert", json=items, headers=headers, timeout=TIMEOUT_SECONDS)
            response.raise_for_status()

    for rows in list_states(products):
        yield counter.measure(lambda rows=rows: send(rows))  # type: ignore[misc]


def measure_posts(base_url: str, headers: dict[str, str], products: Catalogue) -> Cost:
    """Return the cost of one POST per product; repeating it would create duplicates."""
    import requests

    session = requests.Session()

    def send() -> None:
        for row in products:
            response = session.post(f"{base_url}/api/Product", json=row, headers=headers, timeout=TIMEOUT_SECONDS)
            response.raise_for_status()

    cost = RequestCounter(session).measure(send)
    return Cost(cost.seconds * SINGLE_STEP, cost.requests * SINGLE_STEP, cost.records * SINGLE_STEP)


def main() -> int:
    """Measure and print; return 0 only if the operator sends all that has changed, and nothing else."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PRODUCTS
    changed_count, single_count = -(-count // CHANGED_STEP), -(-count // SINGLE_STEP)
    hide_logs()
    with run_sandbox() as url:
        connection = get_connection(url, "atrocore_default")
        os.environ["AIRFLOW_CONN_ATROCORE_DEFAULT"] = json.dumps(connection)
        post_control(url, "seed", {"atrocore": {"latencies": DELAYS}})
        headers = sign_in(connection)
        operator = list(measure_operator(build_catalogue("operator", count)))
        upserts = list(measure_upserts(connection["host"], headers, build_catalogue("upserts", count)))
        posts = measure_posts(connection["host"], headers, build_catalogue("posts", single_count))
    print_costs(count, operator, upserts, posts)
    results = [
        check(title, cost.records, expected)
        for title, cost, expected in zip(TITLES, operator, (count, 0, changed_count), strict=True)
    ]
    return 0 if all(results) else 1


def check(title: str, records: int, expected: int) -> bool:
    """Print whether the operator has sent as many records as it should, and return it."""
    print(f"{'PASS' if records == expected else 'FAIL'}  {title}: {records} records sent; it should be {expected}")
    return records == expected


def print_costs(count: int, operator: list[Cost], upserts: list[Cost], posts: Cost) -> None:
    """Print the costs of all states."""
    print(f"{count} products\n")
    for title, own, upsert in zip(TITLES, operator, upserts, strict=True):
        print(f"{title}: {count / own.seconds / SPEED_UP:.0f} products/s with the delays of a real server")
        print_cost("operator", own, own)
        print_cost("upsert of all products", upsert, own)
        if title == TITLES[0]:
            print_cost("one POST per product", posts, own)


def print_cost(name: str, cost: Cost, own: Cost) -> None:
    """Print a cost in one line, relative to that of the operator."""
    ratio = cost.seconds / own.seconds
    print(f"    {name:22} {cost.requests:6} requests, {cost.records:6} records sent, {ratio:5.1f} times as long")


if __name__ == "__main__":
    sys.exit(main())
