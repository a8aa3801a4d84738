"""How much reading first, and sending only differences in batches, gains over sending everything.

    python -m benchmarks.sync_products [PRODUCTS]

Syncs a catalogue with the sandbox, in a process of its own, three times: all products are new, none has changed, one in
ten has. Beside the operator, two peers do the same: an upsert of every product each time, and one POST per product. The
sandbox takes its time as a real server was seen to (0.3 s for any request, 20 ms more for each record it has to save or
find unchanged, 2.3 ms for each that it lists), but a twentieth of it. Times are told as ratios within this run.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.sandbox_speed import sandbox_process

PRODUCTS, BATCH = 5000, 100
CHANGED = 10  # one in so many
SINGLE = 10  # one product in so many is posted by itself; the rest would take as long
HASTE = 20
COSTS = {"request": 0.3 / HASTE, "written": 0.02 / HASTE, "listed": 0.0023 / HASTE}
Catalogue = list[dict[str, Any]]


@dataclass
class Sent:
    """What it took."""

    seconds: float
    requests: int
    records: int


def catalogue(kind: str, count: int, price: int = 1) -> Catalogue:
    """Products, one in ten with the given price."""
    return [
        {
            "number": f"{kind}-{n:06}",
            "name": f"Product {n}",
            "description": "What there is to say about it. " * 5,
            "price": price if n % CHANGED == 0 else 1,
            "status": "draft",
        }
        for n in range(count)
    ]


class Measured:
    """Counts what a session sends."""

    def __init__(self, session: Any) -> None:
        self.requests = self.records = 0
        session.hooks["response"].append(self._count)

    def _count(self, response: Any, **_: Any) -> None:
        self.requests += 1
        if response.request.method == "POST":
            body = json.loads(response.request.body)
            self.records += len(body) if isinstance(body, list) else 1

    def of(self, work: Callable[[], object]) -> Sent:
        """What this work took."""
        requests, records, start = self.requests, self.records, time.perf_counter()
        work()
        return Sent(time.perf_counter() - start, self.requests - requests, self.records - records)


def operator_syncs(products: Catalogue) -> Iterator[Sent]:
    """What `AtrocoreSyncProductsOperator` takes for each state of the catalogue."""
    from self_hosted.atrocore.operators import AtrocoreSyncProductsOperator

    class Quiet:
        def xcom_push(self, key: str, value: Any) -> None:
            """Keep nothing."""

    for rows in states(products):
        operator = AtrocoreSyncProductsOperator(task_id="sync", rows=rows, batch_size=BATCH)
        measured = Measured(operator.hook._opened[0].session)
        context: Any = {"ti": Quiet(), "task": operator}
        yield measured.of(lambda operator=operator, context=context: operator.start(context))  # type: ignore[misc]


def upserts(base_url: str, headers: dict[str, str], products: Catalogue) -> Iterator[Sent]:
    """What it takes to upsert everything every time, with ids so that nothing is doubled."""
    import requests

    session = requests.Session()
    measured = Measured(session)

    def work(rows: Catalogue) -> None:
        waiting = iter(rows)
        while batch := list(islice(waiting, BATCH)):
            items = [{"entity": "Product", "payload": {**row, "id": row["number"]}} for row in batch]
            session.post(f"{base_url}/api/upsert", json=items, headers=headers, timeout=60).raise_for_status()

    for rows in states(products):
        yield measured.of(lambda rows=rows: work(rows))  # type: ignore[misc]


def posts(base_url: str, headers: dict[str, str], products: Catalogue) -> Sent:
    """What it takes to post every product by itself; doing so again would double them."""
    import requests

    session = requests.Session()

    def work() -> None:
        for row in products:
            session.post(f"{base_url}/api/Product", json=row, headers=headers, timeout=60).raise_for_status()

    sent = Measured(session).of(work)
    return Sent(sent.seconds * SINGLE, sent.requests * SINGLE, sent.records * SINGLE)


def states(products: Catalogue) -> Iterator[Catalogue]:
    """The catalogue when it is new, when nothing has changed, and when one product in ten has."""
    changed = [{**row, "price": 2} if n % CHANGED == 0 else row for n, row in enumerate(products)]
    yield from (products, products, changed)


def main() -> int:
    """Measure and print; the limit: unchanged products are synced without sending one."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PRODUCTS
    with sandbox_process() as url:
        connections = json.load(urlopen(f"{url}/_control/connections"))
        connection = connections["atrocore_default"]
        os.environ["AIRFLOW_CONN_ATROCORE_DEFAULT"] = json.dumps(connection)
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"
        urlopen(Request(f"{url}/_control/seed", json.dumps({"atrocore": {"costs": COSTS}}).encode(), method="POST"))
        from self_hosted.atrocore.hook import AtrocoreHook

        headers = {"Authorization-Token": str(AtrocoreHook().session()["authorizationToken"])}
        ours = list(operator_syncs(catalogue("ours", count)))
        blind = list(upserts(connection["host"], headers, catalogue("blind", count)))
        single = posts(connection["host"], headers, catalogue("single", -(-count // SINGLE)))
    print(f"{count} products\n")
    for title, own, peer in zip(("all new", "none changed", "one in ten changed"), ours, blind, strict=True):
        print(f"{title}: {count / own.seconds / HASTE:.0f} products/s at a real server's pace")
        _tell("the operator", own, own)
        _tell("upsert of everything", peer, own)
        if title == "all new":
            _tell("one POST each", single, own)
    return 0 if ours[1].records == 0 and ours[2].records == -(-count // CHANGED) else 1


def _tell(who: str, sent: Sent, own: Sent) -> None:
    times = sent.seconds / own.seconds
    print(f"    {who:22} {sent.requests:6} requests, {sent.records:6} records sent, {times:5.1f} times as long")


if __name__ == "__main__":
    sys.exit(main())
