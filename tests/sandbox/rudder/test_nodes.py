"""Nodes at the fake Rudder server, and searches for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import Served
from tests.rudder.conftest import FILE_SERVER, PENDING_NODE, load_vendor_cases
from tests.sandbox.rudder.client import error_message, first_item, list_node_ids


def where(attribute: str, comparator: str, value: str) -> str:
    return json.dumps([{"objectType": "node", "attribute": attribute, "comparator": comparator, "value": value}])


def test_accepted_and_pending_nodes_have_separate_lists(call) -> None:
    assert PENDING_NODE not in list_node_ids(call)
    assert list_node_ids(call, "/nodes/pending") == [PENDING_NODE]
    for node_id, status in ((FILE_SERVER, "accepted"), (PENDING_NODE, "pending")):
        assert first_item(call("GET", f"/nodes/{node_id}"), "nodes")["status"] == status


def test_a_missing_node_is_an_error(call) -> None:
    assert "Node with ID 'nothing' was not found in Rudder" in error_message(call("GET", "/nodes/nothing"))


def test_a_search_omits_policy_servers_by_default(call) -> None:
    everything = where("nodeId", "regex", ".*")
    assert "root" in list_node_ids(call)
    assert "root" not in list_node_ids(call, where=everything)
    assert "root" in list_node_ids(call, where=everything, select="nodeAndPolicyServer")


def test_a_regular_expression_matches_complete_values(call) -> None:
    assert list_node_ids(call, where=where("nodeId", "regex", FILE_SERVER[:-1])) == []
    assert list_node_ids(call, where=where("nodeId", "regex", f"nothing|{FILE_SERVER}")) == [FILE_SERVER]
    assert list_node_ids(call, where=where("nodeHostname", "eq", "file-server-01.example.com")) == [FILE_SERVER]


def test_an_unsupported_criterion_is_an_error(call) -> None:
    assert "does not support the criterion" in error_message(
        call("GET", "/nodes", params={"where": where("ram", "gt", "1")})
    )


@pytest.mark.parametrize(
    ("include", "fields"),
    [
        ("minimal", {"id", "hostname", "status"}),
        ("minimal,lastRunDate,nonsense", {"id", "hostname", "status", "lastRunDate"}),
        ("lastRunDate", {"id", "hostname", "status", "state", "lastRunDate", "policyMode"}),
        (None, {"id", "hostname", "status", "state", "lastRunDate", "policyMode"}),
    ],
)
def test_a_node_has_the_included_fields(call, include: str | None, fields: set[str]) -> None:
    query = {"include": include} if include else {}
    assert set(first_item(call("GET", f"/nodes/{FILE_SERVER}", params=query), "nodes")) == fields


def test_a_node_without_runs_has_no_date(call) -> None:
    assert "lastRunDate" not in first_item(call("GET", f"/nodes/{PENDING_NODE}"), "nodes")


def test_agents_run_at_their_interval(served: Served, call) -> None:
    def last_run() -> datetime:
        date = first_item(call("GET", "/nodes/n1"), "nodes")["lastRunDate"]
        assert date.endswith("Z")
        return datetime.fromisoformat(date)

    served.seed({"nodes": [{"id": "n1", "first_run": -600, "run_interval": 3600}]})
    first = last_run()
    assert first < datetime.now(UTC)
    served.seed({"advance_seconds": 2000})
    assert last_run() == first
    served.seed({"advance_seconds": 2000})
    assert last_run() == first + timedelta(hours=1)


def test_the_response_equals_rudders_own_test_case(served: Served, call) -> None:
    cases = [case for case in load_vendor_cases("nodes") if case["index"] == 0]
    served.seed({"nodes": [{"id": "node1", "hostname": "node1.localhost"}]})
    response = call("GET", cases[0]["path"], prefix="", params=cases[0]["query"])
    assert response.json() == cases[0]["response"]
