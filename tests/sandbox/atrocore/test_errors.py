"""Errors of the fake AtroCore server."""

from __future__ import annotations

import pytest
import requests


def test_errors_are_text_with_the_reason_in_a_header(client):
    response = client.create(name="")
    assert response.status_code == 400
    message = "fieldIsRequired" if client.dialect == "2.3" else "Validation failed. 'Name' is required."
    assert response.headers["X-Status-Reason"] == message
    assert response.headers["Content-Type"].startswith("text/html")
    # in the dialect "espo", only the header contains the reason
    assert response.text == ("" if client.dialect == "espo" else response.headers["X-Status-Reason"])


def test_missing_records_and_routes_have_status_404(client):
    """Before 2.3, the text of an error names the controller; a path that no controller can have has a page."""
    is_old = client.dialect != "2.3"
    for method, path, text in (
        ("GET", "/Product/none", ""),
        ("DELETE", "/Product/none", ""),
        ("GET", "/Nothing", "Controller 'Nothing' is not found"),
        ("POST", "/Product/none", "404 Page Not Found"),
        ("GET", "/a/b/c/d", "404 Page Not Found"),
    ):
        response = client.call(method, path, {} if method == "POST" else None)
        assert response.status_code == 404, (method, path)
        found = response.text or response.headers.get("X-Status-Reason", "")
        assert text in found if is_old else not found, (method, path)


@pytest.mark.parametrize("content", ["{", ""])
def test_a_malformed_or_missing_body_has_status_400_since_2_3_and_500_before(client, content):
    headers = {**client.headers, "Content-Type": "application/json"}
    response = requests.post(f"{client.api}/Product", data=content, headers=headers, timeout=60)
    if client.dialect == "2.3":
        reason = 'JSON parsing failed with "Syntax error" for Request [post /{entityName}]'
        assert (response.status_code, response.text) == (400, reason)
    else:
        assert (response.status_code, response.text) == (500, "")


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [(None, 'Missing required header "Content-Type"'), ("text/plain", 'Content-Type "text/plain" is not expected')],
)
def test_a_body_needs_a_content_type(client, content_type, reason):
    headers = {**client.headers, "Content-Type": content_type}
    response = requests.post(f"{client.api}/Product", data='{"name": "a"}', headers=headers, timeout=60)
    if client.dialect == "2.3":
        assert (response.status_code, response.text) == (400, f"{reason} for Request [post /{{entityName}}]")
    else:
        assert response.status_code == 500


def test_since_2_3_a_create_needs_all_required_fields_with_the_right_types(newest):
    missing = newest.call("POST", "/Product", {"name": "a", "number": "W"})
    assert missing.status_code == 400
    assert "Required property 'status' must be present in the object" in missing.text
    assert "Request [post /{entityName}]" in missing.text
    assert newest.create(price="1.5").status_code == 400
    assert newest.create(isActive=1).status_code == 400
    assert newest.create(price=True).status_code == 400


def test_an_update_without_changes_has_status_304(client):
    record_id = client.create(price=1.5).json()["id"]
    for values in ({"price": 1.5}, {"colour": "red"}, {"createdAt": "2020-01-01 00:00:00"}, {}):
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
