"""Rows for the page of the sandbox. They contain no secrets."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.fake_server import Table
from self_hosted.sandbox.rudder.nodes import compute_last_run
from self_hosted.sandbox.rudder.state import ChangeRequest, Node, State

RULE_COLUMNS = ("id", "displayName", "enabled", "directives", "targets")


def build_tables(state: State) -> dict[str, Table]:
    """Return rules, nodes, change requests and the event log."""
    return {
        "rules": [_rule(rule, state) for rule in state.rules.values()],
        "nodes": [_node(node, state) for node in state.nodes.values()],
        "change requests": [_change_request(request) for request in reversed(state.requests.values())],
        "event log": state.events[::-1],
    }


def _rule(rule: dict[str, Any], state: State) -> dict[str, Any]:
    reasons = [event["reason"] for event in state.events if event["rule"] == rule["id"]]
    return {**{name: rule[name] for name in RULE_COLUMNS}, "last reason": reasons[-1] if reasons else None}


def _node(node: Node, state: State) -> dict[str, Any]:
    columns = {"id": node.id, "hostname": node.hostname, "status": node.status, "state": node.state}
    return {**columns, "last run": compute_last_run(node, state)}


def _change_request(request: ChangeRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "name": request.name,
        "status": request.status,
        "rule": request.target_id,
        "author": request.author.id,
        "reason": request.reason,
        "description": request.description,
    }
