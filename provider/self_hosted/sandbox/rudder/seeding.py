"""Data that tests and demos add."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.rudder.change_requests import set_status
from self_hosted.sandbox.rudder.sample_data import TOKENS
from self_hosted.sandbox.rudder.state import Node, Reports, State

SETTINGS = ("plugin", "validation", "self_validation", "self_deployment", "compliance_mode", "apply_seconds")


def seed(state: State, data: dict[str, Any]) -> None:
    """Add data to the state.

    :param state: the state to change
    :param data: see `Rudder.seed`
    """
    state.clock_offset += data.get("advance_seconds", 0)
    state.rules.update({rule["id"]: rule for rule in data.get("rules", ())})
    _seed_nodes(state, data)
    for name in SETTINGS:
        setattr(state, name, data.get(name, getattr(state, name)))
    state.versions = tuple(data.get("versions", state.versions))
    state.disabled_directives = set(data.get("disabled_directives", state.disabled_directives))
    if "expires" in data:
        state.accounts[TOKENS["automation"]].expiration_date = data["expires"]
    for number, status in data.get("decisions", {}).items():
        set_status(state, state.requests[int(number)], status)


def _seed_nodes(state: State, data: dict[str, Any]) -> None:
    now = state.now()
    for given in data.get("nodes", ()):
        node = Node(**{"hostname": f"{given['id']}.example.com", **given})
        node.first_run = None if node.first_run is None else now + node.first_run
        state.nodes[node.id] = node
    reports = {item_id: Reports(changed_at=now, **given) for item_id, given in data.get("reports", {}).items()}
    state.reports.update(reports)
    for item_id in data.get("removed", ()):
        state.rules.pop(item_id, None)
        state.nodes.pop(item_id, None)
