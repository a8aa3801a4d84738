"""Records of the fake AtroCore server."""

from __future__ import annotations


def test_a_create_returns_default_numbers_as_text(client):
    created = client.create(price=1.5).json()
    assert (created["price"], created["quantity"]) == (1.5, "0")
    read = client.call("GET", f"/Product/{created['id']}").json()
    assert (read["price"], read["quantity"]) == (1.5, 0)


def test_products_have_no_unique_field_by_default(client):
    assert [client.create().status_code for _ in range(2)] == [200, 200]
    client.served.seed({"unique": {"Product": [client.key]}})
    assert client.create().status_code == 400


def test_an_id_is_unique_until_a_soft_delete(client):
    assert [client.create(id="own").status_code for _ in range(2)] == [200, 400]
    assert client.call("DELETE", "/Product/own").json() is True
    assert client.call("DELETE", "/Product/own").status_code == 404
    assert client.call("GET", "/Product").json()["list"] == []
    assert client.create(id="own").status_code == 200


def test_a_permanent_delete_removes_softly_deleted_records(newest):
    newest.create(id="own")
    newest.call("DELETE", "/Product/own")
    permanently = {"permanently": "true"}
    assert newest.call("DELETE", "/Product/own", headers=permanently).status_code == 200
    assert newest.call("DELETE", "/Product/own", headers=permanently).status_code == 404
