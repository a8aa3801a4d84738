"""Lists of the fake AtroCore server: filters, pages, order."""

from __future__ import annotations

import json

from tests.sandbox.atrocore.client import Client, find_ids


def condition(kind, attribute="", value=None):
    return {"type": kind, "attribute": attribute, "value": value}


CASES = [
    (condition("equals", "number", "W-1"), [1]),
    (condition("notEquals", "number", "W-1"), [0, 2, 3, 4]),
    (condition("in", "number", ["W-1", "W-3", "none"]), [1, 3]),
    (condition("notIn", "number", ["W-1", "W-3"]), [0, 2, 4]),
    (condition("isNull", "price"), [0]),
    (condition("isNotNull", "price"), [1, 2, 3, 4]),
    (condition("greaterThan", "price", 2), [3, 4]),
    (condition("lessThan", "price", "3"), [1, 2]),
    (condition("like", "name", "wheel 2%"), [2]),
    (condition("isFalse", "isActive"), [0, 1, 2, 3, 4]),
    (condition("isTrue", "isActive"), []),
    (condition("or", value=[condition("equals", "id", "id-0"), condition("equals", "id", "id-4")]), [0, 4]),
    (condition("notLike", "name", "wheel 2%"), [0, 1, 3, 4]),
    (condition("startsWith", "number", "w-2"), [2]),
    (condition("endsWith", "number", "-2"), [2]),
    (condition("contains", "number", "-"), [0, 1, 2, 3, 4]),
    (condition("notContains", "number", "2"), [0, 1, 3, 4]),
    (condition("greaterThanOrEquals", "price", 3), [3, 4]),
    (condition("lessThanOrEquals", "price", 1), [1]),
    (condition("between", "price", [2, 3]), [2, 3]),
    (condition("arrayAnyOf", "tag", ["new"]), [1]),
    (condition("arrayNoneOf", "tag", ["new"]), [0, 2, 3, 4]),
    (condition("arrayIsEmpty", "tag"), [0, 2, 3, 4]),
    (condition("arrayIsNotEmpty", "tag"), [1]),
    (condition("linkedWith", "brand", ["acme"]), [2]),
    (condition("notLinkedWith", "brand", ["acme"]), [0, 1, 3, 4]),
    (condition("isLinked", "brand"), [2]),
    (condition("isNotLinked", "brand"), [0, 1, 3, 4]),
    (condition("linkedWith", "categories", ["c"]), [3]),
    ({"condition": "AND", "rules": [{"id": "number", "operator": "equal", "value": "W-1"}]}, [1]),
    ({"condition": "OR", "rules": [{"id": "price", "operator": "greater", "value": 3}]}, [4]),
    (condition("and", value=[condition("equals", "id", "id-0"), condition("equals", "id", "id-4")]), []),
]


def test_lists_have_filters(wheels):
    wheels.call("PATCH", "/Product/id-1", {"tag": ["new"]})
    wheels.call("PATCH", "/Product/id-2", {"brandId": "acme"})
    wheels.call("PATCH", "/Product/id-3", {"categoriesIds": ["c"]})
    for where, ids in CASES:
        assert find_ids(wheels, where) == [f"id-{n}" for n in ids], where


def test_an_unknown_condition_is_ignored(wheels):
    assert len(find_ids(wheels, condition("equal", "number", "W-1"))) == 5


def test_an_unknown_field_has_status_500_with_sql(wheels):
    response = wheels.call("GET", "/Product", params={"where": json.dumps([condition("equals", "colour", "red")])})
    assert response.status_code == 500
    assert "SQLSTATE" in response.text


def test_filters_may_be_in_brackets(wheels):
    query = [
        ("where[0][type]", "or"),
        ("where[0][value][0][type]", "in"),
        ("where[0][value][0][attribute]", "number"),
        ("where[0][value][0][value][]", "W-1"),
        ("where[0][value][0][value][]", "W-2"),
        ("where[0][value][1][type]", "isNull"),
        ("where[0][value][1][attribute]", "price"),
    ]
    records = wheels.call("GET", "/Product", params=query).json()["list"]
    assert [record["id"] for record in records] == ["id-0", "id-1", "id-2"]


def test_lists_have_pages_an_order_and_selected_fields(wheels):
    query = {"maxSize": 2, "offset": 1, "sortBy": "number", "asc": "false", "select": "number"}
    found = wheels.call("GET", "/Product", params=query).json()
    assert found["total"] == 5
    assert [(record["id"], record["number"]) for record in found["list"]] == [("id-3", "W-3"), ("id-2", "W-2")]
    assert "price" not in found["list"][0]  # unlike a few fields that lists always contain
    assert "createdById" in found["list"][0]
    assert wheels.call("GET", "/Product", params={"totalOnly": "true"}).json() == {"total": 5}
    assert list(wheels.call("GET", "/Product", params={"collectionOnly": "true"}).json()) == ["list"]


def test_espo_rejects_pages_of_more_than_200(served):
    served.seed({"dialect": "espo"})
    client = Client(served, "espo").log_in()
    assert client.call("GET", "/Product", params={"maxSize": 201}).status_code == 403
    assert client.call("GET", "/Product", params={"maxSize": 200}).status_code == 200
