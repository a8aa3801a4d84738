"""Tests of rudder/api/nodes.py: which nodes are asked for, and when they ran."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from self_hosted.core.flow import Request
from self_hosted.rudder import api
from tests.rudder.conftest import each, rudders_cases, success

NODE = {"id": "n1", "hostname": "n1.example.com", "status": "accepted", "lastRunDate": "2026-03-01T08:00:00Z"}


def asked(flow: Any) -> Request:
    step = next(flow)
    assert isinstance(step, Request)
    return step


def searched(flow: Any) -> str:
    """The expression that ids are matched with."""
    request = asked(flow)
    assert request.query["select"] == "nodeAndPolicyServer"
    (criterion,) = json.loads(request.query["where"])
    assert (criterion["objectType"], criterion["attribute"], criterion["comparator"]) == ("node", "nodeId", "regex")
    return criterion["value"]  # type: ignore[no-any-return]


def test_one_node_is_asked_for_with_little_about_it() -> None:
    flow = api.node("a/b")
    request = asked(flow)
    assert request.target == "/nodes/a%2Fb?include=minimal%2Cstate%2ClastRunDate"
    with pytest.raises(StopIteration) as end:
        flow.send(success(request, {"nodes": [NODE]}))
    assert end.value.value == NODE


@pytest.mark.parametrize(("flow", "path"), [(api.nodes, "/nodes"), (api.pending_nodes, "/nodes/pending")])
def test_all_nodes_are_asked_for_without_a_search(flow: Any, path: str) -> None:
    request = asked(flow())
    assert (request.path, set(request.query)) == (path, {"include"})


@pytest.mark.parametrize("flow", [api.nodes, api.pending_nodes])
def test_some_nodes_are_searched_by_their_whole_ids_policy_servers_included(flow: Any) -> None:
    assert searched(flow(["root", "n1"])) == "n1|root"


def test_an_id_is_no_expression() -> None:
    expression = searched(api.nodes(["a.b|c*"]))
    assert re.fullmatch(expression, "a.b|c*")
    assert not re.fullmatch(expression, "axb")


def test_fifty_ids_make_an_address_that_every_server_takes() -> None:
    ids = [f"378740d3-c4a9-4474-8485-478e7e52d{number:03}" for number in range(50)]
    assert len(asked(api.nodes(ids)).target) < 4096


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T09:00:00+01:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (None, None),
    ],
)
def test_the_last_run_is_a_moment_or_none(told: str | None, moment: datetime | None) -> None:
    assert api.last_run({"id": "n1", **({"lastRunDate": told} if told else {})}) == moment


def test_the_key_of_a_run_is_readable_and_can_be_taken_apart() -> None:
    moment = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=1)))
    key = api.run_key("n1", moment)
    assert key == "n1/2026-03-01T08:00:00+00:00"
    assert api.run_of(key) == ("n1", moment)


@pytest.mark.parametrize("case", each([case for case in rudders_cases("nodes") if case["index"] in {0, 2}]))
def test_rudders_own_answers_hold_what_is_asked_for(case: dict[str, Any] | None) -> None:
    assert case is not None
    (found,) = case["response"]["data"]["nodes"]
    assert {"id", "hostname", "status"} <= set(found)
