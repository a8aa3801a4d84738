"""Trees of categories of the fake AtroCore server."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core


@pytest.fixture
def old(served):
    return client_of_core(served, "1.10.30")


def create(client, record_id, **values):
    return client.call("POST", "/Category", {"id": record_id, "name": record_id, **values})


def get_parents(client, record_id):
    record = client.call("GET", f"/Category/{record_id}").json()
    return record["parentsIds"], record["parentId"]


def list_tree(client, node=""):
    return [item["id"] for item in client.call("GET", "/Category/action/tree", params={"node": node}).json()["list"]]


def test_before_2_3_a_create_has_one_parent(old):
    create(old, "root")
    assert create(old, "child", parentId="root").json()["parentId"] == "root"
    assert create(old, "other", parentsIds=["root"]).json()["parentsIds"] == []
    assert get_parents(old, "child") == (["root"], "root")
    assert get_parents(old, "other") == ([], None)


def test_before_2_3_an_update_sets_the_parents(old):
    create(old, "root")
    create(old, "child")
    assert old.call("PATCH", "/Category/child", {"parentsIds": ["root"]}).json()["parentId"] == "root"
    assert old.call("PATCH", "/Category/child", {"parentId": None}).json()["parentsIds"] == []


def test_before_2_3_an_unknown_parent_is_an_error_but_the_category_is_stored(old):
    assert create(old, "lost", parentId="unknown").status_code == 500
    assert get_parents(old, "lost") == ([], None)


def test_since_2_3_an_unknown_parent_is_an_error(newest):
    assert create(newest, "lost", parentsIds=["unknown"]).status_code == 404
    assert newest.call("GET", "/Category/lost").status_code == 404


def test_since_2_3_a_create_has_parents(newest):
    create(newest, "root")
    assert create(newest, "child", parentsIds=["root"]).json()["parentId"] == "root"
    assert get_parents(newest, "child") == (["root"], "root")


@pytest.mark.parametrize("parent", ["root", "child", "grandchild"])
def test_a_category_cannot_be_below_itself(old, parent):
    create(old, "root")
    create(old, "child", parentId="root")
    create(old, "grandchild", parentId="child")
    reply = old.call("PATCH", "/Category/root", {"parentsIds": [parent]})
    assert (reply.status_code, reply.text) == (400, "Child record cannot be chosen as a parent.")


def test_trees_before_2_3(old):
    create(old, "root")
    create(old, "child", parentId="root")
    assert (list_tree(old), list_tree(old, "root"), list_tree(old, "child")) == (["root"], ["child"], [])
    [item] = old.call("GET", "/Category/action/tree").json()["list"]
    assert (item["load_on_demand"], item["total"]) == (True, 1)
    record = old.call("GET", "/Category/child").json()
    assert (record["categoryRoute"], record["categoryRouteName"], record["isRoot"]) == ("|root|", "root", False)


def test_children_are_a_relation(old):
    create(old, "root")
    create(old, "child", parentId="root")
    assert [one["id"] for one in old.call("GET", "/Category/root/children").json()["list"]] == ["child"]


def test_trees_since_2_3(newest):
    create(newest, "root")
    create(newest, "child", parentsIds=["root"])
    query = {"entityName": "Category", "node": "root"}
    [item] = newest.call("GET", "/entityTree", params=query).json()["list"]
    assert (item["id"], item["scope"]) == ("child", "Category")
    found = newest.call("GET", "/Category/treeData", params={"ids[]": "child"}).json()
    [root] = found["tree"]
    assert (found["total"], root["id"], root["children"][0]["id"]) == (1, "root", "child")


def test_a_deleted_parent_is_no_parent(old):
    create(old, "root")
    create(old, "child", parentId="root")
    old.call("DELETE", "/Category/root")
    assert list_tree(old) == ["child"]
