"""Parameters of lists at the fake AtroCore server that are wrong, or that a core ignores."""

from __future__ import annotations

import json

import pytest
import requests

from tests.sandbox.atrocore.client import client_of_core, find_ids

OLD, NEW = "1.10.30", "2.3.16"
ALL = ["id-0", "id-1", "id-2"]


@pytest.fixture(params=[OLD, NEW])
def client(request, served):
    client = client_of_core(served, request.param, "2.3" if request.param == NEW else "1.x-2.2")
    rows = [{"id": one, "name": one, "sku": one, "number": one, "price": 1.5} for one in ALL]
    served.seed({"records": {"Product": [*rows, {"id": "null", "name": "null"}]}})
    return client


def is_new(client):
    return client.dialect == "2.3"


def ask(client, **query):
    return client.call("GET", "/Product", params=query)


def test_a_broken_filter_returns_everything(client):
    assert len(ask(client, where='[{"type":').json()["list"]) == 4


def test_an_unknown_field_is_an_error_in_new_cores_and_finds_nothing_in_old_ones(client):
    response = ask(client, where=json.dumps([{"type": "equals", "attribute": "colour", "value": "red"}]))
    if is_new(client):
        assert response.status_code == 500
        assert "column t1.colour does not exist" in response.text
    else:
        assert response.json() == {"total": 0, "list": []}


def test_not_finds_nothing_in_new_cores_and_is_ignored_in_old_ones(client):
    negated = {"type": "not", "value": [{"type": "equals", "attribute": "id", "value": "id-0"}]}
    assert len(find_ids(client, negated)) == (0 if is_new(client) else 4)


@pytest.mark.parametrize("value", [None, []])
def test_an_empty_list_of_values_finds_null(client, value):
    key = "number" if is_new(client) else "sku"
    assert find_ids(client, {"type": "in", "attribute": key, "value": value}) == ["null"]


def test_an_unknown_relation_is_ignored(client):
    assert len(find_ids(client, {"type": "linkedWith", "attribute": "nothing", "value": ["a"]})) == 4


def test_a_number_cannot_be_compared_with_letters(client):
    where = json.dumps([{"type": "greaterThan", "attribute": "price", "value": "abc"}])
    if is_new(client):
        assert ask(client, where=where).status_code == 500
    else:
        with pytest.raises(requests.ConnectionError):
            ask(client, where=where)


def test_only_new_cores_can_leave_out_the_list_or_the_total(client):
    expected = [{"total"}, {"list"}] if is_new(client) else [{"total", "list"}] * 2
    found = [set(ask(client, **{name: "true"}).json()) for name in ("totalOnly", "collectionOnly")]
    assert found == expected


def test_page_sizes(client):
    assert len(ask(client, maxSize=0).json()["list"]) == 4
    letters = ask(client, maxSize="abc")
    if is_new(client):
        assert "Parameter 'maxSize' has invalid value 'abc'" in letters.text
        assert ask(client, maxSize=-1).status_code == 500
        assert ask(client, offset=-1).text == "Offset must be a positive integer or zero, -1 given"
        return
    assert letters.json() == {"total": 4, "list": []}
    for query in ({"maxSize": -1}, {"offset": -1}):
        with pytest.raises(requests.ConnectionError):
            ask(client, **query)


def test_an_unknown_field_can_be_sorted_by_but_not_selected(client):
    assert len(ask(client, sortBy="colour").json()["list"]) == 4
    response = ask(client, select="name,colour")
    expected = 'Field "colour" does not exist on the entity "Product".'
    assert (response.status_code, response.text) == (400, "fieldDoesNotExist" if is_new(client) else expected)


def test_a_search_reads_names_and_keys(client):
    assert [record["id"] for record in ask(client, q="ID-1").json()["list"]] == ["id-1"]


def test_the_search_through_all_entities(client):
    client.served.seed({"records": {"Brand": [{"id": "b", "name": "Brand of id-1"}]}})
    path = "/globalSearch" if is_new(client) else "/GlobalSearch"
    found = client.call("GET", path, params={"q": "id-1"}).json()
    assert [(one["_scope"], one["id"]) for one in found["list"]] == [("Product", "id-1"), ("Brand", "b")]
    missing = client.call("GET", path)
    assert missing.status_code == (400 if is_new(client) else 200)
