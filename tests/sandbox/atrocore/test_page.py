"""The tables of the fake AtroCore server on the page of the sandbox, and its speed."""

from __future__ import annotations

import json
import time

from tests.sandbox.atrocore.client import USER, payload


def test_tables_contain_products_newest_first_and_no_secrets(wheels):
    tables = wheels.served.tables()
    assert [product["number"] for product in tables["products"]] == ["W-4", "W-3", "W-2", "W-1", "W-0"]
    assert tables["tokens"] == [{"user": USER, "tokens": 1}]
    assert wheels.headers["Authorization-Token"] not in json.dumps(tables)


def test_ten_thousand_products_take_seconds(newest):
    start = time.process_time()  # CPU time of client and server does not depend on other processes
    for batch in range(100):
        results = newest.upsert(*(payload(f"P-{batch}-{n}", id=f"{batch}-{n}") for n in range(100)))
        assert {result["status"] for result in results} == {"Created"}
    for batch in range(100):
        condition = {"where[0][type]": "in", "where[0][attribute]": "number"}
        query = {**condition, "where[0][value][]": [f"P-{batch}-{n}" for n in range(100)]}
        assert len(newest.call("GET", "/Product", params=query).json()["list"]) == 100
    assert time.process_time() - start < 20


def test_seeded_latencies_delay_responses(wheels):
    wheels.served.seed({"latencies": {"request": 0.05, "written": 0.05, "listed": 0.05}})

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    assert seconds(lambda: wheels.call("GET", "/Product")) >= 0.05 + 5 * 0.05
    assert seconds(lambda: wheels.upsert(payload("A"), payload("B"))) >= 0.05 + 2 * 0.05
