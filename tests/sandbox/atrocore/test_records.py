"""Records of the stand-in."""

from __future__ import annotations


def test_numbers_are_text_right_after_a_create(client):
    created = client.create(price=1.5).json()
    assert (created["price"], created["quantity"]) == ("1.5", "0")
    read = client.ask("GET", f"/Product/{created['id']}").json()
    assert (read["price"], read["quantity"]) == (1.5, 0)


def test_products_have_no_unique_field_unless_an_admin_says_so(client):
    assert [client.create().status_code for _ in range(2)] == [200, 200]
    client.served.seed({"unique": {"Product": [client.key]}})
    assert client.create().status_code == 400


def test_own_ids_are_taken_once_and_revived_after_a_soft_delete(client):
    assert [client.create(id="own").status_code for _ in range(2)] == [200, 400]
    assert client.ask("DELETE", "/Product/own").json() is True
    assert client.ask("DELETE", "/Product/own").status_code == 404
    assert client.ask("GET", "/Product").json()["list"] == []
    assert client.create(id="own").status_code == 200


def test_a_permanent_delete_reaches_what_was_deleted_softly(newest):
    newest.create(id="own")
    newest.ask("DELETE", "/Product/own")
    permanently = {"permanently": "true"}
    assert newest.ask("DELETE", "/Product/own", headers=permanently).status_code == 200
    assert newest.ask("DELETE", "/Product/own", headers=permanently).status_code == 404
