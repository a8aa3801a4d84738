"""Nodes of the stand-in, and how they are searched."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from tests.conftest import Served
from tests.rudder.conftest import FILE_SERVER, PENDING_NODE, rudders_cases
from tests.sandbox.rudder.asking import found, shown, words


def where(attribute: str, comparator: str, value: str) -> str:
    return json.dumps([{"objectType": "node", "attribute": attribute, "comparator": comparator, "value": value}])


def test_accepted_and_pending_nodes_are_listed_apart_and_found_alone_alike(call) -> None:
    assert PENDING_NODE not in found(call)
    assert found(call, "/nodes/pending") == [PENDING_NODE]
    for node_id, status in ((FILE_SERVER, "accepted"), (PENDING_NODE, "pending")):
        assert shown(call("GET", f"/nodes/{node_id}"), "nodes")["status"] == status


def test_a_missing_node_is_named_after_other_words(call) -> None:
    assert "Node with ID 'nothing' was not found in Rudder" in words(call("GET", "/nodes/nothing"))


def test_a_search_leaves_policy_servers_out_unless_they_are_asked_for(call) -> None:
    everything = where("nodeId", "regex", ".*")
    assert "root" in found(call)
    assert "root" not in found(call, where=everything)
    assert "root" in found(call, where=everything, select="nodeAndPolicyServer")


def test_an_expression_matches_whole_ids(call) -> None:
    assert found(call, where=where("nodeId", "regex", FILE_SERVER[:-1])) == []
    assert found(call, where=where("nodeId", "regex", f"nothing|{FILE_SERVER}")) == [FILE_SERVER]
    assert found(call, where=where("nodeHostname", "eq", "file-server-01.example.com")) == [FILE_SERVER]


def test_a_criterion_that_the_stand_in_lacks_is_refused(call) -> None:
    assert "no criterion" in words(call("GET", "/nodes", params={"where": where("ram", "gt", "1")}))


@pytest.mark.parametrize(
    ("include", "fields"),
    [
        ("minimal", {"id", "hostname", "status"}),
        ("minimal,lastRunDate,nonsense", {"id", "hostname", "status", "lastRunDate"}),
        ("lastRunDate", {"id", "hostname", "status", "state", "lastRunDate", "policyMode"}),
        (None, {"id", "hostname", "status", "state", "lastRunDate", "policyMode"}),
    ],
)
def test_a_node_shows_what_is_asked_for(call, include: str | None, fields: set[str]) -> None:
    query = {"include": include} if include else {}
    assert set(shown(call("GET", f"/nodes/{FILE_SERVER}", params=query), "nodes")) == fields


def test_a_node_that_never_ran_tells_no_date(call) -> None:
    assert "lastRunDate" not in shown(call("GET", f"/nodes/{PENDING_NODE}"), "nodes")


def test_agents_run_by_themselves(served: Served, call) -> None:
    def last_run() -> datetime:
        told = shown(call("GET", "/nodes/n1"), "nodes")["lastRunDate"]
        assert told.endswith("Z")
        return datetime.fromisoformat(told)

    served.seed({"nodes": [{"id": "n1", "first_run": -3600, "run_interval": 1}]})
    first, now = last_run(), datetime.now(UTC)
    assert 0 <= (now - first).total_seconds() < 3
    deadline = time.monotonic() + 5
    while last_run() == first:
        assert time.monotonic() < deadline


def test_rudders_own_case_of_a_node_is_answered_alike(served: Served, call) -> None:
    cases = [case for case in rudders_cases("nodes") if case["index"] == 0]
    if not cases:
        pytest.skip("Rudder's own API cases are not at hand")
    served.seed({"nodes": [{"id": "node1", "hostname": "node1.localhost"}]})
    answer = call("GET", cases[0]["path"], prefix="", params=cases[0]["query"])
    assert answer.json() == cases[0]["response"]
