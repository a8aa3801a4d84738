"""Nodes at the fake Rudder server, and searches for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from self_hosted.sandbox.rudder.nodes import DEFAULT_FIELDS
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
    assert error_message(call("GET", "/nodes/nothing")).endswith("Inconsistency: Node is missing")
    assert error_message(call("GET", "/nodes/pending/nothing")).endswith("Inconsistency: Node is missing")


def test_a_pending_node_has_a_short_format_in_a_nested_list(call) -> None:
    [[node]] = call("GET", f"/nodes/pending/{PENDING_NODE}").json()["data"]["nodes"]
    assert (node["id"], node["status"]) == (PENDING_NODE, "pending")
    assert "state" not in node


def test_the_status_of_an_unknown_node_is_deleted(call) -> None:
    response = call("GET", "/nodes/status", params={"ids": f"{FILE_SERVER},nothing"})
    statuses = {node["id"]: node["status"] for node in response.json()["data"]["nodes"]}
    assert statuses == {FILE_SERVER: "accepted", "nothing": "deleted"}


def test_a_search_omits_policy_servers_by_default(call) -> None:
    everything = where("nodeId", "regex", ".*")
    assert "root" in list_node_ids(call)
    assert "root" not in list_node_ids(call, where=everything)
    assert "root" in list_node_ids(call, where=everything, select="nodeAndPolicyServer")


def test_a_regular_expression_matches_complete_values(call) -> None:
    assert list_node_ids(call, where=where("nodeId", "regex", FILE_SERVER[:-1])) == []
    assert list_node_ids(call, where=where("nodeId", "regex", f"nothing|{FILE_SERVER}")) == [FILE_SERVER]
    assert list_node_ids(call, where=where("nodeHostname", "eq", "file-server-01.example.com")) == [FILE_SERVER]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"where": where("ram", "eq", "1")}, "does not support the attribute"),
        ({"where": where("nodeId", "gt", "1")}, "The comparator 'gt' is unknown"),
        ({"where": "zzz"}, "expected '[' got 'z'"),
        ({"where": "[]"}, "Chunk was empty"),
        ({"where": "[1]"}, "missing"),
        ({"query": "[]"}, "expected '{' got '['"),
        ({"query": "{}"}, "Chunk was empty"),
        ({"where": where("nodeId", "eq", "1"), "composition": "xor"}, "no valid query"),
        ({"where": where("nodeId", "eq", "1"), "select": "everything"}, "no valid query"),
    ],
)
def test_an_invalid_search_is_an_error(call, params: dict[str, str], problem: str) -> None:
    message = error_message(call("GET", "/nodes", params=params))
    assert message.startswith("Node query not correctly sent")
    assert problem in message


def test_a_query_combines_criteria(call) -> None:
    names = ("root", FILE_SERVER)
    criteria = [{"objectType": "node", "attribute": "nodeId", "comparator": "eq", "value": name} for name in names]
    query = {"select": "nodeAndPolicyServer", "composition": "or", "where": criteria}
    assert set(list_node_ids(call, query=json.dumps(query))) == set(names)
    assert list_node_ids(call, query=json.dumps({**query, "composition": "and"})) == []


@pytest.mark.parametrize(
    ("comparator", "value", "is_found"),
    [("notEq", FILE_SERVER, False), ("notRegex", "nothing", True), ("exists", "", True), ("notExists", "", False)],
)
def test_comparators_may_be_negative(call, comparator: str, value: str, is_found: bool) -> None:
    assert (FILE_SERVER in list_node_ids(call, where=where("nodeId", comparator, value))) is is_found


@pytest.mark.parametrize(
    ("include", "fields"),
    [
        ("minimal", {"id", "hostname", "status"}),
        ("minimal,lastRunDate,nonsense", {"id", "hostname", "status", "lastRunDate"}),
        ("lastRunDate", {*DEFAULT_FIELDS} - {"architectureDescription"}),
        (None, {*DEFAULT_FIELDS} - {"architectureDescription"}),
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
