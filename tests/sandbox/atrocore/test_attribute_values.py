"""Attribute values of products of the fake AtroCore server, before core 2.0."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core

ATTRIBUTES = [
    {"id": "colour", "name": "Colour", "code": "colour", "type": "varchar"},
    {"id": "weight", "name": "Weight", "code": "weight", "type": "float"},
    {"id": "fragile", "name": "Fragile", "code": "fragile", "type": "bool"},
    {"id": "since", "name": "Since", "code": "since", "type": "date"},
    {"id": "slogan", "name": "Slogan", "code": "slogan", "type": "varchar", "isMultilang": True},
    {"id": "size", "name": "Size", "code": "size", "type": "extensibleEnum"},
]


@pytest.fixture
def old(served):
    served.seed({"core": "1.10.30", "languages": ["de_DE"]})
    options = [{"id": "s", "name": "Small"}]
    records = {"Attribute": ATTRIBUTES, "ExtensibleEnumOption": options, "Product": [{"id": "p"}, {"id": "q"}]}
    served.seed({"records": records})
    return client_of_core(served, "1.10.30")


def create(client, attribute, value, **values):
    body = {"productId": "p", "attributeId": attribute, "value": value, **values}
    return client.call("POST", "/ProductAttributeValue", body)


def list_values(client, **query):
    rows = client.call("GET", "/Product/p/productAttributeValues", params=query).json()["list"]
    return {(row["attributeId"], row["language"], row["channelId"]): row["value"] for row in rows}


@pytest.mark.parametrize(
    ("attribute", "given", "stored"),
    [
        ("colour", "red", "red"),
        ("weight", 2.5, 2.5),
        ("weight", "2,5", 2),
        ("fragile", True, True),
        ("fragile", "ja", False),
        ("size", "s", "s"),
        ("since", "2026-03-01", "2026-03-01"),
    ],
)
def test_a_value_has_the_type_of_its_attribute(old, attribute, given, stored):
    created = create(old, attribute, given).json()
    assert (created["value"], created["attributeCode"]) == (stored, attribute)
    assert list_values(old) == {(attribute, "main", None): stored}


def test_german_dates_are_repeated_but_stored_otherwise(old):
    assert create(old, "since", "01.03.2026").json()["value"] == "01.03.2026"
    assert list_values(old) == {("since", "main", None): "2026-01-03"}


def test_a_product_has_one_value_of_an_attribute_and_channel(old):
    assert create(old, "colour", "red").status_code == 200
    assert create(old, "colour", "blue").status_code == 400
    assert create(old, "colour", "shop red", channelId="ch").status_code == 200
    assert create(old, "colour", "blue", productId="q").status_code == 200
    assert set(list_values(old).values()) == {"red", "shop red"}


def test_a_multilingual_attribute_has_the_row_of_the_other_language(old):
    created = create(old, "slogan", "Hallo").json()
    assert (created["language"], created["attributeName"]) == ("de_DE", "Slogan / de_DE")
    assert create(old, "slogan", "Hello", language="main").json()["language"] == "main"


def test_unknown_attributes_and_options_are_rejected_but_not_unknown_products(old):
    reply = create(old, "unknown", "x")
    assert (reply.status_code, reply.text) == (400, "Attribute 'unknown' does not exist.")
    assert create(old, "size", "unknown").status_code == 500
    assert create(old, "colour", "x", productId="unknown").status_code == 200


def test_values_are_changed_by_patch_and_upsert(old):
    value_id = create(old, "weight", 2.5).json()["id"]
    changed = old.call("PATCH", f"/ProductAttributeValue/{value_id}", {"value": "3.5 kg"})
    assert (changed.status_code, changed.json()["value"]) == (200, 3.5)
    assert old.call("PATCH", f"/ProductAttributeValue/{value_id}", {"value": 3.5}).status_code == 304
    items = [{"entity": "ProductAttributeValue", "payload": {"id": value_id, "value": 4.5}}]
    [result] = old.call("POST", "/MassActions/action/upsert", items).json()
    assert (result["status"], list_values(old)) == ("Updated", {("weight", "main", None): 4.5})


def test_other_fields_of_a_value_can_be_changed(old):
    value_id = create(old, "colour", "red").json()["id"]
    changed = old.call("PATCH", f"/ProductAttributeValue/{value_id}", {"isRequired": True}).json()
    assert (changed["isRequired"], changed["value"], changed["attributeName"]) == (True, "red", "Colour")


def test_the_entity_exists_until_2_0(served):
    assert client_of_core(served, "2.0.0").call("GET", "/ProductAttributeValue").status_code == 404
