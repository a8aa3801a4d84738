"""Compliance. After a change, the percentage "applying" decreases evenly until all reports are in."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.state import Reports


class Compliance(Resource):
    """Compliance of rules and of nodes."""

    @route("GET", "/compliance/rules", action="getRulesCompliance")
    def list_rules(self, call: Call) -> Result:
        """Return the compliance of all rules but the system's own."""
        rules = self.state.rules.values()
        return Result({"rules": [self._of_rule(rule) for rule in rules if not rule.get("system")]})

    @route("GET", "/compliance/rules/{id}", action="getRulesComplianceId")
    def get_rule(self, call: Call) -> Result:
        """Return the compliance of one rule."""
        rule = self.state.rules.get(call.path["id"])
        if rule is None:
            raise ApiError(f"Rule with id '{call.path['id']}' was not found")
        return Result({"rules": [self._of_rule(rule)]})

    @route("GET", "/compliance/nodes", action="getNodesCompliance")
    def list_nodes(self, call: Call) -> Result:
        """Return the compliance of all accepted nodes."""
        nodes = self.state.nodes.values()
        return Result({"nodes": [self._of_node(node.id) for node in nodes if node.status == "accepted"]})

    @route("GET", "/compliance/nodes/{id}", action="getNodeComplianceId")
    def get_node(self, call: Call) -> Result:
        """Return the compliance of one accepted node."""
        node_id = call.path["id"]
        node = self.state.nodes.get(node_id)
        if node is None or node.status != "accepted":
            raise ApiError(
                f"Could not get compliance for node '{node_id}'; cause was: Inconsistency: "
                f"The node with ID '{node_id}' is not known on Rudder"
            )
        return Result({"nodes": [self._of_node(node_id)]})

    def _of_rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        reports = self.state.reports.get(rule["id"]) if rule["enabled"] else None
        return self._to_json(rule["id"], rule["displayName"], reports)

    def _of_node(self, node_id: str) -> dict[str, Any]:
        return self._to_json(node_id, self.state.nodes[node_id].hostname, self.state.reports.get(node_id))

    def _to_json(self, item_id: str, name: str, reports: Reports | None) -> dict[str, Any]:
        mode, details = self.state.compliance_mode, _compute_details(reports, self.state.now())
        if mode == "reports-disabled":
            details = {"reportsDisabled": 100.0}
        return {
            "id": item_id,
            "name": name,
            "compliance": _compute_compliance(details),
            "mode": mode,
            "policyMode": "enforce",
            "complianceDetails": details,
        }


def _compute_compliance(details: dict[str, float]) -> float:
    # Rudder divides by the reports that are in: "applying" counts neither as compliant nor as non-compliant
    reported = 100 - details.get("applying", 0)
    return round(100 * details.get("successAlreadyOK", 0) / reported, 2) if reported else 0.0


def _compute_details(reports: Reports | None, now: float) -> dict[str, float]:
    """Return the percentages by kind of report."""
    if reports is None:
        return {"noReport": 100.0}
    remaining = reports.changed_at + reports.duration_seconds - now
    applying = round(100 * remaining / reports.duration_seconds, 2) if remaining > 0 else 0.0
    compliant = round((100 - applying) * reports.compliant_percent / 100, 2)
    kinds = {"applying": applying, "successAlreadyOK": compliant, "error": round(100 - applying - compliant, 2)}
    return {kind: percent for kind, percent in kinds.items() if percent > 0}
