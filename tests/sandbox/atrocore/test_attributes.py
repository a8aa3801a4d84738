"""Attributes of records of the fake AtroCore server, since core 2.0."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core

ATTRIBUTES = [
    {"id": "colour", "name": "Colour", "code": "colour", "type": "varchar"},
    {"id": "weight", "name": "Weight", "code": "weight", "type": "float", "isRequired": True},
]
MEASURE = {"id": "m", "name": "Weight"}
UNIT = {"id": "kg", "name": "kg", "measureId": "m", "multiplier": 1.0}


@pytest.fixture(params=["2.0.0", "2.3.16"])
def client(request, served):
    client = client_of_core(served, request.param, "2.3" if request.param == "2.3.16" else "1.x-2.2")
    records = {"Attribute": ATTRIBUTES, "Measure": [MEASURE], "Unit": [UNIT], "Product": [{"id": "p"}]}
    served.seed({"records": records})
    return client


def change(client, *values):
    return client.call("POST", "/Product/p/upsertAttributeValues", list(values))


def list_values(client):
    return {row["attributeId"]: row.get("value") for row in client.call("GET", "/Product/p/attributeValues").json()}


def test_attributes_are_assigned_then_have_values(client):
    assert client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour", "weight"]}).json() is True
    assert list_values(client) == {"colour": None, "weight": None}
    assert change(client, {"attributeId": "weight", "value": 2.5, "valueUnitId": "kg"}).json() is True
    row = client.call("GET", "/Product/p/attributeValues").json()[1]
    assert row == {
        "attributeId": "weight",
        "type": "float",
        "value": 2.5,
        "valueUnitId": "kg",
        "valueUnitName": "kg",
        "required": True,
        "visible": True,
        "readOnly": False,
        "protected": False,
    }


def test_values_of_attributes_that_are_not_assigned_are_skipped_silently(client):
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour"]})
    values = [{"attributeId": "colour", "value": "red"}, {"attributeId": "weight", "value": 1.5}]
    assert change(client, *values).json() is True
    assert list_values(client) == {"colour": "red"}
    assert change(client, {"attributeId": "weight", "value": 1.5}).status_code == 304


def test_an_equal_value_is_no_change(client):
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour"]})
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour"]})
    assert change(client, {"attributeId": "colour", "value": "red"}).status_code == 200
    assert change(client, {"attributeId": "colour", "value": "red"}).status_code == 304
    assert list_values(client) == {"colour": "red"}


def test_a_change_sets_the_time_of_modification(client):
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour"]})
    before = client.call("GET", "/Product/p").json()["modifiedAt"]
    client.served.seed({"advance_seconds": 60})
    change(client, {"attributeId": "colour", "value": "red"})
    assert client.call("GET", "/Product/p").json()["modifiedAt"] > before


def test_attributes_are_removed_with_their_values(client):
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour", "weight"]})
    change(client, {"attributeId": "colour", "value": "red"})
    assert client.call("DELETE", "/Product/p/attributeValues", {"attributeIds": ["colour"]}).json() is True
    assert list_values(client) == {"weight": None}
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour"]})
    assert list_values(client) == {"weight": None, "colour": None}


@pytest.mark.parametrize(
    ("method", "route", "body", "status"),
    [
        ("POST", "addAttributes", {"attributeIds": []}, 400),
        ("POST", "addAttributes", {}, 400),
        ("POST", "addAttributes", {"attributeIds": ["unknown"]}, 404),
        ("POST", "upsertAttributeValues", [], 400),
        ("POST", "upsertAttributeValues", {"attributeId": "colour"}, 400),
        ("DELETE", "attributeValues", {"attributeIds": []}, 400),
    ],
)
def test_wrong_bodies_are_rejected(client, method, route, body, status):
    assert client.call(method, f"/Product/p/{route}", body).status_code == status


def test_a_wrong_type_is_rejected_since_2_3(newest):
    newest.served.seed({"records": {"Attribute": ATTRIBUTES, "Product": [{"id": "p"}]}})
    newest.call("POST", "/Product/p/addAttributes", {"attributeIds": ["weight"]})
    assert change(newest, {"attributeId": "weight", "value": "heavy"}).status_code == 400


def test_unknown_records_have_no_attributes(client):
    assert client.call("GET", "/Product/unknown/attributeValues").status_code == 404


def test_lists_contain_attributes_under_their_codes_if_the_header_asks_for_it(newest):
    newest.served.seed({"records": {"Attribute": ATTRIBUTES, "Product": [{"id": "p"}]}})
    newest.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour", "weight"]})
    change(
        newest, {"attributeId": "colour", "value": "red"}, {"attributeId": "weight", "value": 2.5, "valueUnitId": "kg"}
    )
    query, headers = {"select": "name", "attributes": "colour,weight"}, {"Flatten-Attributes": "true"}
    [row] = newest.call("GET", "/Product", params=query, headers=headers).json()["list"]
    assert (row["colour"], row["weight"], row["weightUnitId"]) == ("red", 2.5, "kg")
    assert row["attributesDefs"]["weight"] == {"attributeId": "weight", "type": "float"}
    query = {"allAttributes": "true"}
    [row] = newest.call("GET", "/Product", params=query, headers=headers).json()["list"]
    assert row["colour"] == "red"
    [row] = newest.call("GET", "/Product", params=query).json()["list"]
    assert "colour" not in row


def test_a_record_contains_all_attributes_if_the_header_asks_for_it(client):
    client.call("POST", "/Product/p/addAttributes", {"attributeIds": ["colour"]})
    change(client, {"attributeId": "colour", "value": "red"})
    assert client.call("GET", "/Product/p", headers={"Flatten-Attributes": "true"}).json()["colour"] == "red"
    assert "colour" not in client.call("GET", "/Product/p").json()
