"""What the fake AtroCore server makes of values: cores before 2.3 cast them as PHP does, newer ones reject them."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.atrocore.client import client_of_core

OLD, NEW = "1.10.30", "2.3.16"
DATES = {"launchedAt": {"type": "datetime"}, "endsOn": {"type": "date"}}


@pytest.fixture
def old(served):
    return client_of_core(served, OLD)


@pytest.fixture
def new(served):
    return client_of_core(served, NEW, "2.3")


def store(client, **values):
    """Create a product on the client's core, and return the response and the stored record."""
    client.served.seed({"core": NEW if client.dialect == "2.3" else OLD})
    key = "number" if client.dialect == "2.3" else "sku"
    status = "status" if client.dialect == "2.3" else "productStatus"
    created = client.call("POST", "/Product", {"name": "a", key: "W", status: "draft", **values})
    record_id = created.json()["id"] if created.status_code == 200 else None
    return created, client.call("GET", f"/Product/{record_id}").json() if record_id else None


def upsert_failure(client, **values):
    [result] = client.upsert({"name": "a", "sku": "W", "number": "W", **values})
    return result["status"], result.get("message", "").removeprefix("Code: ")


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [
        ("price", "4,5", 4),
        ("price", "1.234,50", 1.234),
        ("price", "1,234.50", 1),
        ("price", "", 0),
        ("price", "nan", 0),
        ("price", "abc", 0),
        ("price", "12.50", 12.5),
        ("price", True, 1),
        ("price", [1], 1),
        ("price", {"a": 1}, 1),
        ("price", None, None),
        ("sortOrder", 3.7, 3),
        ("sortOrder", "7", 7),
        ("sortOrder", "abc", 0),
        ("isActive", "yes", False),
        ("isActive", "ja", False),
        ("isActive", "true", True),
        ("isActive", "1", True),
        ("isActive", 1, True),
        ("isActive", 1.0, False),
        ("isActive", "", False),
        ("isActive", None, False),
        ("sku", 12, "12"),
        ("sku", 12.0, "12"),
        ("sku", True, "1"),
        ("taskStatus", None, []),
        ("taskStatus", ["mar", "mar"], ["mar"]),
        ("data", "x", None),
        ("data", [1], [1]),
    ],
)
def test_old_cores_cast_values_and_report_success(old, name, given, stored):
    created, record = store(old, **{name: given})
    assert created.status_code == 200
    assert record[name] == stored
    assert type(record[name]) is type(stored)


@pytest.mark.parametrize(
    ("name", "given", "expected", "found"),
    [
        ("price", "4,5", "number", "string"),
        ("price", "12.50", "number", "string"),
        ("price", "", "number", "string"),
        ("price", True, "number", "boolean"),
        ("isActive", "yes", "boolean", "string"),
        ("isActive", 1, "boolean", "integer"),
        ("number", 12, "string", "integer"),
        ("ean", 12.5, "string", "double"),
        ("tag", "x", "array", "string"),
        ("name", None, "string", "NULL"),
    ],
)
def test_new_cores_reject_values_of_the_wrong_type(new, name, given, expected, found):
    response, _ = store(new, **{name: given})
    assert response.status_code == 400
    assert response.text.endswith(f"Value expected to be '{expected}', but '{found}' given.")


def test_a_value_that_is_no_option_is_rejected(old, new):
    for client, name, message in (
        (old, "productStatus", "Value 'none' for the field 'Product Status' is not valid."),
        (old, "taskStatus", "Value 'none' for the field 'Task status' is not valid."),
        (new, "status", "noSuchOptions"),
    ):
        response, _ = store(client, **{name: ["none"] if name == "taskStatus" else "none"})
        assert (response.status_code, response.text) == (400, message)


def test_a_text_in_place_of_a_list_is_an_error_of_php_in_old_cores(old):
    assert store(old, taskStatus="mar")[0].status_code == 500
    status, message = upsert_failure(old, taskStatus="mar")
    assert status == "Failed"
    assert message.startswith("0. Message: Espo\\Services\\Record::modifyMultiEnumValue(): Argument #1")


def test_a_text_must_match_the_pattern_of_its_field(old, new):
    assert "does not correspond to the pattern" in store(old, ean=12)[0].text
    assert store(new, ean="12")[0].status_code == 400
    assert store(new, ean="4006381333931")[0].status_code == 200
    assert store(new, ean="")[1]["ean"] is not None


def test_a_response_repeats_a_text_that_the_database_cuts_at_nul(new):
    created, record = store(new, name="ab\0cd")
    assert (created.json()["name"], record["name"]) == ("ab\0cd", "ab")
    repeated = new.call("PATCH", f"/Product/{record['id']}", {"name": "ab\0cd"})
    assert repeated.status_code == 200  # a change each time


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-03-01 01:00:00", "2026-03-01 01:00:00"),
        ("2026-03-01T01:00:00+02:00", "2026-03-01 01:00:00"),
        ("2026-03-01T01:00:00Z", "2026-03-01 01:00:00"),
        ("2026-03-01T01:00", "2026-03-01 01:00:00"),
        ("01.03.2026", "2026-01-03 00:00:00"),
        ("2026-03-01", "2026-03-01 00:00:00"),
    ],
)
def test_old_cores_drop_offsets_and_read_german_dates_as_american_ones(old, given, stored):
    old.served.seed({"fields": {"Product": DATES}})
    created, record = store(old, launchedAt=given, endsOn=given)
    assert created.json()["launchedAt"] == given  # the response repeats what was sent
    assert (record["launchedAt"], record["endsOn"]) == (stored, stored[:10])


@pytest.mark.parametrize("given", ["13.13.2026", "soon"])
def test_old_cores_fail_on_other_dates(old, given):
    old.served.seed({"fields": {"Product": DATES}})
    assert "7. Message: An exception occurred" in upsert_failure(old, launchedAt=given)[1]


@pytest.mark.parametrize(
    "given", ["2026-03-01T01:00:00", "2026-03-01 01:00:00Z", "2026-03-01 01:00:00+02:00", "2026-03-01", "01.03.2026"]
)
def test_new_cores_accept_one_format_of_a_time(new, given):
    new.served.seed({"fields": {"Product": DATES}})
    assert store(new, launchedAt=given)[0].text == "datetimeIsInvalid"
    assert new.upsert({"number": "W", "name": "a", "launchedAt": given})[0]["message"] == "datetimeIsInvalid"
    assert store(new, launchedAt="2026-03-01 01:00:00", endsOn="2026-03-01")[1]["endsOn"] == "2026-03-01"


def test_the_type_of_a_number_decides_whether_it_is_a_change(client):
    record_id = client.create(price=13).json()["id"]
    path = f"/Product/{record_id}"
    assert client.call("PATCH", path, {"price": 13}).status_code == 200
    assert client.call("PATCH", path, {"price": 13.0}).status_code == 304
    assert client.call("GET", path).json()["price"] == 13


def test_null_for_a_switch_is_a_change_to_false(client):
    record_id = client.create().json()["id"]
    for _ in range(2):
        assert client.call("PATCH", f"/Product/{record_id}", {"isActive": None}).status_code == 200
    assert client.call("GET", f"/Product/{record_id}").json()["isActive"] is False


@pytest.mark.parametrize(
    ("values", "type_name"),
    [
        ({"name": "x" * 256}, "character varying(255)"),
        ({"id": "i" * 37}, "character varying"),
        ({"sortOrder": 2**31}, "integer out of range"),
    ],
)
def test_errors_of_the_database_have_no_status_in_old_cores(old, new, values, type_name):
    with pytest.raises(requests.ConnectionError):
        store(old, **values)
    status, message = upsert_failure(old, **values)
    assert (status, message.partition(".")[0]) == ("Failed", "7")
    assert type_name in message
    response, _ = store(new, **values)
    assert response.status_code == 500
    assert type_name in response.text


def test_the_length_of_ids_depends_on_the_core(old, new):
    with pytest.raises(requests.ConnectionError):
        store(old, id="i" * 25)
    assert store(old, id="i" * 24)[0].status_code == 200
    assert store(new, id="i" * 36)[0].status_code == 200


def test_a_number_as_id_is_stored_although_the_response_is_an_error(old):
    assert store(old, id=12345)[0].status_code == 500
    assert old.call("GET", "/Product/12345").json()["name"] == "a"
