"""What the page of the sandbox shows of AtroCore, and how fast it all is."""

from __future__ import annotations

import json
import time

from tests.sandbox.atrocore.asking import USER, payload


def test_the_page_shows_products_newest_first_and_no_secrets(wheels):
    tables = wheels.served.tables()
    assert [product["number"] for product in tables["products"]] == ["W-4", "W-3", "W-2", "W-1", "W-0"]
    assert tables["tokens"] == [{"user": USER, "tokens": 1}]
    assert wheels.headers["Authorization-Token"] not in json.dumps(tables)


def test_ten_thousand_products_are_a_matter_of_seconds(newest):
    start = time.perf_counter()
    for batch in range(100):
        results = newest.upsert(*(payload(f"P-{batch}-{n}", id=f"{batch}-{n}") for n in range(100)))
        assert {result["status"] for result in results} == {"Created"}
    for batch in range(100):
        keys = {"where[0][type]": "in", "where[0][attribute]": "number"}
        query = {**keys, "where[0][value][]": [f"P-{batch}-{n}" for n in range(100)]}
        assert len(newest.ask("GET", "/Product", params=query).json()["list"]) == 100
    assert time.perf_counter() - start < 20


def test_it_can_take_its_time_as_a_real_server_does(wheels):
    wheels.served.seed({"costs": {"request": 0.05, "written": 0.05, "listed": 0.05}})

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    assert seconds(lambda: wheels.ask("GET", "/Product")) >= 0.05 + 5 * 0.05
    assert seconds(lambda: wheels.upsert(payload("A"), payload("B"))) >= 0.05 + 2 * 0.05
