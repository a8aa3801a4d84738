"""Nodes. Their agents run at fixed intervals of the server's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.node_search import search
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import Node, State

MINIMAL_FIELDS = ("id", "hostname", "status")
DEFAULT_FIELDS = (
    *MINIMAL_FIELDS,
    "state",
    "os",
    "architectureDescription",
    "ram",
    "machine",
    "ipAddresses",
    "description",
    "acceptanceDate",
    "lastInventoryDate",
    "lastRunDate",
    "policyServerId",
    "managementTechnology",
    "properties",
    "policyMode",
    "timezone",
)


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

    @route("GET", "/nodes/status", action="getNodesStatus")
    def list_statuses(self, call: Call) -> Result:
        """Return the status of nodes; an unknown one is "deleted"."""
        ids = [node_id for node_id in call.params.get("ids", "").split(",") if node_id]
        found = {node_id: self.state.nodes.get(node_id) for node_id in ids}
        statuses = [{"id": node_id, "status": node.status if node else "deleted"} for node_id, node in found.items()]
        return Result({"nodes": statuses})

    @route("GET", "/nodes/pending/{id}", action="pendingNodeDetails")
    def get_pending(self, call: Call) -> Result:
        """Return a pending node, in a short format of its own and in a nested list."""
        node = self._find(call.path["id"])
        system = node.details.get("os", {})
        short = {
            "id": node.id,
            "status": node.status,
            "hostname": node.hostname,
            "osName": system.get("name"),
            "osVersion": system.get("version"),
            "machineType": node.details.get("machine", {}).get("type"),
        }
        return Result({"nodes": [[{name: value for name, value in short.items() if value is not None}]]}, node.id)

    @route("GET", "/nodes/{id}", action="nodeDetails")
    def get(self, call: Call) -> Result:
        """Return an accepted or pending node."""
        node = self._find(call.path["id"])
        return Result({"nodes": [self._to_json(node, call)]}, node.id)

    def _find(self, node_id: str) -> Node:
        if node_id not in self.state.nodes:
            raise ApiError(
                f"An error was encountered when looking for node with ID '{node_id}'; "
                "cause was: Inconsistency: Node is missing"
            )
        return self.state.nodes[node_id]

    def _list(self, call: Call, status: str) -> Result:
        nodes = [node for node in self.state.nodes.values() if node.status == status]
        return Result({"nodes": [self._to_json(node, call) for node in search(nodes, call.params)]})

    def _to_json(self, node: Node, call: Call) -> dict[str, Any]:
        """Return the included fields of a node, without unknown ones and those that have no value."""
        included = call.params.get("include", "default").split(",")
        values = {
            "id": node.id,
            "hostname": node.hostname,
            "status": node.status,
            "state": node.state,
            "properties": [],
            "policyMode": "enforce",
            **node.details,
            "lastRunDate": compute_last_run(node, self.state),
        }
        base = values if "full" in included else MINIMAL_FIELDS if "minimal" in included else DEFAULT_FIELDS
        return {name: value for name, value in values.items() if name in {*base, *included} and value is not None}


def compute_last_run(node: Node, state: State) -> str | None:
    """Return the start of the agent's last run, with a precision of seconds, or None before the first run."""
    now = state.now()
    if node.first_run is None or node.first_run > now:
        return None
    runs = (now - node.first_run) // node.run_interval if node.run_interval else 0
    moment = datetime.fromtimestamp(node.first_run + runs * node.run_interval, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
