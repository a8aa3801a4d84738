"""Pages of lists of the fake AtroCore server: following pages neither scan nor sort all records again."""

from __future__ import annotations

from random import Random

import pytest

from self_hosted.sandbox.atrocore import lists
from self_hosted.sandbox.atrocore.record_store import delete_record, insert_record
from self_hosted.sandbox.atrocore.state import CORES, State
from tests.sandbox.atrocore.client import Client


def page(client, **query):
    return client.call("GET", "/Product", params={"select": "name", "sortBy": "id", "maxSize": 2, **query}).json()


def after(record_id):
    return {"where[0][type]": "greaterThan", "where[0][attribute]": "id", "where[0][value]": record_id}


@pytest.fixture
def scans(monkeypatch):
    """The number of records of each scan, the server's tests run in this process."""
    counts = []
    scan = lists._scan

    def count(*arguments):
        found = scan(*arguments)
        counts.append(len(found))
        return found

    monkeypatch.setattr(lists, "_scan", count)
    return counts


def test_pages_by_id_do_not_scan_the_records(wheels, scans):
    found, last = [], ""
    while records := page(wheels, collectionOnly="true", **after(last))["list"]:
        found += [record["id"] for record in records]
        last = found[-1]
    assert found == [f"id-{n}" for n in range(5)]
    assert scans == []


def test_pages_by_offset_use_the_first_scan(wheels, scans):
    found = [record["id"] for offset in range(0, 6, 2) for record in page(wheels, offset=offset)["list"]]
    assert found == [f"id-{n}" for n in range(5)]
    assert scans == [5]
    wheels.call("PATCH", "/Product/id-0", {"name": "x"})
    page(wheels)
    assert scans == [5, 5]


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_pages_by_id_with_another_condition_use_the_first_scan(wheels, scans, ascending):
    other = {"where[1][type]": "isNotNull", "where[1][attribute]": "price", "asc": ascending}
    first = page(wheels, collectionOnly="true", **other)["list"]
    kind = "greaterThan" if ascending == "true" else "lessThan"
    query = {**after(first[-1]["id"]), "where[0][type]": kind, **other}
    rest = page(wheels, **query)
    expected = [f"id-{n}" for n in range(1, 5)][:: 1 if ascending == "true" else -1]
    assert [record["id"] for record in (*first, *rest["list"])] == expected
    assert (rest["total"], scans) == (2, [4])


@pytest.mark.parametrize("dialect", CORES)
def test_pages_by_id_contain_the_records_that_exist_now(served, dialect):
    served.seed({"dialect": dialect, "records": {"Product": [{"id": one, "name": one} for one in "cab"]}})
    client = Client(served, dialect).log_in()

    def ids(last, **query):
        found = page(client, **after(last), **query)
        return found["total"], [record["id"] for record in found["list"]]

    assert ids("") == (3, ["a", "b"])
    client.call("DELETE", "/Product/b")
    assert ids("") == (2, ["a", "c"])
    client.create(id="B")
    assert ids("") == (3, ["B", "a"])
    client.create(id="b")
    assert ids("a", asc="false") == (2, ["c", "b"])
    client.call("DELETE", "/Product/c", headers={"permanently": "true"})
    assert ids("a") == (1, ["b"])
    assert ids("a", offset=1) == (1, [])


@pytest.mark.parametrize("seed", range(3))
def test_sorted_ids_are_those_of_a_sort_after_any_changes(seed):
    random, state = Random(seed), State(core=CORES["2.3"])
    records = state.records["Product"]
    for _ in range(300):
        record_id = f"{random.randrange(50):02}"
        if record_id in records and random.random() < 0.5:
            delete_record(state, "Product", records[record_id], permanently=random.random() < 0.5)
        else:
            insert_record(state, "Product", {"id": record_id})
        bounds = sorted(f"{random.randrange(50):02}" for _ in range(2))
        descending = random.random() < 0.5
        ids = state.index.get_sorted_ids("Product").select(*bounds, descending=descending)
        found = [one for one in ids if one in records and not records[one]["deleted"]]
        existing = (one for one, record in records.items() if not record["deleted"] and bounds[0] < one < bounds[1])
        assert found == sorted(existing, reverse=descending)
        deleted = len(state.index.get_sorted_ids("Product")) - sum(not one["deleted"] for one in records.values())
        assert state.index.count_deleted("Product") == deleted


def test_null_comes_last_and_numbers_are_sorted_as_numbers(wheels):
    wheels.call("PATCH", "/Product/id-1", {"price": 10.5})
    found = page(wheels, sortBy="price", maxSize=5)["list"]
    assert [record["id"] for record in found] == ["id-2", "id-3", "id-4", "id-1", "id-0"]
