"""The database of the fake AtroCore server: how it compares keys, and what it keeps unique."""

from __future__ import annotations

import unicodedata

import pytest

from tests.sandbox.atrocore.client import client_of_core, find_ids

KEYS = ["Ä-1", "ä-1", "Ä-1 ", " Ä-1", "\xa0Ä-1", unicodedata.normalize("NFD", "Ä-1")]


def by_number(key):
    return {"type": "equals", "attribute": "number", "value": key}


def test_keys_are_compared_exactly(newest):
    for key in KEYS:
        assert newest.create(id=key.encode().hex(), number=key).status_code == 200
    for key in KEYS:
        assert find_ids(newest, by_number(key)) == [key.encode().hex()]


def test_a_server_that_ignores_case_finds_keys_of_another_case_but_creates_them_beside(newest):
    newest.served.seed({"ignores_case": True})
    results = newest.upsert(
        *({"id": str(n), "number": key, "name": "a"} for n, key in enumerate(["A-a", "A-A", "A-a "]))
    )
    assert [result["status"] for result in results] == ["Created"] * 3
    assert find_ids(newest, by_number("a-a")) == ["0", "1", "2"]
    assert find_ids(newest, {"type": "in", "attribute": "number", "value": ["a-A"]}) == ["0", "1", "2"]


def test_a_server_that_ignores_case_keeps_unique_fields_unique_without_case(newest):
    newest.call("POST", "/Brand", {"name": "a", "code": "acme"})
    assert newest.call("POST", "/Brand", {"name": "b", "code": "ACME"}).status_code == 200
    newest.served.seed({"ignores_case": True})
    duplicate = newest.call("POST", "/Brand", {"name": "c", "code": "Acme"})
    assert (duplicate.status_code, duplicate.text) == (
        400,
        "The record cannot be created due to database constraints.",
    )


def test_an_update_cannot_take_the_unique_value_of_another_record(client):
    for code in "ab":
        client.call("POST", "/Brand", {"id": code, "name": code, "code": code})
    response = client.call("PATCH", "/Brand/b", {"code": "a"})
    assert response.status_code == 400
    assert "Key (code, deleted)=(a, f) already exists" in response.headers["X-Status-Reason"]
    assert client.call("PATCH", "/Brand/b", {"code": "b", "name": "c"}).status_code == 200


def test_a_new_record_with_the_unique_value_of_another_is_reported_as_updated_but_not_stored(served):
    client = client_of_core(served, "1.10.30")
    served.seed({"records": {"Brand": [{"id": "a", "name": "A", "code": "code"}]}})
    item = {"entity": "Brand", "payload": {"id": "b", "name": "B", "code": "code"}}
    [result] = client.call("POST", "/MassActions/action/upsert", [item]).json()
    assert (result["status"], result["stored"]) == ("Updated", True)
    assert (result["entity"]["id"], result["entity"]["name"]) == ("b", "B")
    [brand] = client.call("GET", "/Brand").json()["list"]
    assert (brand["id"], brand["name"]) == ("a", "A")


@pytest.mark.parametrize(("name", "given"), [("brandName", "Acme"), ("createdAt", "2020-01-01 00:00:00")])
def test_fields_that_only_the_server_sets_are_not_stored(client, name, given):
    created = client.create(id="p", **{name: given})
    assert created.status_code == 200
    assert client.call("GET", "/Product/p").json()[name] != given
    assert client.call("PATCH", "/Product/p", {name: given}).status_code == 304


def test_unknown_categories_are_dropped_in_new_cores_and_an_error_after_the_work_in_old_ones(client):
    created = client.create(id="p", categoriesIds=["none"])
    if client.dialect == "2.3":
        assert created.json()["categoriesIds"] == []
        assert client.call("PATCH", "/Product/p", {"categoriesIds": ["none"]}).status_code == 200  # each time
    else:
        assert created.status_code == 500
    assert client.call("GET", "/Product/p").status_code == 200


def test_a_change_of_relations_does_not_change_the_time_of_modification(client):
    client.served.seed({"records": {"Category": [{"id": "c", "name": "c"}]}})
    client.create(id="p")

    def modified():
        return client.call("GET", "/Product/p").json()["modifiedAt"]

    start = modified()
    client.served.seed({"advance_seconds": 60})
    assert client.call("PATCH", "/Product/p", {"categoriesIds": ["c"]}).status_code == 200
    assert modified() == start
    client.call("PATCH", "/Product/p", {"name": "b"})
    assert modified() > start


def test_an_update_of_an_unknown_record(client):
    assert client.call("PATCH", "/Product/none", {"name": "x"}).status_code == (404 if client.dialect == "2.3" else 500)


def test_an_id_may_contain_a_slash(client):
    assert client.create(id="a b/c").status_code == 200
    assert client.call("GET", "/Product/a%20b%2Fc").json()["id"] == "a b/c"
    assert client.call("DELETE", "/Product/a%20b%2fc").json() is True
