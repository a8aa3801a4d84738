"""Errors of the fake AtroCore server."""

from __future__ import annotations

import requests


def test_errors_are_text_with_the_reason_in_a_header(client):
    response = client.create(name="")
    assert response.status_code == 400
    assert "name" in response.headers["X-Status-Reason"]
    assert response.headers["Content-Type"].startswith("text/html")
    # in the dialect "espo", only the header contains the reason
    assert response.text == ("" if client.dialect == "espo" else response.headers["X-Status-Reason"])


def test_missing_records_and_routes_have_status_404_without_text(client):
    for method, path in (
        ("GET", "/Product/none"),
        ("GET", "/Nothing"),
        ("POST", "/Product/none"),
        ("DELETE", "/Product/none"),
        ("GET", "/a/b/c"),
    ):
        response = client.call(method, path, {} if method == "POST" else None)
        assert (response.status_code, response.text) == (404, ""), (method, path)


def test_malformed_json_has_status_400(newest):
    response = requests.post(f"{newest.api}/Product", data="{", headers=newest.headers, timeout=60)
    assert (response.status_code, response.text.partition(":")[0]) == (400, "JSON parsing failed")


def test_since_2_3_a_create_needs_all_required_fields_with_the_right_types(newest):
    missing = newest.call("POST", "/Product", {"name": "a", "number": "W"})
    assert missing.status_code == 400
    assert "Required property 'status' must be present in the object" in missing.text
    assert "Request [post /{entityName}]" in missing.text
    assert newest.create(price="1.5").status_code == 400
    assert newest.create(isActive=1).status_code == 400
    assert newest.create(price=True).status_code == 400


def test_an_update_without_changes_has_status_304(client):
    record_id = client.create(price=1).json()["id"]
    for values in ({"price": 1}, {"colour": "red"}, {"createdAt": "2020-01-01 00:00:00"}, {}):
        response = client.call("PATCH", f"/Product/{record_id}", values)
        assert (response.status_code, response.text) == (304, "")


def test_an_edit_conflict_has_status_409(newest):
    record_id = newest.create(price=1).json()["id"]
    conflicting = {"price": 3, "_prev": {"price": 2}}
    assert newest.call("PATCH", f"/Product/{record_id}", conflicting).status_code == 409
    forced = {**conflicting, "_skipCheckForConflicts": True}
    assert newest.call("PATCH", f"/Product/{record_id}", forced).status_code == 200


def test_the_validation_of_a_response_can_fail_after_the_work(newest):
    newest.served.seed({"faults": [{"kind": "response-validation"}]})
    response = newest.create()
    assert response.status_code == 400
    assert "for Response [post /Product 200]" in response.text
    assert len(newest.served.tables()["products"]) == 1
    assert newest.create().status_code == 200


def test_a_create_can_store_a_record_and_return_status_500(newest):
    newest.served.seed({"faults": [{"kind": "create-then-500", "times": 2}]})
    assert [newest.create().status_code for _ in range(3)] == [500, 500, 200]
    assert len(newest.served.tables()["products"]) == 3
