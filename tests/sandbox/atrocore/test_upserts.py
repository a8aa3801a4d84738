"""Upserts at the fake AtroCore server."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core, payload


def test_an_upsert_returns_a_result_for_each_item(newest):
    first, second = payload("A", id="a"), payload("B", id="b", price="many")
    assert newest.upsert(first, second) == [
        {"status": "Created", "stored": True, "entity": "Product", "id": "a"},
        {"status": "Failed", "stored": False, "code": 400, "message": "price: valueIsNotNumber"},
    ]
    assert [result["status"] for result in newest.upsert(first, {**first, "price": "1.5"})] == [
        "NotModified",
        "Updated",
    ]
    assert newest.call("GET", "/Product/a").json()["price"] == pytest.approx(1.5)


def test_an_upsert_restores_softly_deleted_records(newest):
    newest.upsert(payload("A", id="a"))
    newest.call("DELETE", "/Product/a")
    assert newest.upsert(payload("A", id="a"))[0]["status"] == "Created"


def test_an_upsert_without_id_creates_duplicates_unless_a_field_is_unique(newest):
    assert [newest.upsert(payload("A"))[0]["status"] for _ in range(2)] == ["Created", "Created"]
    newest.served.seed({"unique": {"Product": ["number"]}})
    assert newest.upsert(payload("A", price=1))[0]["status"] == "Updated"


def test_an_upsert_of_an_unknown_entity_fails_for_its_item(newest):
    response = newest.call("POST", "/upsert", [{"entity": "Prodct", "payload": {}}])
    assert (response.status_code, response.json()[0]["status"]) == (200, "Failed")


def test_before_2_3_results_contain_the_complete_record(served):
    result = client_of_core(served, "2.2.31").upsert(payload("A", id="a"))[0]
    assert (result["entity"]["id"], result["entity"]["name"]) == ("a", "Wheel")


def test_before_1_11_56_an_item_without_changes_has_failed(served):
    client = client_of_core(served, "1.11.55")
    item = {"sku": "A", "name": "Wheel", "id": "a"}
    assert [client.upsert(item)[0]["status"] for _ in range(2)] == ["Created", "Failed"]
    assert client.upsert(item)[0]["message"].startswith("Code: 304.")
    assert client_of_core(served, "1.11.56").upsert(item)[0]["status"] == "NotModified"


def test_before_1_10_61_an_item_without_id_overwrites_the_previous_one(served):
    client = client_of_core(served, "1.10.60")
    client.upsert({"sku": "A", "name": "Wheel", "id": "a"})
    client.upsert({"sku": "A", "name": "Wheel", "id": "a", "price": 1}, {"sku": "B", "name": "Tyre"})
    assert client.call("GET", "/Product/a").json()["sku"] == "B"


def test_a_poisoned_item_ends_the_request_after_the_items_before_it(newest):
    newest.served.seed({"poison": ["B"]})
    items = [{"entity": "Product", "payload": payload(key)} for key in "ABC"]
    assert newest.call("POST", "/upsert", items).status_code == 500
    assert [product["number"] for product in newest.served.tables()["products"]] == ["A"]
