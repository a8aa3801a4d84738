"""The index of the fake AtroCore server: lookups find what a scan of all records finds."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from self_hosted.sandbox.atrocore import Atrocore
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.filters import build_matcher
from self_hosted.sandbox.atrocore.lookups import find_match, list_candidates
from self_hosted.sandbox.atrocore.record_store import create_record, delete_record, insert_record, update_record
from self_hosted.sandbox.atrocore.state import CORES, Record, State
from self_hosted.sandbox.state_file import load_state, save_state

# equal in Python or as text, but not in both
PRICES = [None, "", 0, 0.0, "0", 1, 1.0, "1", "1.0", "01", True, "True", False, 1.5, "1.5"]
NUMBERS = ["a", "A", "a ", "", None, "None", "1", "1.0", "true"]
TAGS = [None, [], ["a"], ["A"], [1], [1.0], [True]]
IDS = ["a", "A", "1", "b", "c"]
VALUES: dict[str, list[Any]] = {"price": PRICES, "number": NUMBERS, "tag": TAGS, "id": IDS, "note": NUMBERS}


def build_state() -> State:
    return State(core=CORES["2.3"], unique={"Product": ["number", "price", "tag"]})


def scan(state: State, conditions: list[dict[str, Any]]) -> list[Record]:
    matches = build_matcher(state, "Product", conditions)
    return [record for record in state.records["Product"].values() if not record["deleted"] and matches(record)]


def look_up(state: State, conditions: list[dict[str, Any]]) -> list[Record]:
    matches = build_matcher(state, "Product", conditions)
    candidates = list_candidates(state, "Product", conditions)
    return [record for record in candidates if not record["deleted"] and matches(record)]


def scan_for_match(state: State, payload: dict[str, Any]) -> Record | None:
    """Return what `find_match` should."""
    existing = [record for record in state.records["Product"].values() if not record["deleted"]]
    found = [record for record in existing if record["id"] == payload.get("id", "")]
    for name in state.unique["Product"]:
        value = payload.get(name)
        found += [record for record in existing if value is not None and record.get(name) == value]
    return found[0] if found else None


def choose_values(random: Random) -> dict[str, Any]:
    return {name: random.choice(values) for name, values in VALUES.items() if random.random() < 0.6}


def change_something(state: State, random: Random) -> None:
    """Insert, create, restore, update, delete or remove a record."""
    records, values = state.records["Product"], choose_values(random)
    record = random.choice([*records.values()]) if records else None
    kind = random.choice(["insert", "create", "update", "update", "delete", "remove"])
    try:
        if kind == "insert" or record is None:
            insert_record(state, "Product", {**values, "id": values.get("id", state.new_id())})
        elif kind == "create":
            create_record(state, "Product", {"name": "Wheel", "status": "draft", **values})
        elif kind == "update":
            update_record(state, "Product", record, values)
        elif kind == "delete":
            delete_record(state, "Product", record)
        else:
            delete_record(state, "Product", record, permanently=True)
    except ApiError:
        pass  # a rule of the database


@pytest.mark.parametrize("seed", range(5))
def test_lookups_find_what_a_scan_finds_after_any_changes(seed: int):
    random, state = Random(seed), build_state()
    for _ in range(300):
        change_something(state, random)
        name = random.choice(list(VALUES))
        several = random.sample(VALUES[name], k=random.randrange(3))
        for condition in (
            {"type": "equals", "attribute": name, "value": random.choice(VALUES[name])},
            {"type": "in", "attribute": name, "value": several},
            {"type": "in", "attribute": name, "value": dict(enumerate(several))},
        ):
            other = {"type": "isNotNull", "attribute": "note"}
            by_id = {"type": "equals", "attribute": "id", "value": random.choice(IDS)}
            groups = [{"type": "not", "value": [condition]}], [{"type": "or", "value": [condition, by_id]}]
            for conditions in ([condition], [other, condition], *groups):
                assert look_up(state, conditions) == scan(state, conditions), conditions
        payload = choose_values(random)
        assert find_match(state, "Product", payload) is scan_for_match(state, payload), payload


def test_a_lookup_reads_only_the_records_with_the_value():
    state = build_state()
    for number in range(100):
        insert_record(state, "Product", {"id": f"id-{number}", "number": f"W-{number % 50}"})
    condition = {"type": "equals", "attribute": "number", "value": "W-7"}
    assert [record["id"] for record in list_candidates(state, "Product", [condition])] == ["id-7", "id-57"]
    either = {"type": "or", "value": [condition, {"type": "in", "attribute": "id", "value": ["id-3", "id-7"]}]}
    assert [record["id"] for record in list_candidates(state, "Product", [either])] == ["id-3", "id-7", "id-57"]


def test_jobs_are_looked_up_by_id_only_because_the_queue_changes_them():
    server = Atrocore()
    server.seed({"jobs": [{"entity": "Job", "values": {"id": f"job-{number}"}} for number in range(3)]})
    by_id = {"type": "in", "attribute": "id", "value": ["job-2", "job-0"]}
    by_status = {"type": "equals", "attribute": "status", "value": "Running"}
    assert [job["id"] for job in list_candidates(server.state, "Job", [by_id])] == ["job-0", "job-2"]
    assert len(list(list_candidates(server.state, "Job", [by_status]))) == 3


def test_purged_jobs_are_not_found():
    server = Atrocore()
    server.seed({"jobs": [{"entity": "Job", "values": {"id": "job"}}]})
    by_id = {"type": "equals", "attribute": "id", "value": "job"}
    assert list(list_candidates(server.state, "Job", [by_id]))
    server.state.records["Job"]["job"]["status"] = "Success"
    server.seed({"purge": True})
    assert list(list_candidates(server.state, "Job", [by_id])) == []


def test_a_reset_and_a_loaded_state_have_a_new_index(tmp_path: Path):
    server, by_number = Atrocore(), {"type": "equals", "attribute": "number", "value": "W"}
    server.seed({"records": {"Product": [{"id": "id-1", "number": "W"}]}})
    assert look_up(server.state, [by_number])
    save_state(tmp_path / "state", {"atrocore": server})
    server.reset()
    assert look_up(server.state, [by_number]) == []
    fresh = Atrocore()
    load_state(tmp_path / "state", {"atrocore": fresh})
    assert [record["id"] for record in look_up(fresh.state, [by_number])] == ["id-1"]
