"""Tests of rudder/api/nodes.py: the requested details, searches by id, and the last run."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from self_hosted.core.http.errors import ServerError
from self_hosted.core.http.flow import Flow
from self_hosted.rudder.api import nodes
from self_hosted.rudder.api.shapes import Node
from tests.rudder.conftest import load_vendor_cases
from tests.rudder.flows import finish, first_request

NODE = {"id": "n1", "hostname": "n1.example.com", "status": "accepted", "lastRunDate": "2026-03-01T08:00:00Z"}


def search_pattern(flow: Flow[Any]) -> str:
    """Return the regular expression for ids in the request."""
    request = first_request(flow)
    assert request.query["select"] == "nodeAndPolicyServer"
    (criterion,) = json.loads(request.query["where"])
    assert (criterion["objectType"], criterion["attribute"], criterion["comparator"]) == ("node", "nodeId", "regex")
    return criterion["value"]  # type: ignore[no-any-return]


def test_one_node_is_read_with_few_details() -> None:
    flow = nodes.get("a:b")
    request = first_request(flow)
    assert request.target == "/nodes/a%3Ab?include=minimal%2Cstate%2ClastRunDate"
    assert finish(flow, request, {"nodes": [NODE]}) == NODE


@pytest.mark.parametrize(
    ("list_nodes", "path"), [(nodes.list_accepted, "/nodes"), (nodes.list_pending, "/nodes/pending")]
)
def test_all_nodes_are_listed_without_a_search(list_nodes: Any, path: str) -> None:
    request = first_request(list_nodes())
    assert (request.path, set(request.query)) == (path, {"include"})


@pytest.mark.parametrize("list_nodes", [nodes.list_accepted, nodes.list_pending])
def test_nodes_are_searched_by_complete_ids_including_policy_servers(list_nodes: Any) -> None:
    assert search_pattern(list_nodes(["root", "n1"])) == "n1|root"


def test_special_characters_of_an_id_are_escaped() -> None:
    pattern = search_pattern(nodes.list_accepted(["a.b|c*"]))
    assert re.fullmatch(pattern, "a.b|c*")
    assert not re.fullmatch(pattern, "axb")


def test_a_search_for_fifty_ids_fits_into_a_url() -> None:
    ids = [f"378740d3-c4a9-4474-8485-478e7e52d{number:03}" for number in range(50)]
    assert len(first_request(nodes.list_accepted(ids)).target) < 4096


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T09:00:00+01:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (None, None),
    ],
)
def test_the_last_run_is_a_timestamp_or_none(date: str | None, expected: datetime | None) -> None:
    node: Node = {"id": "n1", "status": "accepted"}
    if date:
        node["lastRunDate"] = date
    assert nodes.get_last_run(node) == expected


def test_a_malformed_time_is_a_server_error() -> None:
    with pytest.raises(ServerError, match="lastRunDate of node n1: not a time: 'yesterday'"):
        nodes.get_last_run({"id": "n1", "status": "accepted", "lastRunDate": "yesterday"})


@pytest.mark.parametrize("node_ids", ["n1", ["n1", ""], ["a b"], ["pending"]])
def test_invalid_ids_are_rejected_before_any_request(node_ids: Any) -> None:
    with pytest.raises(ValueError, match="node_ids must be"):
        next(nodes.list_accepted(node_ids))


def test_the_page_of_a_node_is_below_the_base_url() -> None:
    assert nodes.page_url("https://rudder.example.com/rudder", "root").endswith("/rudder/secure/nodeManager/node/root")


def test_rudders_own_responses_contain_the_details() -> None:
    for case in load_vendor_cases("nodes"):
        if case["index"] in {0, 2}:
            (node,) = case["response"]["data"]["nodes"]
            assert {"id", "hostname", "status"} <= set(node), case
