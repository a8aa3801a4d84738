"""How the stand-in of AtroCore refuses and fails."""

from __future__ import annotations

import pytest
import requests


def test_errors_are_text_with_the_reason_in_a_header(client):
    answer = client.create(name="")
    assert answer.status_code == 400
    assert "name" in answer.headers["X-Status-Reason"]
    assert answer.headers["Content-Type"].startswith("text/html")
    # the founding dialect says it in the header alone
    assert answer.text == ("" if client.dialect == "espo" else answer.headers["X-Status-Reason"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Product/none"),
        ("GET", "/Nothing"),
        ("POST", "/Product/none"),
        ("DELETE", "/Product/none"),
        ("GET", "/a/b/c"),
    ],
)
def test_what_is_not_there_is_404_without_text(client, method, path):
    answer = client.ask(method, path, {} if method == "POST" else None)
    assert (answer.status_code, answer.text) == (404, "")


def test_malformed_json_is_400(newest):
    answer = requests.post(f"{newest.api}/Product", data="{", headers=newest.headers, timeout=10)
    assert (answer.status_code, answer.text.partition(":")[0]) == (400, "JSON parsing failed")


def test_since_2_3_a_create_must_have_all_required_fields_and_the_right_types(newest):
    missing = newest.ask("POST", "/Product", {"name": "a", "number": "W"})
    assert missing.status_code == 400
    assert "Required property 'status' must be present in the object" in missing.text
    assert "Request [post /{entityName}]" in missing.text
    assert newest.create(price="1.5").status_code == 400
    assert newest.create(isActive=1).status_code == 400
    assert newest.create(price=True).status_code == 400


def test_an_update_that_changes_nothing_is_304(client):
    record_id = client.create(price=1).json()["id"]
    for values in ({"price": 1}, {"colour": "red"}, {"createdAt": "2020-01-01 00:00:00"}, {}):
        answer = client.ask("PATCH", f"/Product/{record_id}", values)
        assert (answer.status_code, answer.text) == (304, "")


def test_an_edit_conflict_is_409(newest):
    record_id = newest.create(price=1).json()["id"]
    conflicting = {"price": 3, "_prev": {"price": 2}}
    assert newest.ask("PATCH", f"/Product/{record_id}", conflicting).status_code == 409
    forced = {**conflicting, "_skipCheckForConflicts": True}
    assert newest.ask("PATCH", f"/Product/{record_id}", forced).status_code == 200


def test_the_answer_can_fail_the_servers_own_validation_after_the_work(newest):
    newest.served.seed({"faults": [{"kind": "response-validation"}]})
    answer = newest.create()
    assert answer.status_code == 400
    assert "for Response [post /Product 200]" in answer.text
    assert len(newest.served.tables()["products"]) == 1
    assert newest.create().status_code == 200


def test_a_create_can_end_in_500_and_leave_a_record(newest):
    newest.served.seed({"faults": [{"kind": "create-then-500", "times": 2}]})
    assert [newest.create().status_code for _ in range(3)] == [500, 500, 200]
    assert len(newest.served.tables()["products"]) == 3
