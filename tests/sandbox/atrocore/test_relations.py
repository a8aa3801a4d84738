"""Relations of records of the fake AtroCore server."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core

CATEGORIES = [{"id": "c1", "name": "One"}, {"id": "c2", "name": "Two"}]
LINK = {"entityName": "Product", "id": "p", "link": "categories"}
OF_BOTH = {"type": "in", "attribute": "id", "value": ["p", "q"]}


def seed_products(served):
    served.seed({"records": {"Category": CATEGORIES, "Product": [{"id": "p", "name": "P"}, {"id": "q", "name": "Q"}]}})


@pytest.fixture
def old(served):
    client = client_of_core(served, "1.10.30")
    seed_products(served)
    return client


@pytest.fixture
def new(newest):
    seed_products(newest.served)
    return newest


def related_ids(client, path="/Product/p/categories", **query):
    return [record["id"] for record in client.call("GET", path, params=query).json()["list"]]


def test_relations_are_added_in_order_until_one_exists(old):
    assert old.call("POST", "/Product/p/categories", {"id": "c1"}).json() is True
    assert old.call("POST", "/Product/p/categories", {"ids": ["c1", "c2"]}).status_code == 400
    assert related_ids(old) == ["c1"]
    assert related_ids(old, "/Category/c1/products") == ["p"]


def test_relations_can_be_added_from_the_other_side(old):
    assert old.call("POST", "/Category/c1/products", {"ids": ["p", "q"]}).json() is True
    assert related_ids(old, "/Category/c1/products") == ["p", "q"]
    assert related_ids(old) == ["c1"]
    assert old.call("DELETE", "/Category/c1/products", params={"ids": "p"}).json() is True
    assert related_ids(old) == []


def test_relations_are_removed_by_query_or_body(old):
    old.call("POST", "/Product/p/categories", {"ids": ["c1", "c2"]})
    assert old.call("DELETE", "/Product/p/categories", params={"ids": "c1"}).json() is True
    assert old.call("DELETE", "/Product/p/categories", {"ids": ["c2"]}).json() is True
    assert old.call("DELETE", "/Product/p/categories", {"ids": ["c2"]}).status_code == 500


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Product/p/categories", {"ids": ["unknown"]}, 404),
        ("POST", "/Product/unknown/categories", {"ids": ["c1"]}, 404),
        ("POST", "/Product/p/categories", {}, 500),
        ("POST", "/Product/p/unknown", {"ids": ["c1"]}, 500),
        ("GET", "/Product/p/unknown", None, 403),
        ("GET", "/Product/p/brand", None, 403),
        ("GET", "/Product/unknown/unknown", None, 200),
        ("GET", "/Unknown/p/categories", None, 404),
    ],
)
def test_unknown_records_and_relations_before_2_3(old, method, path, body, status):
    assert old.call(method, path, body).status_code == status


def test_all_relations_of_a_record_are_removed(old):
    old.call("POST", "/Product/p/categories", {"ids": ["c1", "c2"]})
    assert old.call("POST", "/Product/action/unlinkAll", {"id": "p", "link": "categories"}).json() is True
    assert related_ids(old) == []


def test_bulk_changes_before_2_3_take_filters_and_count_only_changes(old):
    old.call("POST", "/Product/p/categories", {"id": "c1"})
    body = {"where": [OF_BOTH], "foreignWhere": [{**OF_BOTH, "value": ["c1", "c2"]}]}
    assert (
        "3 relations were successfully added"
        in old.call("POST", "/Product/categories/relation", body).json()["message"]
    )
    removed = old.call("DELETE", "/Product/categories/relation", body).json()["message"]
    assert "4 relations were successfully removed" in removed
    assert old.call("POST", "/Product/categories/relation", {"ids": ["p"], "foreignIds": ["c1"]}).status_code == 400


def test_lists_of_related_records_have_filters_and_pages(old):
    old.call("POST", "/Product/p/categories", {"ids": ["c1", "c2"]})
    where = {"where[0][type]": "equals", "where[0][attribute]": "name", "where[0][value]": "Two"}
    assert related_ids(old, **where) == ["c2"]
    assert related_ids(old, sortBy="id", asc="false", maxSize=1) == ["c2"]
    page = old.call("GET", "/Product/p/categories", params={"select": "name", "maxSize": 1}).json()
    assert (page["total"], page["list"][0]["name"]) == (2, "One")


def test_deleted_records_are_not_related(old):
    old.call("POST", "/Product/p/categories", {"ids": ["c1", "c2"]})
    old.call("DELETE", "/Category/c1")
    assert related_ids(old) == ["c2"]


def test_a_change_of_relations_keeps_the_time_of_modification(old):
    before = old.call("GET", "/Product/p").json()["modifiedAt"]
    old.served.seed({"advance_seconds": 60})
    old.call("POST", "/Product/p/categories", {"ids": ["c1"]})
    assert old.call("GET", "/Product/p").json()["modifiedAt"] == before


def test_relations_since_2_3(new):
    assert new.call("POST", "/entityRelation", {**LINK, "ids": ["c1"]}).json() is True
    assert new.call("POST", "/entityRelation", {**LINK, "ids": ["c1"]}).status_code == 400
    assert related_ids(new, "/entityRelation", **LINK) == ["c1"]
    assert new.call("GET", "/Product/p").json()["categoriesNames"] == {"c1": "One"}
    assert new.call("DELETE", "/entityRelation", params={**LINK, "ids": "c1"}).json() is True
    assert new.call("DELETE", "/entityRelation", params={**LINK, "ids": "c1"}).status_code == 500


def test_all_relations_are_removed_since_2_3(new):
    new.call("POST", "/entityRelation", {**LINK, "ids": ["c1", "c2"]})
    for _ in range(2):
        assert new.call("DELETE", "/entityRelation", params={**LINK, "all": "true"}).json() is True
    assert related_ids(new, "/entityRelation", **LINK) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**LINK, "ids": ["unknown"]}, 404),
        ({**LINK, "id": "unknown", "ids": ["c1"]}, 404),
        ({**LINK, "link": "unknown", "ids": ["c1"]}, 500),
        (LINK, 500),
        ({"id": "p", "link": "categories", "ids": ["c1"]}, 400),
    ],
)
def test_wrong_relations_since_2_3(new, body, status):
    assert new.call("POST", "/entityRelation", body).status_code == status


def test_lists_of_relations_need_their_parameters(new):
    reply = new.call("GET", "/entityRelation", params={"id": "p"})
    assert (reply.status_code, reply.text) == (
        400,
        'Missing required argument "entityName" for Request [get /entityRelation]',
    )


def test_bulk_changes_since_2_3_take_ids_and_return_a_text_without_counts(new):
    body = {"entityName": "Product", "link": "categories", "ids": ["p", "q", "unknown"], "foreignIds": ["c1"]}
    assert "relationsAddedPlural" in new.call("POST", "/entityRelationBulk", body).json()["message"]
    assert "relationsRemoved" in new.call("DELETE", "/entityRelationBulk", body | {"ids": ["p"]}).json()["message"]
    assert related_ids(new, "/entityRelation", entityName="Category", id="c1", link="products") == ["q"]


def test_relations_need_the_right_to_edit(old):
    roles = {"Role": [{"id": "r", "name": "Reader", "data": {"Product": {"edit": "no"}}}]}
    old.served.seed({"records": roles, "account": {"isAdmin": False, "rolesIds": ["r"]}})
    assert old.call("POST", "/Product/p/categories", {"ids": ["c1"]}).status_code == 403


def test_a_relation_held_by_the_other_records(old):
    old.served.seed({"records": {"Brand": [{"id": "b", "name": "B"}]}})
    assert old.call("POST", "/Brand/b/products", {"ids": ["p", "q"]}).json() is True
    assert old.call("DELETE", "/Brand/b/products", params={"ids": "q"}).json() is True
    assert related_ids(old, "/Brand/b/products") == ["p"]
    assert old.call("GET", "/Product/p").json()["brandName"] == "B"


def test_a_relation_held_by_records_in_between(old):
    old.served.seed({"records": {"File": [{"id": "f", "name": "f.png"}, {"id": "g", "name": "g.png"}]}})
    assert old.call("POST", "/Product/p/files", {"ids": ["f", "g"]}).json() is True
    assert old.call("POST", "/Product/p/files", {"ids": ["f"]}).status_code == 400
    assert old.call("DELETE", "/Product/p/files", params={"ids": "f"}).json() is True
    assert related_ids(old, "/Product/p/files") == ["g"]
    assert related_ids(old, "/File/g/products") == ["p"]
