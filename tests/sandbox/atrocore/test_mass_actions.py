"""Mass changes of the fake AtroCore server."""

from __future__ import annotations

import pytest

from tests.sandbox.atrocore.client import client_of_core

IDS = [f"p{number}" for number in range(201)]


def seed_products(served, ids):
    served.seed({"records": {"Product": [{"id": one, "name": one} for one in ids]}})


@pytest.fixture
def old(served):
    client = client_of_core(served, "1.10.30")
    seed_products(served, IDS)
    return client


@pytest.fixture
def new(newest):
    seed_products(newest.served, IDS)
    return newest


def count(client, **values):
    where = [{"type": "equals", "attribute": name, "value": value} for name, value in values.items()]
    query = {f"where[{n}][{key}]": value for n, condition in enumerate(where) for key, value in condition.items()}
    return client.call("GET", "/Product", params={**query, "maxSize": 1}).json()["total"]


def run_jobs(client):
    client.served.seed({"advance_seconds": 60})
    client.served.tables()


def test_updates_before_2_3_count_unknown_records_and_failures(old):
    body = {"ids": ["p0", "unknown"], "attributes": {"price": 8.0}}
    assert old.call("PUT", "/Product/action/massUpdate", body).json() == {"count": 2, "ids": ["p0", "unknown"]}
    assert old.call("GET", "/Product/p0").json()["price"] == 8
    wrong = {"ids": ["p0"], "attributes": {"productStatus": "nonsense"}}
    assert old.call("PUT", "/Product/action/massUpdate", wrong).json()["count"] == 1
    assert old.call("GET", "/Product/p0").json()["productStatus"] == "draft"
    assert old.call("PUT", "/Product/action/massUpdate", {"ids": ["p0"]}).status_code == 400


def test_updates_before_2_3_by_filter(old):
    where = [{"type": "in", "attribute": "id", "value": ["p1", "p2"]}]
    body = {"byWhere": True, "where": where, "attributes": {"price": 10.0}}
    assert sorted(old.call("PUT", "/Product/action/massUpdate", body).json()["ids"]) == ["p1", "p2"]
    assert count(old, price=10) == 2


def test_updates_before_2_3_of_more_than_200_records_are_made_in_the_background(old):
    old.served.seed({"cron": False})
    reply = old.call("PUT", "/Product/action/massUpdate", {"ids": IDS, "attributes": {"price": 11.0}}).json()
    assert (reply["count"], count(old, price=11)) == (201, 0)
    old.served.seed({"cron": True})
    run_jobs(old)
    assert count(old, price=11) == 201


def test_deletions_before_2_3_count_unknown_records(old):
    for _ in range(2):
        reply = old.call("POST", "/Product/action/massDelete", {"ids": ["p0", "unknown"]})
        assert reply.json() == {"count": 2, "ids": ["p0", "unknown"]}
    assert old.call("GET", "/Product/p0").status_code == 404
    assert old.call("POST", "/Product/action/massDelete", {}).json() == {"count": 0, "ids": []}


def test_deleted_records_are_restored_before_2_3(old):
    old.call("POST", "/Product/action/massDelete", {"ids": ["p0"]})
    assert old.call("POST", "/Product/action/massRestore", {"ids": ["p0", "unknown"]}).json() is True
    assert old.call("GET", "/Product/p0").status_code == 200
    assert old.call("POST", "/Product/action/restore", {"id": "p0"}).status_code == 404


def test_permanently_deleted_records_are_not_restored(old):
    old.call("POST", "/Product/action/massDelete", {"ids": ["p0"]}, headers={"permanently": "true"})
    old.call("POST", "/Product/action/massRestore", {"ids": ["p0"]})
    assert old.call("GET", "/Product/p0").status_code == 404


def test_updates_since_2_3_report_failures_but_count_them(new):
    body = {"entityName": "Product", "ids": ["p0", "unknown"], "values": {"price": 8.0}}
    reply = new.call("PATCH", "/entityMassUpdate", body).json()
    assert (reply["updated"], reply["errors"][1:]) == (2, ["Error for 'unknown': "])
    assert new.call("PATCH", "/entityMassUpdate", {**body, "ids": ["p1"]}).json() == {"updated": 1, "errors": []}
    assert count(new, price=8) == 2


@pytest.mark.parametrize(
    ("method", "route", "body", "missing"),
    [
        ("PATCH", "entityMassUpdate", {"entityName": "Product", "ids": []}, "values"),
        ("POST", "entityMassDelete", {"ids": []}, "entityName"),
        ("POST", "entityMassDeleteAsync", {"entityName": "Product"}, "where"),
        ("POST", "entityRestore", {"entityName": "Product"}, "ids"),
    ],
)
def test_bodies_since_2_3_are_checked(new, method, route, body, missing):
    reply = new.call(method, f"/{route}", body)
    assert reply.status_code == 400
    assert f"Required property '{missing}' must be present" in reply.text


def test_more_than_200_ids_are_rejected_since_2_3(new):
    reply = new.call("POST", "/entityMassDelete", {"entityName": "Product", "ids": IDS})
    message = "Too many ids: maximum allowed is 200. Use /entityMassDeleteAsync for large batches."
    assert (reply.status_code, reply.text) == (400, message)


def test_deletions_and_restorations_since_2_3(new):
    body = {"entityName": "Product", "ids": ["p0"]}
    assert new.call("POST", "/entityMassDelete", body).json() == {"deleted": 1, "errors": []}
    assert new.call("POST", "/entityMassDelete", body).json()["errors"][1] == "Error for 'p0': "
    assert new.call("POST", "/entityRestore", body).json() == {"restored": 1, "errors": []}
    assert new.call("POST", "/entityRestore", body).json()["restored"] == 1
    assert new.call("GET", "/Product/p0").status_code == 200


@pytest.mark.parametrize(
    ("method", "route", "values", "expected"),
    [
        ("PATCH", "entityMassUpdateAsync", {"values": {"price": 5.0}}, {"price": 5}),
        ("POST", "entityMassDeleteAsync", {}, None),
    ],
)
def test_changes_by_filter_since_2_3_are_made_by_a_job(new, method, route, values, expected):
    new.served.seed({"cron": False})
    where = [{"type": "equals", "attribute": "id", "value": "p0"}]
    job_id = new.call(method, f"/{route}", {"entityName": "Product", "where": where, **values}).json()["jobId"]
    assert new.call("GET", f"/Job/{job_id}/massActionStatus").json() == {"done": False, "errors": "", "message": ""}
    assert new.call("GET", "/Product/p0").status_code == 200
    new.served.seed({"cron": True})
    run_jobs(new)
    assert new.call("GET", f"/Job/{job_id}").json()["status"] == "Success"
    assert new.call("GET", f"/Job/{job_id}/massActionStatus").json()["done"] is True
    product = new.call("GET", "/Product/p0")
    assert (product.json()["price"] if product.ok else None) == (expected or {}).get("price")


def test_an_empty_filter_selects_all_records(new):
    body = {"entityName": "Product", "where": []}
    new.call("POST", "/entityMassDeleteAsync", body)
    run_jobs(new)
    assert count(new) == 0
    new.call("POST", "/entityRestoreAsync", body)
    run_jobs(new)
    assert count(new) == 201


def test_mass_changes_respect_the_rights_of_the_user(old):
    role = {
        "id": "r",
        "name": "Editor",
        "data": {"Product": {"delete": "no"}},
        "fieldData": {"Product": {"price": {"edit": "no"}}},
    }
    old.served.seed({"records": {"Role": [role]}, "account": {"isAdmin": False, "rolesIds": ["r"]}})
    assert (
        old.call("PUT", "/Product/action/massUpdate", {"ids": ["p0"], "attributes": {"price": 3.0}}).json()["count"]
        == 1
    )
    assert old.call("POST", "/Product/action/massDelete", {"ids": ["p0"]}).json()["count"] == 1
    assert old.call("GET", "/Product/p0").json()["price"] is None


@pytest.mark.parametrize("core", ["1.10.30", "2.2.31"])
def test_softly_deleted_records_are_listed_by_a_filter(served, core):
    client = client_of_core(served, core)
    seed_products(served, ["p0", "p1", "p2"])
    client.call("DELETE", "/Product/p0")
    client.call("DELETE", "/Product/p1", headers={"permanently": "true"})
    where = {"where[0][type]": "bool", "where[0][value][0]": "onlyDeleted"}
    found = client.call("GET", "/Product", params={**where, "select": "name"}).json()["list"]
    assert [(one["id"], one["deleted"]) for one in found] == [("p0", True)]
    unknown = {**where, "where[0][value][0]": "unknown"}
    assert [one["id"] for one in client.call("GET", "/Product", params=unknown).json()["list"]] == ["p2"]


def test_the_filter_for_deleted_records_exists_since_1_6_55(served):
    client = client_of_core(served, "1.6.54")
    seed_products(served, ["p0", "p1"])
    client.call("DELETE", "/Product/p0")
    where = {"where[0][type]": "bool", "where[0][value][0]": "onlyDeleted"}
    assert [one["id"] for one in client.call("GET", "/Product", params=where).json()["list"]] == ["p1"]
