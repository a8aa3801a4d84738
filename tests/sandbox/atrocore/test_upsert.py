"""Upserts of the stand-in, item by item."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.asking import of_core, payload


def test_an_upsert_answers_for_each_item(newest):
    first, second = payload("A", id="a"), payload("B", id="b", price="many")
    assert newest.upsert(first, second) == [
        {"status": "Created", "stored": True, "entity": "Product", "id": "a"},
        {"status": "Failed", "stored": False, "code": 400, "message": "price: valueIsNotNumber"},
    ]
    assert [result["status"] for result in newest.upsert(first, {**first, "price": "1.5"})] == [
        "NotModified",
        "Updated",
    ]
    assert newest.ask("GET", "/Product/a").json()["price"] == pytest.approx(1.5)


def test_an_upsert_revives(newest):
    newest.upsert(payload("A", id="a"))
    newest.ask("DELETE", "/Product/a")
    assert newest.upsert(payload("A", id="a"))[0]["status"] == "Created"


def test_an_upsert_without_id_makes_duplicates_unless_a_field_is_unique(newest):
    assert [newest.upsert(payload("A"))[0]["status"] for _ in range(2)] == ["Created", "Created"]
    newest.served.seed({"unique": {"Product": ["number"]}})
    assert newest.upsert(payload("A", price=1))[0]["status"] == "Updated"


def test_an_upsert_of_an_unknown_entity_fails_item_by_item(newest):
    answer = newest.ask("POST", "/upsert", [{"entity": "Prodct", "payload": {}}])
    assert (answer.status_code, answer.json()[0]["status"]) == (200, "Failed")


def test_before_2_3_the_whole_record_comes_back(served):
    result = of_core(served, "2.2.31").upsert(payload("A", id="a"))[0]
    assert (result["entity"]["id"], result["entity"]["name"]) == ("a", "Wheel")


def test_before_1_11_56_what_is_unchanged_has_failed(served):
    client = of_core(served, "1.11.55")
    item = {"sku": "A", "name": "Wheel", "id": "a"}
    assert [client.upsert(item)[0]["status"] for _ in range(2)] == ["Created", "Failed"]
    assert client.upsert(item)[0]["message"].startswith("Code: 304.")
    assert of_core(served, "1.11.56").upsert(item)[0]["status"] == "NotModified"


def test_before_1_10_61_an_item_without_id_overwrites_the_one_before_it(served):
    client = of_core(served, "1.10.60")
    client.upsert({"sku": "A", "name": "Wheel", "id": "a"})
    client.upsert({"sku": "A", "name": "Wheel", "id": "a", "price": 1}, {"sku": "B", "name": "Tyre"})
    assert client.ask("GET", "/Product/a").json()["sku"] == "B"


def test_a_poisoned_record_breaks_its_request_when_it_comes_to_it(newest):
    newest.served.seed({"poison": ["B"]})
    items = [{"entity": "Product", "payload": payload(key)} for key in "ABC"]
    assert newest.ask("POST", "/upsert", items).status_code == 500
    assert [product["number"] for product in newest.served.tables()["products"]] == ["A"]
