"""Compliance. Until policies are generated it is that of the old ones; then "applying" decreases evenly to 0."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.rule_targets import list_names
from self_hosted.sandbox.rudder.state import Node, Reports

COMPLIANT_KINDS = (
    "successNotApplicable",
    "successAlreadyOK",
    "successRepaired",
    "auditCompliant",
    "auditNotApplicable",
)
MAX_PRECISION, DEFAULT_PRECISION, ALL_LEVELS = 5, 2, 10


class Compliance(Resource):
    """Compliance of rules and of nodes, with up to three levels of details."""

    @route("GET", "/compliance/rules", action="getRulesCompliance")
    def list_rules(self, call: Call) -> Result:
        """Return the compliance of all rules but the system's own."""
        rules = self.state.rules.values()
        return Result({"rules": [self._of_rule(rule, call) for rule in rules if not rule.get("system")]})

    @route("GET", "/compliance/rules/{id}", action="getRulesComplianceId")
    def get_rule(self, call: Call) -> Result:
        """Return the compliance of one rule."""
        rule = self.state.rules.get(call.path["id"])
        if rule is None:
            raise ApiError(f"Inconsistency: Rule with id '{call.path['id']}' was not found")
        return Result({"rules": [self._of_rule(rule, call)]})

    @route("GET", "/compliance/nodes", action="getNodesCompliance")
    def list_nodes(self, call: Call) -> Result:
        """Return the compliance of all accepted nodes."""
        nodes = self.state.nodes.values()
        return Result({"nodes": [self._of_node(node, call) for node in nodes if node.status == "accepted"]})

    @route("GET", "/compliance/nodes/{id}", action="getNodeComplianceId")
    def get_node(self, call: Call) -> Result:
        """Return the compliance of one accepted node."""
        node_id = call.path["id"]
        node = self.state.nodes.get(node_id)
        if node is None or node.status != "accepted":
            raise ApiError(f"Inconsistency: The node with ID '{node_id}' is not known on Rudder")
        return Result({"nodes": [self._of_node(node, call)]})

    def _of_rule(self, rule: dict[str, Any], call: Call) -> dict[str, Any]:
        level, details = _parse_level(call), self._details(rule["id"], call)
        result = {**self._summary(rule["id"], rule["displayName"], details), "mode": self.state.compliance_mode}
        if level < 2:
            return result
        components = [{"name": name, **_percentages(details)} for name in rule["directives"]]
        directives = [self._summary(name, name, details) for name in rule["directives"]]
        of_node = {} if level < 3 else {"directives": [dict(directive) for directive in directives]}
        if level >= 3:
            directives = [directive | {"components": components} for directive in directives]
        nodes = [
            {**self._summary(node.id, node.hostname, details), **of_node}
            for node in self.state.nodes.values()
            if _is_target(node, rule)
        ]
        return {**result, "directives": directives, "nodes": nodes}

    def _of_node(self, node: Node, call: Call) -> dict[str, Any]:
        level, details = _parse_level(call), self._details(node.id, call)
        result = {**self._summary(node.id, node.hostname, details), "mode": self.state.compliance_mode}
        if level < 2:
            return result
        reported = [rule for rule in self.state.rules.values() if rule["id"] in self.state.reports]
        rules = [rule for rule in reported if _is_target(node, rule)]
        return {**result, "rules": [self._of_rule_on_node(rule, call, level) for rule in rules]}

    def _of_rule_on_node(self, rule: dict[str, Any], call: Call, level: int) -> dict[str, Any]:
        details = self._details(rule["id"], call)
        directives = [self._summary(name, name, details) for name in rule["directives"]]
        summary = self._summary(rule["id"], rule["displayName"], details)
        return summary if level < 3 else {**summary, "directives": directives}

    def _details(self, item_id: str, call: Call) -> dict[str, float]:
        self.state.generate_due_policies()
        precision = _parse_precision(call)
        if self.state.compliance_mode == "reports-disabled":
            return {"reportsDisabled": 100.0}
        details = _compute_details(self.state.reports.get(item_id), self.state.now())
        return {kind: round(percent, precision) for kind, percent in details.items()}

    def _summary(self, item_id: str, name: str, details: dict[str, float]) -> dict[str, Any]:
        return {"id": item_id, "name": name, "policyMode": "enforce", **_percentages(details)}


def _percentages(details: dict[str, float]) -> dict[str, Any]:
    # Rudder divides by the reports that are in: "applying" counts neither as compliant nor as non-compliant
    reported = 100 - details.get("applying", 0)
    compliant = sum(details.get(kind, 0) for kind in COMPLIANT_KINDS)
    percent = min(100.0, round(100 * compliant / reported, 2)) if reported else 0.0
    return {"compliance": percent, "complianceDetails": details}


def _compute_details(reports: Reports | None, now: float) -> dict[str, float]:
    """Return the percentages by kind of report; none for what has no policies, such as a disabled rule."""
    if reports is None:
        return {}
    remaining = reports.changed_at + reports.duration_seconds - now
    applying = 100 * remaining / reports.duration_seconds if remaining > 0 else 0.0
    final = reports.details
    if final is None:
        final = {"successAlreadyOK": reports.compliant_percent, "error": 100 - reports.compliant_percent}
    kinds = {"applying": applying, **{kind: (100 - applying) * percent / 100 for kind, percent in final.items()}}
    return {kind: percent for kind, percent in kinds.items() if percent > 0}


def _is_target(node: Node, rule: dict[str, Any]) -> bool:
    """Return whether a rule applies to a node. The sandbox has no groups: each contains all but policy servers."""
    names = set(list_names(rule["targets"]))
    if node.status != "accepted":
        return False
    if "special:all" in names or f"policyServer:{node.id}" in names:
        return True
    return (
        ("special:all_policyServers" in names)
        if node.policy_server
        else any(name.startswith("group:") or name == "special:all_exceptPolicyServers" for name in names)
    )


def _parse_level(call: Call) -> int:
    level = call.params.get("level", str(ALL_LEVELS))
    try:
        return int(level)
    except ValueError:
        raise ApiError(f"level (displayed level of compliance details) must be an integer, was: '{level}'") from None


def _parse_precision(call: Call) -> int:
    precision = call.params.get("precision", str(DEFAULT_PRECISION))
    try:
        number = int(precision)
    except ValueError:
        raise ApiError(f"percent precision must be an integer, was: '{precision}'") from None
    if not 0 <= number <= MAX_PRECISION:
        raise ApiError(f"Invalid level for compliance precision {number}, valid values are 0 to {MAX_PRECISION}")
    return number
