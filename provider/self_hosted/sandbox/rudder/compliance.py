"""Compliance: after a change it is applying for a while, less and less, until all nodes have reported."""

from __future__ import annotations

import time
from typing import Any

from self_hosted.sandbox.rudder.gate import Answer, Call, Refused
from self_hosted.sandbox.rudder.state import Reports, State


def rules_compliance(call: Call) -> Answer:
    """GET /compliance/rules."""
    rules = call.state.rules.values()
    return Answer({"rules": [_of_rule(call.state, rule) for rule in rules if not rule.get("system")]})


def rule_compliance(call: Call) -> Answer:
    """GET /compliance/rules/{id}."""
    rule = call.state.rules.get(call.path["id"])
    if rule is None:
        raise Refused(f"Rule with id '{call.path['id']}' was not found")
    return Answer({"rules": [_of_rule(call.state, rule)]})


def nodes_compliance(call: Call) -> Answer:
    """GET /compliance/nodes."""
    nodes = call.state.nodes.values()
    return Answer({"nodes": [_of_node(call.state, node.id) for node in nodes if node.status == "accepted"]})


def node_compliance(call: Call) -> Answer:
    """GET /compliance/nodes/{id}."""
    node_id = call.path["id"]
    node = call.state.nodes.get(node_id)
    if node is None or node.status != "accepted":
        raise Refused(
            f"Could not get compliance for node '{node_id}'; cause was: Inconsistency: "
            f"The node with ID '{node_id}' is not known on Rudder"
        )
    return Answer({"nodes": [_of_node(call.state, node_id)]})


def details(reports: Reports | None) -> dict[str, float]:
    """Percentages by kind of report, among all."""
    if reports is None:
        return {"noReport": 100.0}
    left = reports.since + reports.takes - time.time()
    applying = round(100 * left / reports.takes, 2) if left > 0 else 0.0
    compliant = round((100 - applying) * reports.share / 100, 2)
    kinds = {"applying": applying, "successAlreadyOK": compliant, "error": round(100 - applying - compliant, 2)}
    return {kind: percent for kind, percent in kinds.items() if percent > 0}


def _of_rule(state: State, rule: dict[str, Any]) -> dict[str, Any]:
    reports = state.reports.get(rule["id"]) if rule["enabled"] else None
    return _shown(rule["id"], rule["displayName"], reports, state)


def _of_node(state: State, node_id: str) -> dict[str, Any]:
    return _shown(node_id, state.nodes[node_id].hostname, state.reports.get(node_id), state)


def _shown(thing_id: str, name: str, reports: Reports | None, state: State) -> dict[str, Any]:
    found = {"reportsDisabled": 100.0} if state.compliance_mode == "reports-disabled" else details(reports)
    reported = 100 - found.get("applying", 0)
    # among what was reported: what is applying counts neither for nor against
    percent = round(100 * found.get("successAlreadyOK", 0) / reported, 2) if reported else 0.0
    return {
        "id": thing_id,
        "name": name,
        "compliance": percent,
        "mode": state.compliance_mode,
        "policyMode": "enforce",
        "complianceDetails": found,
    }
