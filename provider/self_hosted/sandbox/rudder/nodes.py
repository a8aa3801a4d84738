"""Nodes. Their agents run at fixed intervals of the server's clock."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import Node, State

MINIMAL_FIELDS = ("id", "hostname", "status")
DEFAULT_FIELDS = (*MINIMAL_FIELDS, "state", "lastRunDate", "policyMode")
SEARCHABLE_ATTRIBUTES = {"nodeId": "id", "nodeHostname": "hostname"}


class Nodes(Resource):
    """Accepted and pending nodes."""

    @route("GET", "/nodes", action="listAcceptedNodes")
    def list_accepted(self, call: Call) -> Result:
        """Return accepted nodes; a search omits policy servers unless ``select`` includes them."""
        return self._list(call, "accepted")

    @route("GET", "/nodes/pending", action="listPendingNodes")
    def list_pending(self, call: Call) -> Result:
        """Return nodes that are not accepted yet."""
        return self._list(call, "pending")

    @route("GET", "/nodes/{id}", action="nodeDetails")
    def get(self, call: Call) -> Result:
        """Return an accepted or pending node."""
        node_id = call.path["id"]
        if node_id not in self.state.nodes:
            raise ApiError(
                f"An error was encountered when looking for node with ID '{node_id}'; cause was: Inconsistency: "
                f"Node with ID '{node_id}' was not found in Rudder"
            )
        return Result({"nodes": [self._to_json(self.state.nodes[node_id], call)]}, node_id)

    def _list(self, call: Call, status: str) -> Result:
        nodes = [node for node in self.state.nodes.values() if node.status == status]
        if "where" in call.params:
            include_servers = call.params.get("select") == "nodeAndPolicyServer"
            criteria = json.loads(call.params["where"])
            nodes = [node for node in nodes if (include_servers or not node.policy_server) and _matches(node, criteria)]
        return Result({"nodes": [self._to_json(node, call) for node in nodes]})

    def _to_json(self, node: Node, call: Call) -> dict[str, Any]:
        """Return the included fields of a node, without unknown ones and those that have no value."""
        included = call.params.get("include", "default").split(",")
        names = {*MINIMAL_FIELDS, *(() if included[0] == "minimal" else DEFAULT_FIELDS), *included}
        values = {
            "id": node.id,
            "hostname": node.hostname,
            "status": node.status,
            "state": node.state,
            "lastRunDate": compute_last_run(node, self.state),
            "policyMode": "enforce",
        }
        return {name: value for name, value in values.items() if name in names and value is not None}


def compute_last_run(node: Node, state: State) -> str | None:
    """Return the start of the agent's last run, with a precision of seconds, or None before the first run."""
    now = state.now()
    if node.first_run is None or node.first_run > now:
        return None
    runs = (now - node.first_run) // node.run_interval if node.run_interval else 0
    moment = datetime.fromtimestamp(node.first_run + runs * node.run_interval, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _matches(node: Node, criteria: list[dict[str, str]]) -> bool:
    return all(_meets(node, criterion) for criterion in criteria)


def _meets(node: Node, criterion: dict[str, str]) -> bool:
    kind, attribute, comparator = (criterion[key] for key in ("objectType", "attribute", "comparator"))
    if kind != "node" or attribute not in SEARCHABLE_ATTRIBUTES or comparator not in {"eq", "regex"}:
        unsupported = f"'{kind}' '{attribute}' '{comparator}'"
        raise ApiError(f"Inconsistency: the sandbox does not support the criterion {unsupported}")
    actual, value = getattr(node, SEARCHABLE_ATTRIBUTES[attribute]), criterion["value"]
    return actual == value if comparator == "eq" else bool(re.fullmatch(value, actual, re.DOTALL))
