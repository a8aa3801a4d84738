"""Nodes, whose agents run by themselves: the later one asks, the later they ran."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import Any

from self_hosted.sandbox.rudder.gate import Answer, Call, Refused
from self_hosted.sandbox.rudder.state import Node

MINIMAL = ("id", "hostname", "status")
DEFAULT = (*MINIMAL, "state", "lastRunDate", "policyMode")
ATTRIBUTES = {"nodeId": "id", "nodeHostname": "hostname"}


def list_nodes(call: Call) -> Answer:
    """GET /nodes: those that are accepted; with a search, policy servers only where it asks for them."""
    return _listed(call, "accepted")


def list_pending_nodes(call: Call) -> Answer:
    """GET /nodes/pending."""
    return _listed(call, "pending")


def node_details(call: Call) -> Answer:
    """GET /nodes/{id}: accepted or pending."""
    node_id = call.path["id"]
    if node_id not in call.state.nodes:
        raise Refused(
            f"An error was encountered when looking for node with ID '{node_id}'; cause was: Inconsistency: "
            f"Node with ID '{node_id}' was not found in Rudder"
        )
    return Answer({"nodes": [_shown(call.state.nodes[node_id], call)]}, node_id)


def last_run(node: Node) -> str | None:
    """When the last run of its agent began, to the second; None before the first."""
    if node.first_run is None or node.first_run > time.time():
        return None
    rounds = (time.time() - node.first_run) // node.run_interval if node.run_interval else 0
    moment = datetime.fromtimestamp(node.first_run + rounds * node.run_interval, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(call: Call, status: str) -> Answer:
    there = [node for node in call.state.nodes.values() if node.status == status]
    if "where" in call.params:
        servers_too = call.params.get("select") == "nodeAndPolicyServer"
        criteria = json.loads(call.params["where"])
        there = [node for node in there if (servers_too or not node.policy_server) and _matches(node, criteria)]
    return Answer({"nodes": [_shown(node, call) for node in there]})


def _matches(node: Node, criteria: list[dict[str, str]]) -> bool:
    return all(_meets(node, **criterion) for criterion in criteria)


def _meets(node: Node, objectType: str, attribute: str, comparator: str, value: str) -> bool:
    if objectType != "node" or attribute not in ATTRIBUTES or comparator not in {"eq", "regex"}:
        raise Refused(f"Inconsistency: the stand-in knows no criterion '{objectType}' '{attribute}' '{comparator}'")
    found = getattr(node, ATTRIBUTES[attribute])
    return found == value if comparator == "eq" else bool(re.fullmatch(value, found, re.DOTALL))


def _shown(node: Node, call: Call) -> dict[str, Any]:
    """The fields that are asked for; unknown ones are passed over, and those without a value are left out."""
    asked = call.params.get("include", "default").split(",")
    wanted = {*MINIMAL, *(() if asked[0] == "minimal" else DEFAULT), *asked}
    known = {
        "id": node.id,
        "hostname": node.hostname,
        "status": node.status,
        "state": node.state,
        "lastRunDate": last_run(node),
        "policyMode": "enforce",
    }
    return {name: value for name, value in known.items() if name in wanted and value is not None}
