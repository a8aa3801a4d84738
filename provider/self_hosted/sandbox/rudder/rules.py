"""Rules as Rudder stores them: lists are sorted sets, and all targets become one object."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from self_hosted.sandbox.routing import route
from self_hosted.sandbox.rudder.calls import Call, Result
from self_hosted.sandbox.rudder.change_requests import open_change_request
from self_hosted.sandbox.rudder.errors import ApiError
from self_hosted.sandbox.rudder.resource import Resource
from self_hosted.sandbox.rudder.rule_fields import TEXT_FIELDS, parse_fields

EMPTY_RULE = {
    **dict.fromkeys(TEXT_FIELDS, ""),
    "directives": [],
    "targets": [],
    "enabled": False,
    "system": False,
    "tags": [],
}
NEW_RULE = {**EMPTY_RULE, "categoryId": "rootRuleCategory", "enabled": True}


class Rules(Resource):
    """Rules: list, read, create, update, delete."""

    @route("GET", "/rules", action="listRules")
    def list_all(self, call: Call) -> Result:
        """Return all rules but the system's own, sorted by id."""
        rules = sorted(self.state.rules.values(), key=lambda rule: str(rule["id"]))
        return Result({"rules": [self._to_json(rule) for rule in rules if not rule.get("system")]})

    @route("PUT", "/rules", action="createRule")
    def create(self, call: Call) -> Result:
        """Create or clone a rule. This never needs validation; with validation, the new rule is disabled instead."""
        fields = parse_fields(call)
        if "displayName" not in fields:
            raise _build_creation_error("Missing manadatory parameter 'displayName'")  # Rudder's own spelling
        if fields.get("id") in self.state.rules:
            raise _build_creation_error(f"Rule with id '{fields['id']}' already exists")
        source = fields.pop("source", None)
        rule = _merge(self._find(source) if source else NEW_RULE, fields) | {"id": fields.get("id") or str(uuid4())}
        if self.state.needs_validation and not source and set(fields) - {"id", "displayName"}:
            rule["enabled"] = False
        self.state.rules[rule["id"]] = rule
        self.state.log("Rule created", rule["id"], call.account, call.params.get("reason"))
        return self._result(rule, action="cloneRule" if source else None)

    @route("GET", "/rules/{id}", action="ruleDetails")
    def get(self, call: Call) -> Result:
        """Return one rule."""
        return self._result(self._find(call.path["id"]))

    @route("POST", "/rules/{id}", action="updateRule")
    def update(self, call: Call) -> Result:
        """Update the given fields of a rule."""
        before = self._find(call.path["id"])
        after = _merge(before, parse_fields(call))
        request = open_change_request(self.state, call, before, after)
        if request is not None:
            return self._result({"changeRequestId": str(request.id), **after})
        self.state.store_change(after, call.account, call.params.get("reason"))
        return self._result(after)

    @route("DELETE", "/rules/{id}", action="deleteRule")
    def delete(self, call: Call) -> Result:
        """Delete a rule. The deletion of a missing rule succeeds."""
        rule = self.state.rules.get(call.path["id"])
        if rule is None:
            return Result({"rules": [{"id": call.path["id"], **EMPTY_RULE}]}, call.path["id"])
        request = open_change_request(self.state, call, rule, None)
        if request is not None:
            return self._result({"changeRequestId": str(request.id), **rule})
        del self.state.rules[rule["id"]]
        self.state.log("Rule deleted", rule["id"], call.account, call.params.get("reason"))
        return self._result(rule)

    def _find(self, rule_id: str) -> dict[str, Any]:
        if rule_id not in self.state.rules:
            raise ApiError(f"Rule with id '{rule_id}' was not found")
        return self.state.rules[rule_id]

    def _result(self, rule: dict[str, Any], action: str | None = None) -> Result:
        return Result({"rules": [self._to_json(rule)]}, rule["id"], action)

    def _to_json(self, rule: dict[str, Any]) -> dict[str, Any]:
        return {**rule, "policyMode": "enforce", "status": self._status(rule)}

    def _status(self, rule: dict[str, Any]) -> dict[str, str]:
        """Return the status that follows from the rule and its directives."""
        disabled = [name for name in rule["directives"] if name in self.state.disabled_directives]
        reasons = [f"Directive '{name}' disabled" for name in disabled]
        if not rule["enabled"]:
            return {"value": "Disabled", "details": ", ".join(["This rule is disabled. ", *reasons])}
        if not disabled:
            return {"value": "In application"}
        value = "Not applied" if len(disabled) == len(rule["directives"]) else "Partially applied"
        return {"value": value, "details": ", ".join(reasons)}


def _merge(rule: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {**rule, **{name: value for name, value in fields.items() if name not in {"id", "source"}}}


def _build_creation_error(cause: str) -> ApiError:
    return ApiError(f"Error when creating new rule; cause was: Inconsistency: {cause}")
