"""Users with roles at the fake AtroCore server."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.sandbox.atrocore.client import Client, encode_credentials

EDITOR: dict[str, Any] = {
    "id": "editor",
    "name": "Editor",
    "data": {"Product": {"delete": "no", "stream": "no"}, "Brand": {"create": "no", "edit": "no", "delete": "no"}},
    "fieldData": {"Product": {"price": {"read": "yes", "edit": "no"}, "mpn": {"read": "no", "edit": "no"}}},
}
BEN = {"id": "ben", "userName": "ben", "password": "secret", "rolesIds": ["editor"]}


@pytest.fixture
def admin(client):
    records = {"Role": [EDITOR], "User": [BEN], "Product": [{"id": "p", "name": "a", "price": 1, "mpn": "M"}]}
    client.served.seed({"records": records})
    return client


@pytest.fixture
def ben(admin):
    user = Client(admin.served, admin.dialect)
    name, prefix = ("Espo-Authorization", "") if admin.dialect == "espo" else ("Authorization", "Basic ")
    path = "/userSession" if admin.dialect == "2.3" else "/App/user"
    session = user.call("GET", path, headers={name: f"{prefix}{encode_credentials('ben', 'secret')}"}).json()
    user.session = session  # type: ignore[attr-defined]
    own = "Espo-Authorization" if admin.dialect == "espo" else "Authorization-Token"
    user.headers = {own: encode_credentials("ben", session["token"])}
    return user


def read_as_admin(admin, record_id):
    record = admin.call("GET", f"/Product/{record_id}").json()
    return {name: record[name] for name in ("name", "price", "mpn")}


def test_a_login_returns_the_rights(admin, ben):
    acl = ben.session["acl"]
    assert acl["table"]["Product"] == {"read": "all", "stream": "no", "edit": "all", "delete": "no", "create": "yes"}
    assert acl["table"]["Brand"]["edit"] == "no"
    assert acl["table"]["Category"] == {"read": "all", "stream": "all", "edit": "all", "delete": "no", "create": "yes"}
    assert acl["fieldTable"] == {"Product": EDITOR["fieldData"]["Product"]}
    assert ben.session["user"] == {"id": "ben", "userName": "ben", "name": None, "isAdmin": False}
    path = "/userSession" if admin.dialect == "2.3" else "/App/user"
    assert admin.call("GET", path).json()["acl"]["fieldTable"] == {}


def test_fields_that_a_role_may_not_edit_are_ignored(admin, ben):
    created = ben.create(id="new", price=5, mpn="secret")
    assert created.status_code == 200
    assert read_as_admin(admin, "new") == {"name": "Wheel", "price": None, "mpn": None}
    assert ben.call("PATCH", "/Product/p", {"price": 9}).status_code == 304
    assert ben.call("PATCH", "/Product/p", {"price": 9, "name": "b"}).status_code == 200
    assert read_as_admin(admin, "p") == {"name": "b", "price": 1, "mpn": "M"}


def test_hidden_fields_are_neither_read_nor_filtered(ben):
    record = ben.call("GET", "/Product/p").json()
    assert record["price"] == 1
    assert "mpn" not in record
    listed = ben.call("GET", "/Product", params={"select": "name,mpn"}).json()["list"][0]
    assert "mpn" not in listed
    where = json.dumps([{"type": "or", "value": [{"type": "equals", "attribute": "mpn", "value": "M"}]}])
    assert ben.call("GET", "/Product", params={"where": where}).status_code == 403


def test_actions_that_a_role_forbids_have_status_403(ben):
    ben.served.seed({"records": {"Brand": [{"id": "acme", "name": "Acme"}]}})
    assert ben.call("DELETE", "/Product/p").status_code == 403
    assert ben.call("POST", "/Brand", {"name": "x"}).status_code == 403
    assert ben.call("PATCH", "/Brand/acme", {"name": "x"}).status_code == 403
    assert ben.call("GET", "/Brand/acme").status_code == 200
    assert ben.call("GET", "/Role/editor").status_code == 403


def test_an_upsert_fails_for_the_items_that_a_role_forbids(served):
    served.seed({"records": {"Role": [EDITOR]}, "account": {"isAdmin": False, "rolesIds": ["editor"]}})
    user = Client(served, "2.3").log_in()
    items = [
        {"entity": "Product", "payload": {"id": "a", "number": "A", "name": "a", "price": 1.5}},
        {"entity": "Brand", "payload": {"name": "b"}},
        {"entity": "Product", "payload": {"id": "a", "price": 2.5}},
    ]
    results = user.call("POST", "/upsert", items).json()
    assert [(one["status"], one.get("code")) for one in results] == [
        ("Created", None),
        ("Failed", 403),
        ("NotModified", None),
    ]


def test_the_rights_of_several_roles_add_up(admin, ben):
    roles = [{"id": "r2", "name": "Two", "data": {"Brand": {"create": "yes"}}, "fieldData": {"Product": {"price": {}}}}]
    admin.served.seed({"records": {"Role": roles}})
    admin.call("PATCH", "/User/ben", {"rolesIds": ["editor", "r2"]})
    assert ben.call("POST", "/Brand", {"name": "x"}).status_code == 200
    assert ben.call("PATCH", "/Product/p", {"price": 9}).status_code == 200


def test_inactive_users_are_rejected(admin, ben):
    assert ben.call("GET", "/Product").status_code == 200
    admin.call("PATCH", "/User/ben", {"isActive": False})
    assert ben.call("GET", "/Product").status_code == 401
    password = {"Authorization": f"Basic {encode_credentials('ben', 'secret')}"}
    path = "/userSession" if admin.dialect == "2.3" else "/App/user"
    assert requests.get(f"{admin.api}{path}", headers=password, timeout=60).status_code == 401


def test_a_user_created_by_a_request_can_sign_in(newest):
    newest.call("POST", "/User", {"userName": "eva", "password": "secret"})
    basic = {"Authorization": f"Basic {encode_credentials('eva', 'secret')}"}
    session = requests.get(f"{newest.api}/userSession", headers=basic, timeout=60).json()
    assert session["user"]["userName"] == "eva"
    assert "password" not in newest.call("GET", f"/User/{session['user']['id']}").json()
