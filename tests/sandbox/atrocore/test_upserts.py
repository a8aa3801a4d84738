"""Upserts at the fake AtroCore server."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import requests
from starlette.datastructures import Headers

from self_hosted.sandbox.atrocore import Atrocore
from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.upserts import Upserts
from tests.sandbox.atrocore.client import client_of_core, payload

DEADLINE_SECONDS = 60


def test_an_upsert_returns_a_result_for_each_item(newest):
    first, second = payload("A", id="a"), payload("B", id="b", price="many")
    assert newest.upsert(first, second) == [
        {"status": "Created", "stored": True, "entity": "Product", "id": "a"},
        {"status": "Failed", "stored": False, "code": 400, "message": "price: valueIsNotNumber"},
    ]
    assert [result["status"] for result in newest.upsert(first, {**first, "price": "1.5"})] == [
        "NotModified",
        "Updated",
    ]
    assert newest.call("GET", "/Product/a").json()["price"] == pytest.approx(1.5)


def test_an_upsert_restores_softly_deleted_records(newest):
    newest.upsert(payload("A", id="a"))
    newest.call("DELETE", "/Product/a")
    assert newest.upsert(payload("A", id="a"))[0]["status"] == "Created"


def test_an_upsert_without_id_creates_duplicates_unless_a_field_is_unique(newest):
    assert [newest.upsert(payload("A"))[0]["status"] for _ in range(2)] == ["Created", "Created"]
    newest.served.seed({"unique": {"Product": ["number"]}})
    assert newest.upsert(payload("A", price=1))[0]["status"] == "Updated"


def test_an_upsert_of_an_unknown_entity_fails_for_its_item(newest):
    response = newest.call("POST", "/upsert", [{"entity": "Prodct", "payload": {}}])
    assert (response.status_code, response.json()[0]["status"]) == (200, "Failed")


def test_before_2_3_results_contain_the_complete_record(served):
    result = client_of_core(served, "2.2.31").upsert(payload("A", id="a"))[0]
    assert (result["entity"]["id"], result["entity"]["name"]) == ("a", "Wheel")


def test_before_1_11_56_an_item_without_changes_has_failed(served):
    client = client_of_core(served, "1.11.55")
    item = {"sku": "A", "name": "Wheel", "id": "a"}
    assert [client.upsert(item)[0]["status"] for _ in range(2)] == ["Created", "Failed"]
    assert client.upsert(item)[0]["message"].startswith("Code: 304.")
    assert client_of_core(served, "1.11.56").upsert(item)[0]["status"] == "NotModified"


def test_before_1_10_61_an_item_without_id_overwrites_the_previous_one(served):
    client = client_of_core(served, "1.10.60")
    client.upsert({"sku": "A", "name": "Wheel", "id": "a"})
    client.upsert({"sku": "A", "name": "Wheel", "id": "a", "price": 1}, {"sku": "B", "name": "Tyre"})
    assert client.call("GET", "/Product/a").json()["sku"] == "B"


def test_a_poisoned_item_ends_the_request_after_the_items_before_it(newest):
    newest.served.seed({"poison": ["B"]})
    items = [{"entity": "Product", "payload": payload(key)} for key in "ABC"]
    assert newest.call("POST", "/upsert", items).status_code == 500
    assert [product["number"] for product in newest.served.tables()["products"]] == ["A"]


def test_old_values_that_differ_fail_their_item(newest):
    newest.upsert(payload("A", id="a", price=1.5))
    conflict, agreeing = newest.upsert(
        {"id": "a", "price": 3.5, "_prev": {"price": 2.5}}, {"id": "a", "price": 4.5, "_prev": {"price": 1.5}}
    )
    assert conflict == {
        "status": "Failed",
        "stored": False,
        "entity": "Product",
        "id": "a",
        "code": 409,
        "message": "editedByAnotherUser",
    }
    assert agreeing["status"] == "Updated"


def test_before_2_3_old_values_that_differ_fail_their_item_with_a_text(served):
    client = client_of_core(served, "1.10.30")
    client.upsert({"id": "a", "sku": "A", "name": "A"})
    [conflict] = client.upsert({"id": "a", "name": "C", "_prev": {"name": "B"}})
    assert conflict["message"].startswith("Code: 409. Message: The data set [Name] has been changed in the meantime.")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "Value expected to be 'array', but 'array' given."),
        (["x"], "Value expected to be 'object', but 'string' given."),
        ([{"payload": {}}], "Required property 'entity' must be present in the object"),
        ([{"entity": "Product"}], "Required property 'payload' must be present in the object"),
    ],
)
def test_since_2_3_the_request_must_match_its_schema(newest, body, reason):
    response = newest.call("POST", "/upsert", body)
    assert response.status_code == 400
    assert response.text.endswith(reason)


def test_before_2_3_anything_is_a_list_of_items(served):
    client = client_of_core(served, "1.10.30")
    path = "/MassActions/action/upsert"
    missing = {"status": "Failed", "stored": False, "message": "'entity' parameter is required."}
    assert client.call("POST", path, {"entity": "Product", "payload": {}}).json() == dict.fromkeys(
        ["entity", "payload"], missing
    )
    headers = {**client.headers, "Content-Type": "application/json"}
    assert requests.post(f"{client.api}{path}", data="[{", headers=headers, timeout=60).json() == []


@pytest.mark.parametrize(("core", "dialect"), [("1.10.30", "1.x-2.2"), ("2.3.16", "2.3")])
def test_a_background_job_has_the_results_as_text(served, core, dialect):
    client = client_of_core(served, core, dialect)
    item = {"entity": "Product", "payload": {"id": "a", "sku": "A", "number": "A", "name": "A"}}
    served.seed({"cron": False})
    if dialect == "2.3":
        path = f"/Job/{client.call('POST', '/upsertAsync', [item]).json()['jobId']}"
    else:
        queued = client.call("POST", "/MassActions/action/upsert", [item], headers={"use-queue": "1"}).json()
        path = f"/QueueItem/{queued['queueItemId']}"
    assert client.call("GET", path).json()["status"] == "Pending"
    assert client.call("GET", "/Product/a").status_code == 404
    served.seed({"cron": True, "advance_seconds": 60})
    job = client.call("GET", path).json()
    assert (job["status"], json.loads(job["message"])[0]["status"]) == ("Success", "Created")
    assert client.call("GET", "/Product/a").status_code == 200


def wait_for(is_met):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_upsert_continues_after_the_client_has_given_up(newest):
    newest.served.seed({"holds_upserts": True})
    items = [{"entity": "Product", "payload": payload(key, id=key)} for key in "ABC"]
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{newest.api}/upsert", json=items, headers=newest.headers, timeout=(60, 0.1))
    assert newest.served.tables()["products"] == []
    newest.served.seed({"holds_upserts": False})
    wait_for(lambda: len(newest.served.tables()["products"]) == 3)


def build_call(server, items):
    access = Access(server.state)
    return Call("POST", "upsert", "/upsert", "", "", "", [], Headers(), items, False, access)


@pytest.mark.parametrize(("core", "unchanged"), [("1.10.30", "Failed"), ("2.3.16", "NotModified")])
def test_an_upsert_that_is_sent_again_meanwhile_fails_for_an_item_that_is_stored(core, unchanged):
    server = Atrocore()
    server.seed({"core": core, "holds_upserts": True})
    values = {"name": "a", "sku": "W", "number": "W"}
    items = [{"entity": "Product", "payload": {**values, "id": key}} for key in "ab"]
    upserts = Upserts(server)

    async def send_twice():
        sent = [asyncio.ensure_future(upserts.upsert(build_call(server, items))) for _ in range(2)]
        await asyncio.sleep(0)  # both look for the first record
        server.seed({"holds_upserts": False})
        return [json.loads(bytes(response.body)) for response in await asyncio.gather(*sent)]

    first, again = asyncio.run(send_twice())
    assert [item["status"] for item in first] == ["Created", "Created"]
    assert [item["status"] for item in again] == ["Failed", unchanged]
    assert again[0]["message"].endswith("The record cannot be created due to database constraints.")
    assert server.state.records["Product"].keys() == {"a", "b"}


def test_an_upsert_can_take_a_time_for_each_item(newest):
    newest.served.seed({"upsert_seconds": 0.05})
    start = time.perf_counter()
    assert [item["status"] for item in newest.upsert(payload("A"), payload("B"))] == ["Created"] * 2
    assert time.perf_counter() - start >= 0.1
